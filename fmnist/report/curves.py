"""Trainings by the report's recipe, epoch by epoch, and its question 4: what dropout does."""

from collections.abc import Sequence

from fmnist.benchmark.rows import Row
from fmnist.benchmark.tables import NOT_MEASURED, cells
from fmnist.cards import Facts
from fmnist.choices import changed_in
from fmnist.figures import curves, png
from fmnist.report import plots
from fmnist.report.page import Picture, Section, Table

Metrics = list[dict[str, float]]  # one an epoch
# With dropout and without, where nothing else was measured.
PAIRS = {
    "vgg": ("vgg:report", "vgg:report:dropout=0"),
    "resnet10": ("resnet10:report:dropout=1", "resnet10:report"),
}
LAST = 5  # epochs whose mean is told: at a constant rate one alone says little


def training_curves(rows: Sequence[Facts]) -> Section:
    parts: list[Table | Picture] = []
    names = ("lenet:report", "vgg:report", "resnet10:report")
    for number, name in enumerate(names, 3):
        metrics = _metrics(rows, name)
        caption = f"Figure {number}. {name}, loss and accuracy over the epochs"
        if metrics:
            drawn = png(curves(metrics))
            parts.append(Picture(f"figure-{number}", f"{caption}, first seed.", drawn))
        else:
            parts.append(Table(f"{caption}: {NOT_MEASURED}.", (), ()))
    return Section("Training as the report did", "Adam, a constant rate, Listing 1.", parts)


def dropout(rows: Sequence[Facts]) -> Section:
    lines: list[list[str]] = []
    drawn: list[Picture] = []
    for model in PAIRS:
        pair = pair_of(model, rows)
        runs = [_metrics(rows, name) for name in pair]
        common = min(map(len, runs)) or max(map(len, runs))
        for name, run in zip(pair, runs, strict=True):
            found = next((row for row in rows if row["row"] == name), {})
            lines.append([name, *_end_of(run[:common]), *cells(found, ("test", "epochs"))])
        if all(runs):
            named = dict(zip(("with dropout", "without"), runs, strict=True))
            caption = f"{model}, recipe report: validation with and without dropout, first seed."
            drawn.append(Picture(f"dropout-{model}", caption, png(plots.compare(named))))
    titles = ("network:recipe", "epochs", "training", "validation loss", "validation")
    table = Table(
        f"Question 4: what dropout does. Means over the last {LAST} of the epochs that both have, "
        "first seed; test accuracy after all of their own.",
        (*titles, "test", "epochs before it"),
        lines,
    )
    return Section(
        "Dropout",
        "The report's networks with and without it. Training accuracy is that of augmented images, "
        "with dropout where there is one. The rate is constant: what is cut off a longer training "
        "changes nothing before it.",
        [table, *drawn],
    )


def pair_of(model: str, rows: Sequence[Facts]) -> tuple[str, str]:
    """The longest measured rows of the report's recipe with dropout and without."""
    found = list(PAIRS[model])
    longest = [0, 0]
    for facts in rows:
        if not facts["n"] or (facts["model"], facts.get("recipe")) != (model, "report"):
            continue
        row = Row.read(facts["row"])
        without = int(row.resolved().dropout == 0)
        if (
            changed_in(row.changes) <= {"dropout", "epochs"}
            and facts.get("epochs", 0) > longest[without]
        ):
            found[without], longest[without] = facts["row"], facts["epochs"]
    return found[0], found[1]


def _metrics(rows: Sequence[Facts], name: str) -> Metrics:
    """The epochs of the first seed, or nothing where none is finished."""
    curves: dict[str, list[float]] = next(
        (row["curves"] for row in rows if row["row"] == name and "curves" in row), {}
    )
    return [dict(zip(curves, values, strict=True)) for values in zip(*curves.values(), strict=True)]


def _end_of(run: Metrics) -> list[str]:
    """How many epochs, and what was measured over the last of them."""
    if not run:
        return [NOT_MEASURED] * 4
    last = run[-LAST:]
    training, loss, validation = (
        sum(epoch[name] for epoch in last) / len(last)
        for name in ("train_accuracy", "validation_loss", "validation_accuracy")
    )
    return [str(len(run)), f"{training:.2%}", f"{loss:.3f}", f"{validation:.2%}"]
