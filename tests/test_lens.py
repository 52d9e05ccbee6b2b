"""The camera's faults: never the size or type, none at all at 0."""

import numpy as np
import pytest

from detector.synthesis.lens import moved, photograph


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


def test_what_moves_keeps_its_light_and_smears_along_one_line() -> None:
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[50, 50] = 250
    widest = 0
    for seed in range(12):
        smeared = moved(np.random.default_rng(seed), dot, 0.1)
        y, x = np.nonzero(smeared[..., 0])
        assert abs(int(smeared[..., 0].sum()) - 250) <= len(x)  # each pixel is rounded
        assert abs(float(x.mean()) - 50) < 0.6 and abs(float(y.mean()) - 50) < 0.6
        widest = max(widest, int(np.ptp(x)), int(np.ptp(y)))
        assert len(x) <= max(np.ptp(x), np.ptp(y)) + 1, "a line, not a spot"
    assert 5 <= widest <= 11
    assert np.array_equal(moved(np.random.default_rng(0), dot, 0.0), dot)
