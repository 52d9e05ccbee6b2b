"""The camera's faults: never the size or type, none at all at 0."""

import cv2
import numpy as np
import pytest

from detector.synthesis import lens
from detector.synthesis.lens import photograph, softened


@pytest.mark.parametrize("size_hw", [(1, 1), (33, 47), (1100, 1200)])
def test_faults_keep_size_and_type(size_hw: tuple[int, int]) -> None:
    frame = np.full((*size_hw, 3), 120, np.uint8)
    for seed in range(12):
        photo = photograph(np.random.default_rng(seed), frame)
        assert photo.shape == frame.shape and photo.dtype == np.uint8
        assert abs(float(photo.mean()) - 120) < 90


def test_roughness_zero_changes_nothing_and_a_seed_repeats() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    for seed in range(12):
        assert photograph(np.random.default_rng(seed), frame, rough=0.0) is frame
        one, two = (photograph(np.random.default_rng(seed), frame) for _ in range(2))
        assert np.array_equal(one, two)


def test_what_is_soft_keeps_its_size_its_brightness_and_its_place() -> None:
    frame = np.full((480, 640, 3), 40, np.uint8)
    frame[200:280, 280:360] = 200
    rows, columns = np.mgrid[:480, :640]
    changed = 0
    for seed in range(200):
        photo = softened(np.random.default_rng(seed), frame)
        assert photo.shape == frame.shape
        assert photo.dtype == np.uint8
        assert abs(photo.mean() - frame.mean()) < 1
        light = photo[..., 0].astype(float) - 40
        centre = (rows * light).sum() / light.sum(), (columns * light).sum() / light.sum()
        assert np.abs(np.subtract(centre, (239.5, 319.5))).max() < 0.5
        changed += photo is not frame
        assert (photo is frame) or not np.array_equal(photo, frame)
    assert 0.3 < changed / 200 < 0.5


def test_a_movement_spreads_a_point_along_a_line_of_its_length() -> None:
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1
    for angle in (0.0, 0.6, np.pi / 2, 2.5):
        spread = cv2.filter2D(point, -1, lens.motion_kernel(12, angle))
        rows, columns = np.nonzero(spread > 0.01)
        along = (columns - 20) * np.cos(angle) + (rows - 20) * np.sin(angle)
        across = (rows - 20) * np.cos(angle) - (columns - 20) * np.sin(angle)
        assert abs(np.ptp(along) - 12) < 2
        assert np.abs(across).max() < 1.5
        assert abs(spread.sum() - 1) < 1e-5
