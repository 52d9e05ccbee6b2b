"""Pictures of where a detector errs most: what it missed, named wrongly, or saw in nothing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detector.boxes import Detections, Picture, iou
from detector.defaults import CONFIDENCE
from detector.evaluation.metrics import fits, label_name, match
from detector.output.draw import draw
from detector.output.sheet import contact_sheet
from detector.scene import Scene
from fmnist.classes import CLASSES, OTHER

PICTURES = 12
COLUMNS = 6
WIDTH = 2400  # pixels of the sheet


class Errors(NamedTuple):
    """Of one frame: boxes xyxy, and what is wrong with each of them, in words."""

    xyxy: np.ndarray
    texts: list[str]


def worst(found: Sequence[Detections], scenes: Sequence[Scene]) -> Picture:
    """The frames with most errors on one sheet, the worst first. There has to be a frame."""
    errors = [errors_of(sure(d), scene) for d, scene in zip(found, scenes, strict=True)]
    order = sorted(range(len(scenes)), key=lambda i: -len(errors[i].texts))[:PICTURES]
    return contact_sheet([_picture(scenes[i], errors[i]) for i in order], COLUMNS, WIDTH)


def sure(found: Detections) -> Detections:
    """Those that `fmnist detect` would show."""
    return found.select(found.confidence >= CONFIDENCE)


def errors_of(found: Detections, scene: Scene) -> Errors:
    """Garments that no box matches (IoU >= 0.5), wrong labels, and boxes on no garment."""
    box_of = match(found.xyxy, found.confidence, scene.xyxy)
    boxes: list[np.ndarray] = []
    texts: list[str] = []
    for box, label, xyxy in zip(box_of.tolist(), scene.labels.tolist(), scene.xyxy, strict=True):
        if box < 0 and label != OTHER:
            boxes.append(xyxy)
            texts.append(f"missed: {label_name(label)}")
        elif box >= 0 and not fits(said := int(found.labels[box]), label):
            boxes.append(found.xyxy[box])
            texts.append(f"{CLASSES[said]}, not {label_name(label)}")
    overlap = iou(found.xyxy, scene.xyxy).max(1, initial=0)
    for box in np.flatnonzero(overlap < 0.5).tolist():
        boxes.append(found.xyxy[box])
        texts.append(f"false: {CLASSES[int(found.labels[box])]}")
    return Errors(np.array(boxes, np.float32).reshape(-1, 4), texts)


def _picture(scene: Scene, errors: Errors) -> Picture:
    count = len(errors.texts)
    even = np.full((count, len(CLASSES)), 1 / len(CLASSES), np.float32)
    shown = Detections(errors.xyxy, np.ones(count, np.float32), even)
    return draw(scene.frame, shown, errors.texts)
