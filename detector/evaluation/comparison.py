"""The table that a user decides by: our grid with every head, and what others train."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from detector.boxes import AnyDetector, Detections
from detector.defaults import CONFIDENCE
from detector.evaluation.faults import spoiled
from detector.evaluation.metrics import LEAST_CONFIDENCE, fits, from_detections, label_name
from detector.evaluation.peer import Peer
from detector.grid import Grid
from detector.head import Head
from detector.photos.folder import validation_part
from detector.pipeline import Detector, fuse
from detector.scene import Scene
from detector.single import SURE_OF_ONE, name_single
from fmnist.classes import OTHER
from fmnist.training.run_folder import name_of_weights

Row = dict[str, Any]
TIMED = 40  # scenes are enough for a median


class Judged(NamedTuple):
    """What was found, scene by scene, and the median of the milliseconds that a scene took."""

    found: list[Detections]
    milliseconds: float


def rows_of(
    grid: Grid,
    heads: Sequence[tuple[str, Head | None]],
    peers: Sequence[Peer],
    scenes: Sequence[Scene],
    photos: Sequence[Path],
    faults: Sequence[str] = (),
) -> tuple[list[Row], list[Detections]]:
    """A row for each head, by its name, None being the grid's own classes, and for each peer.

    The last head has one for each of the `faults` with which it sees the scenes, too.

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
    name, head = heads[-1]
    for fault in faults if judged else ():
        worse = spoiled(scenes, fault)
        row = {"head": f"{name}, {fault}", "parameters": rows[-1]["parameters"], "fault": fault}
        rows.append(row | _figures(compare_heads(grid, [head], worse)[0], worse))
    for name, peer in zip(shortest([peer.name for peer in peers]), peers, strict=True):
        row = {"head": name, "parameters": peer.parameters, "image_size": peer.image_size}
        row |= _figures(judge_detector(peer, scenes), scenes)
        row["precision"], row["backend"] = "fp32", "ultralytics"
        row["calibration_error"] = None  # it tells no probabilities that could be right or wrong
        rows.append(row)
    return rows, judged[-1].found if judged else []


def shortest(names: Sequence[str]) -> list[str]:
    """The names of files without folder and suffix, where that still tells them apart."""
    files = [Path(name) for name in names]  # a shipped one is none in this folder
    stems = [name_of_weights(file) if file.is_file() else file.stem for file in files]
    return stems if len(set(stems)) == len(stems) else list(names)


def _figures(judged: Judged, scenes: Sequence[Scene]) -> Row:
    figures = from_detections(judged.found, scenes).to_dict()
    return figures | {"milliseconds": judged.milliseconds}


def compare_heads(
    grid: Grid, heads: Sequence[Head | None], scenes: Sequence[Scene]
) -> list[Judged]:
    """What each head makes of the boxes of one grid; None: the grid's own classes.

    Boxes from `LEAST_CONFIDENCE` on, as average precision wants them. The milliseconds are those
    of grid and head together, for boxes of the confidence that is shown: CONFIDENCE.
    """
    boxes = [grid(scene.frame, LEAST_CONFIDENCE) for scene in scenes]
    judged = []
    for head in heads:
        found = [fuse(head, s.frame, its) for its, s in zip(boxes, scenes, strict=True)]
        judged.append(Judged(found, _milliseconds(Detector(grid, head, CONFIDENCE), scenes)))
    return judged


def judge_detector(detector: Callable[..., Detections], scenes: Sequence[Scene]) -> Judged:
    """The same for any other detector: a function of a frame and the least confidence."""
    found = [detector(scene.frame, LEAST_CONFIDENCE) for scene in scenes]
    return Judged(found, _milliseconds(lambda frame: detector(frame, CONFIDENCE), scenes))


def _milliseconds(detector: AnyDetector, scenes: Sequence[Scene]) -> float:
    times = []
    for scene in scenes[: TIMED + 1]:
        before = time.perf_counter()
        detector(scene.frame)
        times.append(1000 * (time.perf_counter() - before))
    return statistics.median(times[1:] or times)  # the first one warms up


def name_singles(
    grid: Grid, heads: Sequence[Head | None], folders: Sequence[Path]
) -> list[dict[str, Any] | None]:
    """How many photos of one garment (validation parts) each head names rightly.

    None without photos or without a head. Garments of none of the classes are left out; of
    footwear any kind of shoe is right.
    """
    of: Counter[str] = Counter()
    right: list[Counter[str]] = [Counter() for _ in heads]
    for listing in map(validation_part, folders):
        for image, label in listing.singles():
            if label == OTHER:
                continue
            of[label_name(label)] += 1
            found = grid(image, SURE_OF_ONE)
            for head, its in zip(heads, right, strict=True):
                if head:
                    named = name_single(found, head, image)
                    its[label_name(label)] += fits(int(named.probabilities.argmax()), label)
    return [_top1(its, of) if head and of else None for head, its in zip(heads, right, strict=True)]


def _top1(right: Counter[str], of: Counter[str]) -> dict[str, Any]:
    per_group = {name: right[name] / of[name] for name in sorted(of)}
    return {"n": of.total(), "top1": right.total() / of.total(), "top1_per_group": per_group}
