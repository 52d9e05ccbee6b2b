"""Table 3 of the report of 2020 beside what was measured, and the numbers to begin with."""

from collections.abc import Sequence

from fmnist.benchmark.tables import COLUMNS, NOT_MEASURED, cells, test_interval
from fmnist.cards import Facts
from fmnist.classes import VALIDATION_SIZE
from fmnist.figures import png
from fmnist.recipes import REPORTED_TEST
from fmnist.report import plots
from fmnist.report.page import Picture, Section, Table

# Table 3 of the report: validation accuracy.
REPORTED = {
    "lenet:report": 0.913,
    "vgg:report": 0.948,
    "resnet18:report": 0.947,
    "resnet10:report": 0.924,
}
CLOSE = 0.005  # what counts as the same result
ACCURACIES = (
    "Accuracy of every row that is measured: on validation images here and in the report, on test "
    "images with the 95 % interval."
)


def headline(rows: Sequence[Facts]) -> list[tuple[str, str]]:
    """What the page begins with. Rows are chosen by validation, never by the test set."""
    done = [row for row in rows if row["n"] and "validation_accuracy" in row]
    if not done:
        return []
    # Fewer validation images than the others are too few to choose by.
    judged_by = [row.get("validation_n", VALIDATION_SIZE) for row in done]
    comparable = [row for row, n in zip(done, judged_by, strict=True) if n == max(judged_by)]
    best = max(comparable, key=lambda row: float(row["validation_accuracy"]["mean"]))
    small = min(
        comparable, key=lambda row: (row["parameters"], -row["validation_accuracy"]["mean"])
    )
    shown = [(_tested(best), f"on the test set: {best['row']}. The report: {REPORTED_TEST:.2%}")]
    if small is not best:
        parameters = f"{small['parameters']:,} parameters"
        shown.append((_tested(small), f"with {parameters}, the smallest network: {small['row']}"))
    fast = [row for row in done if "inference" in row]
    if fast:
        quick = max(fast, key=lambda row: float(row["inference"]["images_per_second"]))
        speed, machine = quick["inference"]["images_per_second"], quick["inference"]["machine"]
        shown.append((f"{speed:,.0f} images/s", f"{quick['model']} on {machine['device']}"))
    measured = sum(row["n"] > 0 for row in rows)
    return [*shown, (f"{measured} of {len(rows)}", "rows of network and recipe are measured")]


def _tested(row: Facts) -> str:
    return f"{row['test_accuracy']['mean']:.2%}"


def results(rows: Sequence[Facts]) -> Section:
    before = ("row", "parameters", "macs", "epochs", "epoch", "val-loss", "val")
    after = ("test", "interval", "n")
    titles = [COLUMNS[name][0] for name in before] + ["the report", "difference"]
    titles += [COLUMNS[name][0] for name in after]
    lines = []
    for row in rows:
        reported = REPORTED.get(row["row"])
        beside = [f"{reported:.1%}", _difference(row, reported)] if reported else ["", ""]
        lines.append([*cells(row, before), *beside, *cells(row, after)])
    parts: list[Table | Picture] = [
        Table("Table 3. All rows, and the report's validation accuracy beside them.", titles, lines)
    ]
    measured = [_measured(row) for row in rows if row["n"] and "validation_accuracy" in row]
    if measured:
        parts.insert(0, Picture("accuracies", ACCURACIES, png(plots.accuracies(measured))))
    return Section(
        "Results",
        "Hyper-parameters were chosen on validation images; the test set was used once a run, with "
        "the last weights of a schedule fixed before. ± is the standard deviation over seeds; the "
        "95 % interval of one run is Wilson's, of the test images, that of several Student's, of "
        "their mean over seeds; the "
        "difference from the report is in points, ✓ where it is at most half a point. "
        f"The report's VGG-like network had {REPORTED_TEST:.2%} on the test set." + _where(rows),
        parts,
    )


def _measured(row: Facts) -> plots.Measured:
    low, high = test_interval(row)
    return plots.Measured(
        row["row"],
        row["validation_accuracy"]["mean"],
        row["test_accuracy"]["mean"],
        (low, high),
        REPORTED.get(row["row"]),
    )


def _where(rows: Sequence[Facts]) -> str:
    """On what the seconds were measured."""
    machines = [row["machine"] for row in rows if "machine" in row]
    words = {f"{m['device']}, threads: {m['threads']}, {m['precision']}" for m in machines}
    bounds = "; ≤: others worked there too"
    return f" Seconds on {'; '.join(sorted(words))}{bounds}." if words else ""


def _difference(row: Facts, reported: float) -> str:
    if "validation_accuracy" not in row:
        return NOT_MEASURED
    points = 100 * (row["validation_accuracy"]["mean"] - reported)
    return f"{points:+.2f}{' ✓' if abs(points) <= 100 * CLOSE else ''}"
