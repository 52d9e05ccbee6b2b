"""Scenes: repeatable, boxes true to what can be seen, empty frames among them."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detector.boxes import iou
from detector.scene import Scene
from detector.synthesis.backgrounds import Backgrounds, procedural
from detector.synthesis.garments import Garments
from detector.synthesis.held_out_textures import HELD_OUT
from detector.synthesis.scenes import FAIR, TRAINING, Style, held_out, render
from detector.synthesis.textures import Painter
from detector.synthesis.training_textures import TRAIN

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


def test_a_label_is_that_of_the_garment_in_its_box() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 2:26, 10:18] = images[1, 10:18, 2:26] = 150  # a high one, a wide one
    pair = Garments(images, images > 0, np.array([3, 8]))
    upright = replace(CLEAN, turn=0.0, far_turn=0.0, visible=0.9)
    labels = []
    for scene in scenes(pair, Backgrounds((np.zeros((9, 9, 3), np.uint8),)), upright):
        sides = scene.xyxy[:, 2:] - scene.xyxy[:, :2]
        np.testing.assert_array_equal(scene.labels, np.where(sides[:, 0] > sides[:, 1], 8, 3))
        labels += scene.labels.tolist()
    assert min(labels.count(3), labels.count(8)) > 20


def test_a_detector_is_judged_on_backgrounds_that_training_never_shows(
    garments: Garments, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(family: Mapping[str, Painter], *more: Any, **others: Any) -> Backgrounds:
        asked.append(set(family))
        return procedural(family, *more, **others)

    monkeypatch.setattr("detector.synthesis.scenes.procedural", noted)
    next(held_out(garments, 1, seed=0, size_wh=(64, 48)))
    assert asked == [set(HELD_OUT)] and not set(HELD_OUT) & set(TRAIN)


def test_a_detector_is_judged_on_frames_that_are_fair(
    garments: Garments, monkeypatch: pytest.MonkeyPatch
) -> None:
    styles = []

    def noted(*given: Any) -> Scene:
        styles.append(given[-1])
        return render(*given)

    monkeypatch.setattr("detector.synthesis.scenes.render", noted)
    list(held_out(garments, 2, seed=0, size_wh=(64, 48)))
    assert styles == [FAIR, FAIR]


def test_garments_come_everywhere_in_a_wide_frame_and_in_a_high_one(garments: Garments) -> None:
    for size_wh in ((240, 80), (80, 240)):
        made = [
            render(np.random.default_rng(seed), garments, size_wh, black, CLEAN)
            for seed in range(60)
        ]
        xyxy = np.concatenate([scene.xyxy for scene in made]) / np.tile(size_wh, 2)
        middles = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        assert len(middles) > 60
        np.testing.assert_allclose(middles.mean(0), 0.5, atol=0.1)
        assert middles.min() < 0.2 and (middles.max(0) > 0.8).all()


def test_most_frames_are_as_a_cheap_camera_has_them(
    garments: Garments, background: Backgrounds
) -> None:
    rough = scenes(garments, background, TRAINING)
    clear = scenes(garments, background, replace(TRAINING, rough=0.0))
    changed = [not np.array_equal(a.frame, b.frame) for a, b in zip(rough, clear, strict=True)]
    assert 0.6 < np.mean(changed) < 1
    for a, b in zip(rough, clear, strict=True):
        np.testing.assert_array_equal(a.xyxy, b.xyxy)
        assert np.abs(a.frame.mean() - b.frame.mean()) < 60


def test_a_style_says_how_much_of_a_garment_may_be_hidden() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    images[:, 2:26, 6:22] = 150
    blocks = Garments(images, images > 0, np.array([3]))
    background = Backgrounds((np.zeros((9, 9, 3), np.uint8),))
    overlaps = {}
    for visible in (0.4, 1.0):
        style = replace(CLEAN, turn=0.0, far_turn=0.0, visible=visible)
        made = scenes(blocks, background, style)
        overlaps[visible] = max(np.triu(iou(s.xyxy, s.xyxy), 1).max(initial=0) for s in made)
    assert overlaps[0.4] > 0.1 and overlaps[1.0] < 0.03
