"""The camera's faults: never the size or type, none at all at 0."""

import numpy as np
import pytest

from detector.synthesis.lens import photograph


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
