"""A cut is another picture; movement, noise and a change of light are none."""

import numpy as np
import pytest
from jaxtyping import UInt8

from detector.synthesis.held_out_textures import street
from detector.tracking.scene_cuts import Cuts


def cuts(*frames: UInt8[np.ndarray, "_ _ 3"]) -> list[bool]:
    is_cut = Cuts()
    return [is_cut(frame) for frame in frames]


@pytest.fixture(scope="module")
def scenery() -> UInt8[np.ndarray, "_ _ 3"]:
    return street(np.random.default_rng(0), 800)


def test_another_scene_is_a_cut_and_the_first_frame_is_none(
    scenery: UInt8[np.ndarray, "_ _ 3"],
) -> None:
    night = (scenery // 5).astype(np.uint8)
    assert cuts(scenery, scenery, night, night, scenery) == [False, False, True, False, True]


def test_a_camera_that_turns_quickly_is_none(scenery: UInt8[np.ndarray, "_ _ 3"]) -> None:
    assert not any(cuts(*(scenery[:360, x : x + 640] for x in range(0, 160, 40))))


def test_noise_and_a_little_less_light_are_none() -> None:
    rng = np.random.default_rng(0)
    noisy = [rng.normal(level, 9, (360, 640, 3)).clip(0, 255) for level in (48, 41, 35, 41, 48)]
    assert not any(cuts(*(frame.astype(np.uint8) for frame in noisy)))


def test_something_large_that_enters_is_none(scenery: UInt8[np.ndarray, "_ _ 3"]) -> None:
    entered = scenery.copy()
    entered[:, :200] = 0
    assert not any(cuts(scenery, entered, scenery))


def test_a_picture_of_another_size_is_one(scenery: UInt8[np.ndarray, "_ _ 3"]) -> None:
    turned = np.ascontiguousarray(np.rot90(scenery[:360, :640]))
    assert cuts(scenery[:360, :640], turned, turned) == [False, True, False]
    assert cuts(scenery, scenery[::2, ::2]) == [False, True]
