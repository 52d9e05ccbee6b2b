"""Photos laid over each other: the boxes are where the garments can be seen."""

import numpy as np
import pytest

from detector.photos.collage import Collage, Place
from detector.photos.photo import Photo, from_mask
from fmnist.classes import CLASSES
from tests.photo_folders import NAMES, picture, street_mask


def street() -> Photo:
    return from_mask("a", picture(0), street_mask(), list(NAMES))


def blank(width: int = 60, height: int = 80) -> Collage:
    return Collage(np.zeros((height, width, 3), np.uint8))


MIDDLE = (29.5, 39.5)


def test_a_photo_laid_as_it_is_keeps_its_pixels_and_boxes() -> None:
    photo, collage = street(), blank()
    collage.lay(photo, Place(1.0, MIDDLE))
    np.testing.assert_array_equal(collage.frame, photo.image)
    xyxy, labels = collage.garments(0.3)
    np.testing.assert_array_equal(xyxy, photo.xyxy)
    np.testing.assert_array_equal(labels, photo.labels)


def test_scaled_and_mirrored_boxes_follow() -> None:
    photo, collage = street(), blank(120, 160)
    collage.lay(photo, Place(2.0, (59.5, 79.5), flip=True))
    left, top, right, bottom = (2 * photo.xyxy).T
    expected = np.stack([120 - right, top, 120 - left, bottom], 1)
    np.testing.assert_allclose(collage.garments(0.3)[0], expected, atol=1.5)


def test_shrinking_follows_too() -> None:
    photo, collage = street(), blank(18, 24)
    collage.lay(photo, Place(0.3, (8.5, 11.5)))
    np.testing.assert_allclose(collage.garments(0.3)[0][0], 0.3 * photo.xyxy[0], atol=1)
    whole = collage.frame.mean((0, 1))
    np.testing.assert_allclose(whole, photo.image.mean((0, 1)), atol=4)


@pytest.mark.parametrize("width", [635, 640, 641, 643])
def test_however_wide_it_is_a_shrunk_photo_lies_where_its_boxes_do(width: int) -> None:
    scale, edge = 0.12, 600
    image = np.zeros((80, width, 3), np.uint8)
    image[:, edge:] = 255
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    collage = blank(90, 12)
    collage.lay(Photo("wide", image, *none), Place(scale, (scale * width / 2 - 0.5, 5.5)))
    dark = 1 - collage.frame[6, :, 0] / 255
    assert dark[: int(scale * width)].sum() == pytest.approx(scale * edge, abs=0.1)


def test_what_is_covered_is_no_longer_to_be_found() -> None:
    photo, collage = street(), blank()
    collage.lay(photo, Place(1.0, MIDDLE))
    wall = Photo("wall", picture(1), photo.xyxy[:0], photo.labels[:0], np.zeros((80, 60), np.uint8))
    collage.lay(wall, Place(1.0, MIDDLE), columns=slice(0, 31))
    xyxy, labels = collage.garments(0.3)
    assert len(labels) == 3 and (xyxy[:, 0] >= 31).all(), "one shoe is behind the wall"
    collage.lay(wall, Place(1.0, MIDDLE))
    assert len(collage.garments(0.3)[1]) == 0


def test_cut_out_leaves_the_background_and_takes_the_body() -> None:
    photo, collage = street(), blank()
    collage.cut_out(photo, Place(1.0, MIDDLE))
    assert not collage.frame[50, :15].any() and not collage.frame[:, 55:].any()
    np.testing.assert_array_equal(collage.frame[5, 30], photo.image[5, 30])
    np.testing.assert_array_equal(collage.garments(0.3)[0], photo.xyxy)


def test_columns_show_only_their_part() -> None:
    photo, collage = street(), blank()
    collage.lay(photo, Place(1.0, MIDDLE), columns=slice(0, 30))
    assert not collage.frame[:, 30:].any()
    assert (collage.garments(0.3)[0][:, 2] <= 30).all()


def test_part_of_a_garment_outside_of_the_frame_counts_as_hidden() -> None:
    photo, collage = street(), blank(60, 20)
    collage.lay(photo, Place(1.0, (29.5, 39.5)))
    coats = [label for label in collage.garments(0.3)[1] if label == CLASSES.index("Coat")]
    assert len(coats) == 1 and len(collage.garments(0.9)[1]) == 0
