"""Scenes: repeatable, boxes true to what can be seen, empty frames among them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from detector.scene import Scene
from detector.synthesis.backgrounds import TRAIN, Backgrounds, procedural
from detector.synthesis.garments import Garments
from detector.synthesis.scenes import FAIR, TRAINING, Style, held_out, render

CLEAN = Style(decoys=0, occluders=0, rough=0.0, shadows=0.0, contrast=40.0, weave=0.0)


@pytest.fixture(scope="module")
def garments() -> Garments:
    """Twenty shirts-like blocks with sleeves and a gradient of gray."""
    images = np.zeros((20, 28, 28), np.uint8)
    images[:, 2:26, 8:20] = 150
    images[:, 4:10, 1:27] = np.arange(26, dtype=np.uint8)[None, None] * 4 + 100
    return Garments(images, images > 0, np.arange(20) % 10)


@pytest.fixture(scope="module")
def background() -> Backgrounds:
    return procedural(TRAIN, np.random.default_rng(0), pool_size=10, side=200)


def black(_: np.random.Generator, size_wh: tuple[int, int]) -> np.ndarray:
    return np.zeros((size_wh[1], size_wh[0], 3), np.uint8)


def same(a: Scene, b: Scene) -> bool:
    return (
        np.array_equal(a.frame, b.frame)
        and np.array_equal(a.xyxy, b.xyxy)
        and np.array_equal(a.labels, b.labels)
    )


def scenes(
    garments: Garments, background: Backgrounds, style: Style, count: int = 40
) -> list[Scene]:
    return [
        render(np.random.default_rng(seed), garments, (200, 160), background, style)
        for seed in range(count)
    ]


def test_the_same_seed_gives_the_same_scene(garments: Garments, background: Backgrounds) -> None:
    first = scenes(garments, background, TRAINING, 10)
    assert all(map(same, first, scenes(garments, background, TRAINING, 10)))
    assert not any(same(a, b) for a, b in itertools.pairwise(first))


@pytest.mark.parametrize("size_wh", [(256, 256), (321, 177), (77, 203), (640, 480)])
@pytest.mark.parametrize("style", [TRAINING, FAIR], ids=["training", "fair"])
def test_a_scene_has_the_size_and_types_that_are_asked(
    garments: Garments, background: Backgrounds, size_wh: tuple[int, int], style: Style
) -> None:
    for seed in range(4):
        scene = render(np.random.default_rng(seed), garments, size_wh, background, style)
        assert scene.frame.shape == (size_wh[1], size_wh[0], 3)
        assert scene.frame.dtype == np.uint8
        assert scene.xyxy.dtype == np.float32
        assert scene.labels.dtype == np.int64
        assert scene.xyxy.shape == (len(scene.labels), 4)


def test_boxes_lie_inside_of_the_frame_and_are_not_empty(
    garments: Garments, background: Backgrounds
) -> None:
    boxes = np.concatenate([s.xyxy for s in scenes(garments, background, TRAINING)])
    assert len(boxes) > 40
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= (200, 160)).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_a_box_is_where_the_frame_has_changed(garments: Garments) -> None:
    seen = 0
    for seed in range(200):
        scene = render(np.random.default_rng(seed), garments, (200, 160), black, CLEAN)
        if len(scene.labels) != 1:
            continue
        seen += 1
        rows, columns = np.nonzero(scene.frame.any(axis=2))
        found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        # The edge is one or two pixels wide and the box ends where it is half opaque.
        assert np.abs(found - scene.xyxy[0]).max() <= 3, seed
    assert seen > 20


def test_some_frames_are_empty_and_some_are_full(
    garments: Garments, background: Backgrounds
) -> None:
    counts = [len(s.labels) for s in scenes(garments, background, TRAINING, 150)]
    assert 3 <= counts.count(0) <= 40
    assert max(counts) >= 5


def test_no_garments_give_empty_scenes(background: Backgrounds) -> None:
    none = Garments(
        np.zeros((0, 28, 28), np.uint8), np.zeros((0, 28, 28), bool), np.zeros(0, np.int64)
    )
    scene = render(np.random.default_rng(0), none, (64, 48), background)
    assert scene.xyxy.shape == (0, 4)
    assert scene.labels.shape == (0,)


def test_the_longest_garments_nearly_fill_the_frame(garments: Garments) -> None:
    close = replace(CLEAN, shortest=0.9, longest=1.0)
    found = [s for s in (scenes(garments, Backgrounds((np.zeros((9, 9, 3), np.uint8),)), close))]
    heights = [box[3] - box[1] for s in found for box in s.xyxy]
    assert max(heights) > 0.85 * 160


def test_a_shorter_held_out_set_is_the_beginning_of_a_longer_one(garments: Garments) -> None:
    ten = list(held_out(garments, 10, seed=3, size_wh=(160, 120)))
    five = list(held_out(garments, 5, seed=3, size_wh=(160, 120)))
    assert len(ten) == 10
    assert all(map(same, five, ten[:5]))
    assert not same(ten[0], next(held_out(garments, 1, seed=4, size_wh=(160, 120))))
