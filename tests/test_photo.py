"""Garments cut out of photos."""

import cv2
import numpy as np
import pytest

from detector.photos.photo import BODY, from_mask, mask_boxes, of_single
from fmnist.classes import FOOTWEAR
from tests.photo_folders import NAMES, picture, street_mask


def test_every_pixel_has_its_owner() -> None:
    photo = from_mask("a", picture(0), street_mask(), list(NAMES))
    assert photo.owner is not None
    assert photo.owner[5, 30] == BODY, "skin is cut out with the garments"
    assert photo.owner[0, 0] == BODY, "a stray pixel is no garment"
    assert photo.owner[20, 30] == 1 and photo.owner[79, 0] == 0
    np.testing.assert_array_equal(mask_boxes(photo.owner, 4), photo.xyxy)


def test_a_coat_in_two_parts_is_one_and_two_shoes_are_two() -> None:
    mask = street_mask()
    mask[10:40, 29:31] = 0
    photo = from_mask("a", picture(0), mask, list(NAMES))
    assert photo.xyxy[0].tolist() == [20, 10, 40, 40]
    assert photo.labels.tolist().count(FOOTWEAR) == 2


def test_a_single_garment_is_cut_out_of_its_background() -> None:
    rng = np.random.default_rng(0)
    image = np.full((200, 150, 3), (120, 130, 140), np.uint8)
    cv2.ellipse(image, (75, 100), (40, 70), 0, 0, 360, (30, 20, 160), -1)
    image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    photo = of_single(image, 3)
    assert photo is not None and photo.owner is not None and photo.labels.tolist() == [3]
    np.testing.assert_allclose(photo.xyxy, [[35, 30, 115, 170]], atol=4)
    again = of_single(image, 3)
    assert again is not None and again.owner is not None
    np.testing.assert_array_equal(photo.owner, again.owner)


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 2), (10, 640), (640, 1)])
def test_nothing_is_cut_out_of_a_sliver(size_wh: tuple[int, int]) -> None:
    assert of_single(picture(0, size_wh), 0) is None


def test_nothing_is_cut_out_of_nothing() -> None:
    assert of_single(np.full((100, 80, 3), 90, np.uint8), 0) is None
