"""The table that a user decides by: our grid with every head, and what others train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detector.boxes import Detections
from detector.evaluation import from_detections
from detector.grid import Grid
from detector.head import Head
from detector.peer import Peer
from detector.protocol import Judged, compare_heads, judge_detector, name_singles
from detector.synthesis.scenes import Scene

Row = dict[str, Any]


def rows_of(
    grid: Grid,
    heads: Sequence[tuple[str, Head | None]],
    peers: Sequence[Peer],
    scenes: Sequence[Scene],
    photos: Sequence[Path],
) -> tuple[list[Row], list[Detections]]:
    """A row for each head, by its name, None being the grid's own classes, and for each peer.

    Each has its figures on the scenes, if there are any, its milliseconds a frame and parameters,
    and, for a head, its figures on the photos of one garment. Beside the rows: what the last head
    found.
    """
    only = [head for _, head in heads]
    singles = name_singles(grid, only, photos)
    judged = compare_heads(grid, only, scenes) if scenes else []
    rows: list[Row] = []
    for i, (name, head) in enumerate(heads):
        row: Row = {"head": name, "parameters": grid.parameters + (head.parameters if head else 0)}
        if judged:
            row |= _figures(judged[i], scenes)
        if single := singles[i]:
            row["single_garments"] = single
        rows.append(row)
    for name, peer in zip(shortest([peer.name for peer in peers]), peers, strict=True):
        row = {"head": name, "parameters": peer.parameters, "image_size": peer.image_size}
        row |= _figures(judge_detector(peer, scenes), scenes)
        row["precision"], row["backend"] = "fp32", "ultralytics"
        row["calibration_error"] = None  # it tells no probabilities that could be right or wrong
        rows.append(row)
    return rows, judged[-1].found if judged else []


def shortest(names: Sequence[str]) -> list[str]:
    """The names of files without folder and suffix, where that still tells them apart."""
    stems = [Path(name).stem for name in names]
    return stems if len(set(stems)) == len(stems) else list(names)


def _figures(judged: Judged, scenes: Sequence[Scene]) -> Row:
    figures = from_detections(judged.found, scenes).to_dict()
    return figures | {"milliseconds": judged.milliseconds}
