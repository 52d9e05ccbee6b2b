"""What a detector did wrong, in words and pictures."""

import numpy as np

from detector.boxes import Detections
from detector.evaluation.misses import errors_of, worst
from detector.scene import Scene
from fmnist.classes import FOOTWEAR, OTHER

FRAME = np.zeros((100, 100, 3), np.uint8)
BOXES = np.array([[0, 0, 20, 20], [30, 0, 50, 20], [60, 0, 80, 20]], np.float32)


def found(xyxy: np.ndarray, labels: list[int]) -> Detections:
    confidence = np.full(len(labels), 0.9, np.float32)
    return Detections(xyxy, confidence, np.eye(10, dtype=np.float32)[labels])


def test_errors_are_named() -> None:
    scene = Scene(FRAME, BOXES, np.array([4, 3, FOOTWEAR]))
    seen = np.array([[0, 0, 20, 20], [60, 0, 80, 20], [0, 60, 20, 80]], np.float32)
    errors = errors_of(found(seen, [2, 9, 8]), scene)
    assert errors.texts == ["Pullover, not Coat", "missed: Dress", "false: Bag"]


def test_another_garment_need_not_be_found_but_has_no_class() -> None:
    scene = Scene(FRAME, BOXES[:1], np.array([OTHER]))
    assert errors_of(Detections.empty(), scene).texts == []
    assert errors_of(found(BOXES[:1], [3]), scene).texts == ["Dress, not another garment"]


def test_the_sheet_begins_with_the_worst() -> None:
    bright = np.full((100, 100, 3), 255, np.uint8)
    scenes = [Scene(FRAME, BOXES[:1], np.array([1])), Scene(bright, BOXES, np.array([1, 2, 3]))]
    sheet = worst([found(BOXES[:1], [1]), Detections.empty()], scenes)
    middle = sheet.shape[1] // 2
    assert sheet[:, :middle].mean() > 100 > sheet[:, middle:].mean()
