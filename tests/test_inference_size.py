"""The size at which a grid looks at frames."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detector.boxes import Detections
from detector.grid import Grid
from detector.scene import Scene
from detector.training.inference_size import choose_inference_size


class Sighted(Grid):
    """Stands for a grid that finds the garment of a frame at some sizes."""

    def __init__(self, *sees: int) -> None:
        self.image_size = 0
        self._sees = sees

    def __call__(self, frame: np.ndarray, confidence: float = 0.25) -> Detections:
        if self.image_size not in self._sees:
            return Detections.empty()
        return Detections(XYXY, np.ones(1, np.float32), np.full((1, 10), 0.1, np.float32))


XYXY = np.array([[2, 2, 30, 30]], np.float32)
SCENE = Scene(np.zeros((32, 32, 3), np.uint8), XYXY, np.zeros(1, np.int64))


def chosen(*sees: int) -> tuple[int, Any]:
    return choose_inference_size(Sighted(*sees), 320, {"": [SCENE], "photos ": [SCENE]})


def test_the_grid_looks_with_it_from_then_on() -> None:
    grid = Sighted(256, 320, 352)
    told: list[str] = []
    size, _ = choose_inference_size(grid, 320, {"": [SCENE]}, told.append)
    assert grid.image_size == size == 256
    assert told[:2] == ["224 px  mAP50 0", "256 px  mAP50 1"]


def test_the_smallest_of_the_best_is_taken() -> None:
    size, told = chosen(256, 320, 352)
    assert size == 256
    assert list(told) == ["224", "256", "288", "320", "352"]
    assert told["288"] == {"mAP50": 0.0, "photos mAP50": 0.0}
    assert told["352"]["photos mAP50"] > 0.99


def test_a_larger_look_is_taken_where_only_that_is_good() -> None:
    assert chosen(352)[0] == 352


@pytest.mark.parametrize(("wrong", "taken"), [(1, 256), (2, 352)])
def test_a_smaller_look_may_cost_half_a_point(wrong: int, taken: int) -> None:
    """Beside 250 boxes that are right a surer one that is wrong costs 0.4 points."""

    class Dazzled(Sighted):
        def __call__(self, frame: np.ndarray, confidence: float = 0.25) -> Detections:
            found, is_wrong = super().__call__(frame, confidence), frame[0, 0, 0] < wrong
            if self.image_size < 352:
                return replace(found, confidence=found.confidence * (1.0 if is_wrong else 0.5))
            return Detections.empty() if is_wrong else found

    frames = [np.full((32, 32, 3), number, np.uint8) for number in range(250 + wrong)]
    sets = {"": [replace(SCENE, frame=frame) for frame in frames]}
    for number in range(wrong):
        sets[""][number] = Scene(frames[number], Detections.empty().xyxy, np.zeros(0, np.int64))
    assert choose_inference_size(Dazzled(256, 352), 320, sets)[0] == taken


def test_where_sets_disagree_it_is_the_size_of_training() -> None:
    class Torn(Sighted):
        def __call__(self, frame: np.ndarray, confidence: float = 0.25) -> Detections:
            wanted = 256 if len(frame) == 32 else 352
            return (
                super().__call__(frame, confidence)
                if self.image_size == wanted
                else Detections.empty()
            )

    other = replace(SCENE, frame=np.zeros((64, 32, 3), np.uint8))
    sets = {"": [SCENE], "photos ": [other]}
    assert choose_inference_size(Torn(256, 352), 320, sets)[0] == 320
