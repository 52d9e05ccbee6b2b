"""Garments in other colours."""

import cv2
import numpy as np
import pytest

from detector.photos import dye
from detector.photos.dye import dyed, hue_shifted
from detector.photos.photo import Photo, from_mask
from fmnist.classes import FOOTWEAR
from tests.photo_folders import NAMES, street_mask, street_photo


def test_every_garment_changes_and_nothing_else() -> None:
    before = street_photo()
    after = dyed(np.random.default_rng(1), before, 1.0)
    assert before.owner is not None
    garments = (before.owner > 0) & (before.owner <= len(before.labels))
    around = cv2.dilate(garments.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inside = cv2.erode(garments.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    changed = (before.image != after.image).any(2)
    assert changed[inside].mean() > 0.9
    assert not changed[~around].any()
    np.testing.assert_array_equal(before.xyxy, after.xyxy)


def test_colours_are_drawn_and_folds_stay() -> None:
    before = street_photo()
    coat = street_mask() == NAMES.index("coat")
    lightness = [
        cv2.cvtColor(dyed(np.random.default_rng(seed), before, 1.0).image, cv2.COLOR_BGR2GRAY)[coat]
        for seed in range(20)
    ]
    means = [float(part.mean()) for part in lightness]
    assert min(means) < 70 and max(means) > 180
    middle = lightness[int(np.argmin(np.abs(np.subtract(means, 128))))]
    folds = cv2.cvtColor(before.image, cv2.COLOR_BGR2LAB)[..., 0][coat]
    assert np.corrcoef(folds, middle)[0, 1] > 0.6


def test_without_owners_or_share_a_photo_stays_as_it_is() -> None:
    rng = np.random.default_rng(0)
    one = street_photo()
    np.testing.assert_array_equal(dyed(rng, one, 0.0).image, one.image)
    boxes_alone = Photo(one.image, one.xyxy, one.labels)
    assert dyed(rng, boxes_alone, 1.0) is boxes_alone


def test_a_pair_of_shoes_has_one_colour_and_some_are_dressed_in_one() -> None:
    gray = np.full((*street_mask().shape, 3), 128, np.uint8)
    one = from_mask("a", gray, street_mask(), list(NAMES))
    assert one.owner is not None
    colours = []
    for seed in range(60):
        image = dyed(np.random.default_rng(seed), one, 0.5).image
        # The middle of each garment, away from its soft edge.
        at = [(one.xyxy[i, :2] + one.xyxy[i, 2:]).astype(int) // 2 for i in range(4)]
        colours.append([tuple(image[y, x].tolist()) for x, y in at])
    shoes = [i for i, label in enumerate(one.labels.tolist()) if label == FOOTWEAR]
    assert all(colour[shoes[0]] == colour[shoes[1]] for colour in colours)
    alike = [len(set(colour)) == 1 and colour[0] != (128, 128, 128) for colour in colours]
    assert 3 <= sum(alike) <= 20
    assert any((128, 128, 128) in colour and len(set(colour)) > 1 for colour in colours)


def test_of_those_dressed_in_one_colour_most_are_dark_of_others_fewer() -> None:
    gray = np.full((*street_mask().shape, 3), 128, np.uint8)
    one = from_mask("a", gray, street_mask(), list(NAMES))
    dark: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(300):
        image = dyed(np.random.default_rng(seed), one, 1.0).image
        coat, skirt = (image[y, 30].astype(int) for y in (25, 50))
        alike = bool(np.abs(coat - skirt).max() <= 2)
        dark[alike].append(float(coat.mean()) < 50)
    assert 45 < len(dark[True]) < 120
    assert 0.55 < np.mean(dark[True]) < 0.8
    assert 0.25 < np.mean(dark[False]) < 0.5


def test_between_garments_of_one_colour_no_seam_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dye, "ALIKE", 1.0)
    names = [*NAMES, "belt", "bag"]
    mask = np.kron(street_mask(), np.ones((8, 8), np.uint8))  # 640 pixels high
    mask[318:323, 176:304] = names.index("belt")
    mask[100:160, 350:400] = names.index("bag")
    image = np.full((*mask.shape, 3), 60, np.uint8)
    image[mask == names.index("coat")] = 150
    image[314:326], image[mask == names.index("bag")] = 255, 200  # the coat's hem, too
    person = from_mask("a", image, mask, names)
    for seed in range(20):
        after = dyed(np.random.default_rng(seed), person, 0.3).image
        body = after[100:460, 240].astype(int)  # down the middle of coat, belt and skirt
        assert np.abs(body - body[0]).max() <= 2 and np.abs(body[0] - 150).max() > 10
        np.testing.assert_array_equal(after[:, 345:], image[:, 345:])
        np.testing.assert_array_equal(after[:70], image[:70])


def test_folds_of_one_colour_reach_to_the_outer_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dye, "ALIKE", 1.0)
    mask = np.kron(street_mask(), np.ones((8, 8), np.uint8))
    image = np.random.default_rng(0).integers(90, 170, (*mask.shape, 3), np.uint8)
    person = from_mask("a", image, mask, list(NAMES))
    coats = [dyed(np.random.default_rng(seed), person, 0.3).image[90:300] for seed in range(20)]
    at_the_edge = np.mean([coat[:, 162:166].astype(float).std(0).mean() for coat in coats])
    inside = np.mean([coat[:, 230:250].astype(float).std(0).mean() for coat in coats])
    assert at_the_edge > 0.8 * inside > 2


def test_black_has_neither_hues_nor_folds_and_bright_cloth_has_both() -> None:
    def spread(dark: bool) -> float:
        seen = []
        for seed in range(200):
            image = dyed(np.random.default_rng(seed), street_photo(), 1.0).image
            lab = cv2.cvtColor(image[12:38, 22:38], cv2.COLOR_BGR2LAB).astype(float)
            if (lab[..., 0].mean() < 15) == dark:
                seen.append(float(np.abs(lab[..., 1:] - 128).mean()))
        assert len(seen) > 5
        return float(np.mean(seen))

    assert spread(dark=True) < 0.4 * spread(dark=False)


def test_hues_turn_and_what_is_gray_stays_gray() -> None:
    rng = np.random.default_rng(0)
    gray = np.arange(0, 250, 10, dtype=np.uint8)[:, None, None].repeat(3, 2)
    orange = np.full((8, 8, 3), (60, 130, 220), np.uint8)
    boxes, labels = np.array([[0, 0, 8, 8]], np.float32), np.array([2])
    hues = []
    for _ in range(40):
        after = hue_shifted(rng, Photo(orange, boxes, labels))
        hue, _, _ = cv2.cvtColor(after.image[:1, :1], cv2.COLOR_BGR2HSV)[0, 0].tolist()
        hues.append(hue)
        same = hue_shifted(rng, Photo(gray, boxes, labels)).image
        np.testing.assert_allclose(same.astype(int), gray.astype(int), atol=6)
    assert all(any(abs(hue - wanted) < 20 for hue in hues) for wanted in range(0, 180, 30))
