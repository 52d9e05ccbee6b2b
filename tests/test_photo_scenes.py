"""Frames made of photos."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.frame_sets import photo_scenes
from detector.photos.empty import strips_beside
from detector.photos.folder import listing
from detector.photos.photo import Photo, from_mask, of_single
from detector.photos.places import WHOLE
from detector.photos.scenes import RARE, PhotoScenes, odds
from detector.photos.try_on import ABOVE_THE_WAIST
from detector.synthesis.backgrounds import procedural
from detector.synthesis.training_textures import TRAIN
from fmnist.classes import CLASSES, OTHER
from fmnist.errors import InputError
from tests.photo_folders import NAMES, picture, street_mask, with_boxes


def people(count: int = 4) -> tuple[Photo, ...]:
    return tuple(from_mask(str(i), picture(i), street_mask(), list(NAMES)) for i in range(count))


def with_labels(*labels: int) -> Photo:
    boxes = np.tile(np.array([0, 0, 8, 8], np.float32), (len(labels), 1))
    return Photo(np.zeros((8, 8, 3), np.uint8), boxes, np.array(labels, np.int64))


def scenes(with_people: bool = True) -> PhotoScenes:
    image = np.full((80, 60, 3), 110, np.uint8)
    image[20:60, 15:45] = (200, 0, 60)
    single = of_single(image, 3)
    assert single is not None
    behind = procedural(TRAIN, np.random.default_rng(0), 4, side=64)
    return PhotoScenes(people() if with_people else (), (single,), behind)


def test_boxes_lie_in_the_frame_and_have_labels() -> None:
    make = scenes()
    total = 0
    for seed in range(30):
        scene = make(np.random.default_rng(seed), (96, 64))
        assert scene.frame.shape == (64, 96, 3) and scene.frame.dtype == np.uint8
        assert len(scene.xyxy) == len(scene.labels)
        assert (scene.xyxy >= 0).all() and (scene.xyxy <= [96, 64, 96, 64]).all()
        assert (scene.xyxy[:, 2:] > scene.xyxy[:, :2]).all()
        total += len(scene.labels)
    assert total > 30


def test_the_same_seed_makes_the_same_frame_in_another_process_too() -> None:
    make = scenes()
    again = pickle.loads(pickle.dumps(make))
    for seed in range(5):
        first = make(np.random.default_rng(seed), (64, 64))
        second = again(np.random.default_rng(seed), (64, 64))
        np.testing.assert_array_equal(first.frame, second.frame)
        np.testing.assert_array_equal(first.xyxy, second.xyxy)


def test_photos_with_boxes_alone_make_frames_too(tmp_path: Path) -> None:
    photos = tuple(listing(with_boxes(tmp_path)).photos())
    behind = procedural(TRAIN, np.random.default_rng(0), 4, side=64)
    for kind in (0, 1, 3):  # whole, in columns, near: as they are, since none can be cut out
        make = PhotoScenes(photos, (), behind, tuple(np.eye(5)[kind]))
        found = [make(np.random.default_rng(seed), (64, 64)).labels.tolist() for seed in range(12)]
        assert any(found)


def test_photos_without_any_garment_are_told(tmp_path: Path) -> None:
    folder = with_boxes(tmp_path)
    for file in (folder / "labels").iterdir():
        file.unlink()
    behind = procedural(TRAIN, np.random.default_rng(0), 4, side=64)
    with pytest.raises(InputError, match="no garment in any photo"):
        photo_scenes([folder], behind)


def test_somebody_near_is_large() -> None:
    make = replace(scenes(), shares=(0, 0, 0, 1, 0))
    for seed in range(20):
        scene = make(np.random.default_rng(seed), (128, 96))
        tops = scene.xyxy[np.isin(scene.labels, list(ABOVE_THE_WAIST))]
        assert len(tops) == 1 and tops[0, 3] - tops[0, 1] > 0.35 * 96


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("size_wh", [(160, 90), (120, 120), (72, 96)])
def test_people_side_by_side_are_whole_in_frames_of_any_width(
    size_wh: tuple[int, int], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.photos.scenes.IN_TWO_ROWS", rows - 1)
    coat, skirt = CLASSES.index("Coat"), OTHER
    make = replace(scenes(), shares=(0, 1, 0, 0, 0))
    seen = [make(np.random.default_rng(seed), size_wh) for seed in range(20)]
    coats = np.concatenate([scene.xyxy[scene.labels == coat] for scene in seen])
    # Their photo is 60 pixels wide, 80 high, of which the coat takes 30.
    expected = rows * rows * sum(size_wh[0] / (size_wh[1] * 60 / 80) for _ in seen)
    assert 0.7 * expected < len(coats) < 1.5 * expected
    heights = rows * (coats[:, 3] - coats[:, 1]) / size_wh[1]
    assert 0.8 * WHOLE[0] < heights.min() / (30 / 80) and heights.max() / (30 / 80) < 1.2 * WHOLE[1]
    assert sum((scene.labels == skirt).sum() for scene in seen) > 0.6 * len(coats)


def test_some_people_wear_what_was_photographed_by_itself() -> None:
    dress = CLASSES.index("Dress")  # nobody in the photos wears one
    make = replace(scenes(), shares=(0, 0, 0, 1, 0))  # near, where no garment stands beside them
    shown = [dress in make(np.random.default_rng(seed), (96, 72)).labels for seed in range(60)]
    assert 0.15 < np.mean(shown) < 0.45


def test_a_kind_with_few_photos_is_put_on_as_often_as_others() -> None:
    (single,) = scenes().garments
    pullover, dress = CLASSES.index("Pullover"), CLASSES.index("Dress")
    hoodie = replace(single, kind="hoodie", labels=np.array([pullover]))
    garments = (*[replace(single, kind="dress")] * 9, hoodie)
    make = replace(scenes(), garments=garments, shares=(0, 0, 0, 1, 0))
    shown = np.concatenate([make(np.random.default_rng(i), (64, 48)).labels for i in range(120)])
    worn = np.sum(shown == pullover), np.sum(shown == dress)
    assert min(worn) >= 12 and max(worn) < 2 * min(worn)


def test_who_cannot_be_dressed_is_as_near_as_others() -> None:
    image = np.full((60, 240, 3), 110, np.uint8)
    image[20:40, 15:225] = (200, 0, 60)  # far too wide for anybody
    wide = of_single(image, CLASSES.index("Dress"))
    assert wide is not None
    make = replace(scenes(), garments=(wide,), shares=(0, 0, 0, 1, 0))
    for seed in range(20):
        scene = make(np.random.default_rng(seed), (128, 96))
        coats = scene.xyxy[scene.labels == CLASSES.index("Coat")]
        assert len(coats) == 1 and coats[0, 3] - coats[0, 1] > 0.35 * 96


def test_near_the_camera_a_rare_class_comes_as_often_as_others() -> None:
    others = ["sweater" if name == "coat" else name for name in NAMES]
    rare = from_mask("rare", picture(9), street_mask(), others)
    make = replace(scenes(), people=(*people(9), rare), shares=(0, 0, 0, 1, 0))
    pullover = CLASSES.index("Pullover")
    shown = [pullover in make(np.random.default_rng(i), (64, 48)).labels for i in range(60)]
    assert 18 <= sum(shown) <= 42


def test_without_people_there_are_single_garments() -> None:
    labels = [
        label
        for seed in range(20)
        for label in scenes(False)(np.random.default_rng(seed), (64, 64)).labels.tolist()
    ]
    assert set(labels) == {3}


def test_what_stands_beside_people_shows_none_of_them() -> None:
    strips = strips_beside(people())
    assert strips is not None
    widths = [strip.shape[1] for strip in strips.pictures]
    assert widths == [17] * 4, "18 pixels at the right, less the margin; a stray one is at the left"
    assert strips_beside(()) is None


def test_photos_of_rare_classes_come_more_often() -> None:
    common, rare, bare = (with_labels(*labels) for labels in ((1,), (1, 9), ()))
    chance = odds((common,) * 98 + (rare, bare))
    np.testing.assert_allclose(chance.sum(), 1)
    np.testing.assert_allclose(chance[98] / chance[0], np.sqrt(RARE * 100))
    assert chance[99] == chance[0]


def test_the_light_changes_and_colours_stay_in_their_order() -> None:
    orange = np.full((64, 64, 3), (60, 120, 220), np.uint8)
    photo = Photo(orange, np.array([[8, 8, 56, 56]], np.float32), np.array([4]))
    make = replace(scenes(), people=(photo,), garments=(), shares=(1, 0, 0, 0, 0))
    frames = [make(np.random.default_rng(seed), (64, 64)).frame for seed in range(120)]
    blue, green, red = np.array([frame.mean((0, 1)) for frame in frames]).T
    assert ((blue < green) & (green < red)).mean() > 0.85, "the others are gray"
    assert 15 < green.std() < 80
