"""The demo clip: so many frames, the same each time, smooth, with garments in it."""

import numpy as np
import pytest

from detector.synthesis.clip import clip
from detector.synthesis.garments import Garments


@pytest.fixture(scope="module")
def garments() -> Garments:
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 3:25, 6:22] = 160
    return Garments(images, images > 0, np.arange(10))


def frames(garments: Garments, seed: int, seconds: float = 0.4, fps: float = 25) -> np.ndarray:
    return np.stack(list(clip(garments, seed, seconds, fps, (320, 180))))


def test_a_clip_has_its_frames_and_repeats_with_its_seed(garments: Garments) -> None:
    first = frames(garments, 1)
    assert first.shape == (10, 180, 320, 3)
    assert np.array_equal(first, frames(garments, 1))
    assert not np.array_equal(first, frames(garments, 2))


def test_it_moves_but_smoothly(garments: Garments) -> None:
    steps = np.abs(np.diff(frames(garments, 1).astype(int), axis=0)).mean(axis=(1, 2, 3))
    assert (steps > 0.05).all()
    assert steps.max() < 3 * steps.min() + 2


def test_without_garments_there_is_no_clip(garments: Garments) -> None:
    none = Garments(garments.images[:0], garments.silhouettes[:0], garments.labels[:0])
    with pytest.raises(ValueError, match="garment"):
        next(clip(none, 0, 1, 25, (320, 180)))
