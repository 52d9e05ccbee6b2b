"""A grid at a camera: as large a look as keeps up."""

import time

import numpy as np
import pytest

from detector.boxes import Detections
from detector.grid import Grid
from detector.live.keep_up import LEAST_SIZE, STEP, keep_up


class Timed(Grid):
    """Stands for a grid of 352 pixels; a clock of its own goes on while it looks."""

    def __init__(self, seconds: float) -> None:
        self.image_size = 352
        self.clock = 0.0
        self._a_pixel = seconds / 352**2

    def __call__(self, frame: np.ndarray, confidence: float = 0.25) -> Detections:
        self.clock += self._a_pixel * self.image_size**2
        return Detections.empty()


def grid_of(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Timed:
    grid = Timed(seconds)
    monkeypatch.setattr(time, "perf_counter", lambda: grid.clock)
    return grid


@pytest.mark.parametrize("seconds", [0.001, 0.04])
@pytest.mark.parametrize("image_size", [352, 350])
def test_who_keeps_up_looks_as_always(
    seconds: float, image_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = grid_of(seconds, monkeypatch)
    grid.image_size = image_size
    assert not keep_up(grid, 0.04) and grid.image_size == image_size


@pytest.mark.parametrize("seconds", [0.041, 0.06, 0.08])
def test_who_does_not_looks_smaller_until_it_does(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = grid_of(seconds, monkeypatch)
    assert keep_up(grid, 0.04)
    assert grid.image_size % STEP == 0
    before = grid.clock
    grid(np.zeros((1, 1, 3), np.uint8))
    assert grid.clock - before <= 0.04
    assert not keep_up(grid, 0.04)


def test_there_is_a_least_look(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of(10.0, monkeypatch)
    assert keep_up(grid, 0.04) and grid.image_size == LEAST_SIZE
    assert not keep_up(grid, 0.04)
