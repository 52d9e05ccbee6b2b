"""The tables that the command prints: plain text from the figures of a JSON row."""

from collections.abc import Sequence
from typing import Any

from fmnist.classes import CLASSES

DETECTOR_COLUMNS = {
    "agnostic_map50": "any mAP50",
    "agnostic_map50_95": "50-95",
    "map50": "ten mAP50",
    "map50_95": "50-95",
    "label_accuracy": "labels",
    "calibration_error": "ECE",
    "shown_recall": "recall",
    "shown_precision": "precision",
    "milliseconds": "ms",
    "parameters": "parameters",
}


def counts_table(train: Sequence[int], test: Sequence[int]) -> str:
    """How many images of each class there are."""
    lines = [f"{'':12}{'train':>7}{'test':>7}"]
    rows = zip(CLASSES, train, test, strict=True)
    return "\n".join(lines + [f"{name:12}{a:7}{b:7}" for name, a, b in rows])


def models_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line a network."""
    lines = [f"{'model':12}{'parameters':>12}{'MACs':>16}"]
    lines += [
        f"{row['model']:12}{row['parameters']:12,}{row['macs']:16,}  {row['about']}" for row in rows
    ]
    return "\n".join(lines)


def evaluation_table(row: dict[str, Any]) -> str:
    """The figures of `Evaluation.to_dict`, with the `weights` and the `model` they are of."""
    low, high = row["accuracy_interval_95"]
    lines = [
        f"{row['weights']} ({row['model']}): {row['n']} images, loss {row['loss']:.4f}",
        f"accuracy {row['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})",
        f"{'':12}{'precision':>10}{'recall':>10}{'F1':>10}",
    ]
    for part in [*row["classes"], {"name": "macro mean", **row["macro"]}]:
        figures = "".join(f"{part[key]:10.4f}" for key in ("precision", "recall", "f1"))
        lines.append(f"{part['name']:12}{figures}")
    return "\n".join(lines)


def training_speed_table(whole: dict[str, Any]) -> str:
    """A line for every way of training, and for every way of answering."""
    lines = [f"{'':52}{'images/s':>10}{'60,000 in':>12}{'ratio':>8}"]
    for row in whole["rows"]:
        lines.append(
            f"{row['row']:52}{row['images_per_second']['median']:10,.0f}"
            f"{row['seconds_of_60000']:10.1f} s{row['ratio']['median']:8.2f}"
        )
    inference, answers = whole["inference"], dict(whole["answers"])
    batch = answers.pop("batch")
    rates = {
        f"answers as it is, batches of {inference['batch']}": inference["images_per_second"],
        **{f"answers, {name}, of {batch}": rate["median"] for name, rate in answers.items()},
    }
    lines += [f"{name:52}{rate:10,.0f}" for name, rate in rates.items()]
    return "\n".join(lines)


def result_line(facts: dict[str, Any]) -> str:
    """The one line that ends a run."""
    test = facts["test"]
    low, high = test["accuracy_interval_95"]
    return (
        f"test accuracy {test['accuracy']:.4f} (95 % interval {low:.4f} to {high:.4f}, "
        f"n = {test['n']}), loss {test['loss']:.4f}, macro F1 {test['macro']['f1']:.4f}"
    )


def detector_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line a head, of `DetectorEvaluation.to_dict` with the name of the `head`."""
    lines = []
    wide = max(12, *(len(row["head"]) + 1 for row in rows))
    if "frames" in rows[0]:
        lines.append(f"{rows[0]['frames']} frames, {rows[0]['garments']} garments")
        titles = "".join(f"{title:>11}" for title in DETECTOR_COLUMNS.values())
        lines.append(f"{'head':{wide}}{titles}")
        for row in rows:
            figures = "".join(f"{_figure(row[key]):>11}" for key in DETECTOR_COLUMNS)
            lines.append(f"{row['head']:{wide}}{figures}")
        lines += ["", f"{'AP50':12}" + "".join(f"{row['head']:>{wide}}" for row in rows)]
        for name in CLASSES:
            precisions = (row["ap50_per_class"][name] for row in rows)
            texts = ("-" if ap is None else f"{ap:.3f}" for ap in precisions)
            figures = "".join(f"{text:>{wide}}" for text in texts)
            lines.append(f"{name:12}{figures}")
    for row in rows:
        if single := row.get("single_garments"):
            share = f"{single['top1']:.1%} of {single['n']}"
            lines.append(f"{row['head']}: {share} photos of one garment named rightly")
    return "\n".join(lines)


def tracks_table(rows: Sequence[dict[str, Any]]) -> str:
    """Two lines a video, of `Steadiness.to_dict` with `video` and whether it is `tracked`."""
    titles = ("boxes/frame", "ids", "s an id", "flips", "flips/s", "gaps", "gaps/s")
    sizes = ("boxes_per_frame", "tracks", "mean_track_seconds")
    keys = (*sizes, "flips", "flips_per_track_second", "gaps", "gaps_per_track_second")
    lines = [f"{'video':20}{'tracks':8}" + "".join(f"{title:>12}" for title in titles)]
    for row in rows:
        name = f"{row['video']:20}{'with' if row['tracked'] else 'without':8}"
        lines.append(name + "".join(f"{_short(row[key]):>12}" for key in keys))
    lines += ["", "part of the frames that shows each name, with tracks"]
    for row in rows:
        if row["tracked"]:
            parts = (f"{name} {part:.0%}" for name, part in row["showing"].items())
            lines.append(f"{row['video']:20}" + (", ".join(parts) or "none"))
    return "\n".join(lines)


def _figure(figure: float | int | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:.3f}" if isinstance(figure, float) else f"{figure:,}"


def _short(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:.2f}" if isinstance(figure, float) else str(figure)
