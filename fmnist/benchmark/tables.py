"""The benchmark as Markdown and CSV. What was not measured says so."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fmnist.cards import Facts, read_json
from fmnist.errors import InputError

SPEEDS = "inference.json"  # of networks, each measured once a machine
NOT_MEASURED = "not measured"
# Of a measured row, what must be within these where it has them.
WITHIN = {
    "machine": {"device", "threads", "precision"},
    "test_accuracy": {"mean"},
    "validation_accuracy": {"mean"},
}


def _percent(value: dict[str, Any]) -> str:
    deviation = f" ± {value['sd']:.2%}" if "sd" in value else ""
    return f"{value['mean']:.2%}{deviation}"


def test_interval(facts: Facts) -> tuple[float, float]:
    """The 95 % one of the mean over seeds; of one run, by the number of its images."""
    low, high = facts["test_accuracy"].get("interval_95") or facts["test_interval_95"]
    return low, high


def _interval(facts: Facts) -> str:
    low, high = test_interval(facts)
    return f"{low:.2%} to {high:.2%}"


def _seconds(facts: Facts) -> str:
    """An upper bound where others worked on the machine at the end of the run."""
    machine = facts.get("machine", {})
    busy = machine.get("load", 0) > machine.get("threads", 0) + 0.5
    seconds = facts["seconds_an_epoch"]
    return f"{'≤ ' if busy else ''}{seconds:{'.3g' if seconds < 100 else '.0f'}}"


def _name(facts: Facts) -> str:
    if facts["model"] == "resnet18" and not facts.get("pretrained"):
        return f"{facts['row']} (from scratch: no ImageNet weights)"
    return str(facts["row"])


# Title and text of every column; a key that is missing was not measured.
COLUMNS: dict[str, tuple[str, Callable[[Facts], str]]] = {
    "row": ("network:recipe", _name),
    "parameters": ("parameters", lambda r: f"{r['parameters']:,}"),
    "macs": ("MACs", lambda r: f"{r['macs'] / 1e6:,.1f} M"),
    "epochs": ("epochs", lambda r: str(r["epochs"])),
    "epoch": ("s an epoch, median", _seconds),
    "val-loss": ("validation loss", lambda r: f"{r['validation_loss']:.3f}"),
    "val": ("validation accuracy", lambda r: _percent(r["validation_accuracy"])),
    "test": ("test accuracy", lambda r: _percent(r["test_accuracy"])),
    "interval": ("95 % interval", _interval),
    "n": ("seeds", lambda r: f"{r['n']} of {r.get('seeds_wanted', r['n'])}"),
    "speed": ("images/s", lambda r: f"{r['inference']['images_per_second']:,.0f}"),
    "latency": ("ms for one", lambda r: f"{r['inference']['latency_ms']['median']:.2f}"),
    "p95": ("p95", lambda r: f"{r['inference']['latency_ms']['p95']:.2f}"),
    "memory": ("peak memory", lambda r: f"{r['inference']['peak_memory_mb']:,.0f} MB"),
}


def rows_of(path: Path) -> list[Facts]:
    """The rows of a file that `fmnist benchmark` wrote.

    Raises:
        InputError: it is missing, or another file.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: no such file. Make it with `fmnist benchmark`, "
            "which with --table trains nothing."
        )
    rows = read_json(path).get("rows")
    if not isinstance(rows, list) or not rows or not all(map(_is_row, rows)):
        raise InputError(
            f"{path} holds no rows of a benchmark. Name the JSON that `fmnist benchmark` wrote."
        )
    return rows


def kept_rows(file: Path, earlier: Path | None) -> list[Facts]:
    """Of what was measured before: the rows of `file`, if it is there, and of `earlier`.

    Of two rows of one name the later counts: what came out of another file gives way to the one
    that is named now, and that to what was measured here.

    Raises:
        InputError: as `rows_of`.
    """
    named = [row | {"earlier": earlier.name} for row in rows_of(earlier)] if earlier else []
    kept = rows_of(file) if file.is_file() else []
    return [
        *(row for row in kept if "earlier" in row),
        *named,
        *(row for row in kept if "earlier" not in row),
    ]


def _is_row(row: Any) -> bool:
    """Whether it has the parts that tables and the report look into."""
    if not isinstance(row, dict) or not all(isinstance(row.get(k), str) for k in ("row", "model")):
        return False
    if not isinstance(row.get("n"), int):
        return False
    if row["n"] and "recipe" in row and not isinstance(row.get("changes"), list):
        return False  # what others train has no recipe
    return all(
        isinstance(row[name], dict)
        and keys <= row[name].keys()
        and isinstance(row[name].get("mean", 0), float | int)
        for name, keys in WITHIN.items()
        if name in row
    )


def kept_speeds(file: Path) -> dict[str, Facts]:
    """How fast networks were when they were measured before, by their names.

    Raises:
        InputError: it is another file.
    """
    speeds = read_json(file) if file.is_file() else {}
    for speed in speeds.values():
        if not isinstance(speed, dict) or not isinstance(speed.get("machine"), dict):
            raise InputError(f"{file} holds no speeds. Move it away, or choose another -o.")
    return speeds


def cells(facts: Facts, columns: Sequence[str]) -> list[str]:
    """A row of the table as text."""
    texts = []
    for name in columns:
        try:
            texts.append(COLUMNS[name][1](facts))
        except KeyError:
            texts.append(NOT_MEASURED)
    return texts


def markdown(rows: Sequence[Facts], columns: Sequence[str]) -> str:
    """A table of GitHub's kind."""
    lines = [[COLUMNS[name][0] for name in columns], ["---"] * len(columns)]
    lines += [cells(facts, columns) for facts in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def comma_separated(rows: Sequence[Facts], columns: Sequence[str]) -> str:
    """The same cells under the names of the columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(cells(facts, columns) for facts in rows)
    return text.getvalue()
