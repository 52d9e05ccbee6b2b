"""The table that a user decides by: our grid with every head, and what others train."""

from collections.abc import Mapping, Sequence
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
    heads: Mapping[str, Head | None],
    peers: Sequence[Peer],
    scenes: Sequence[Scene],
    photos: Sequence[Path],
) -> tuple[list[Row], list[Detections]]:
    """A row for each head, None being the grid's own classes, and for each peer.

    Each has its figures on the scenes, if there are any, its milliseconds a frame and parameters,
    and, for a head, its figures on the photos of one garment. Beside the rows: what the last head
    found.
    """
    singles = name_singles(grid, list(heads.values()), photos)
    judged = compare_heads(grid, list(heads.values()), scenes) if scenes else []
    rows: list[Row] = []
    for i, (name, head) in enumerate(heads.items()):
        row: Row = {"head": name, "parameters": grid.parameters + (head.parameters if head else 0)}
        if judged:
            row |= _figures(judged[i], scenes)
        if single := singles[i]:
            row["single_garments"] = single
        rows.append(row)
    for peer in peers if scenes else ():
        facts = {"head": peer.name, "parameters": peer.parameters}
        # Of its classes it tells no probabilities that could be right or wrong.
        rows.append(facts | _figures(judge_detector(peer, scenes), scenes, calibrated=False))
    return rows, judged[-1].found if judged else []


def _figures(judged: Judged, scenes: Sequence[Scene], calibrated: bool = True) -> Row:
    row = from_detections(judged.found, scenes).to_dict()
    row["milliseconds"] = judged.milliseconds
    if not calibrated:
        row["calibration_error"] = None
    return row
