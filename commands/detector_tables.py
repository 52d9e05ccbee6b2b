"""The tables that the commands print of detectors: plain text from the figures of a JSON row."""

from collections.abc import Sequence
from typing import Any

from fmnist.classes import CLASSES

COLUMNS = {
    "agnostic_map50": "any AP50",
    "agnostic_map50_95": "any 50-95",
    "map50": "ten mAP50",
    "map50_95": "ten 50-95",
    "label_accuracy": "labels",
    "calibration_error": "ECE",
    "shown_recall": "recall",
    "shown_precision": "precision",
    "milliseconds": "ms",
    "parameters": "parameters",
}


def detector_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line a head, of `DetectorEvaluation.to_dict` with the name of the `head`."""
    lines = []
    wide = max(12, *(len(row["head"]) + 1 for row in rows))
    if "frames" in rows[0]:
        lines.append(f"{rows[0]['frames']} frames, {rows[0]['garments']} garments")
        titles = "".join(f"{title:>11}" for title in COLUMNS.values())
        lines.append(f"{'head':{wide}}{titles}")
        for row in rows:
            figures = "".join(f"{_figure(row[key]):>11}" for key in COLUMNS)
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
    wide = max(20, *(len(row["video"]) + 2 for row in rows))
    lines = [f"{'video':{wide}}{'tracks':8}" + "".join(f"{title:>12}" for title in titles)]
    for row in rows:
        name = f"{row['video']:{wide}}{'with' if row['tracked'] else 'without':8}"
        lines.append(name + "".join(f"{_figure(row[key], 2):>12}" for key in keys))
    lines += ["", "part of the frames that shows each name, with tracks"]
    for row in rows:
        if row["tracked"]:
            parts = (f"{name} {part:.0%}" for name, part in row["showing"].items())
            lines.append(f"{row['video']:{wide}}" + (", ".join(parts) or "none"))
    return "\n".join(lines)


def _figure(figure: float | int | None, digits: int = 3) -> str:
    if figure is None:
        return "-"
    return f"{figure:.{digits}f}" if isinstance(figure, float) else f"{figure:,}"
