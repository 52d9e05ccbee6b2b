"""Photos laid over each other: the boxes are where the garments can be seen."""

from dataclasses import replace

import numpy as np
import pytest

from detector.photos.collage import Collage, Place
from detector.photos.photo import Photo
from fmnist.classes import CLASSES
from tests.photo_folders import picture, street_photo


def blank(width: int = 60, height: int = 80) -> Collage:
    return Collage(np.zeros((height, width, 3), np.uint8))


MIDDLE = (29.5, 39.5)


def test_a_photo_laid_as_it_is_keeps_its_pixels_and_boxes() -> None:
    photo, collage = street_photo(), blank()
    collage.lay(photo, Place(1.0, MIDDLE))
    np.testing.assert_array_equal(collage.frame, photo.image)
    xyxy, labels = collage.garments(0.3)
    np.testing.assert_array_equal(xyxy, photo.xyxy)
    np.testing.assert_array_equal(labels, photo.labels)


def test_scaled_and_mirrored_boxes_follow() -> None:
    photo, collage = street_photo(), blank(120, 160)
    collage.lay(photo, Place(2.0, (59.5, 79.5), flip=True))
    left, top, right, bottom = (2 * photo.xyxy).T
    expected = np.stack([120 - right, top, 120 - left, bottom], 1)
    np.testing.assert_allclose(collage.garments(0.3)[0], expected, atol=1.5)


def test_shrinking_follows_too() -> None:
    photo, collage = street_photo(), blank(18, 24)
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
    collage.lay(Photo(image, *none), Place(scale, (scale * width / 2 - 0.5, 5.5)))
    dark = 1 - collage.frame[6, :, 0] / 255
    assert dark[: int(scale * width)].sum() == pytest.approx(scale * edge, abs=0.1)


def test_what_is_covered_is_no_longer_to_be_found() -> None:
    photo, collage = street_photo(), blank()
    collage.lay(photo, Place(1.0, MIDDLE))
    wall = Photo(picture(1), photo.xyxy[:0], photo.labels[:0], np.zeros((80, 60), np.uint8))
    collage.lay(wall, Place(1.0, MIDDLE), columns=slice(0, 31))
    xyxy, labels = collage.garments(0.3)
    assert len(labels) == 3 and (xyxy[:, 0] >= 31).all(), "one shoe is behind the wall"
    collage.lay(wall, Place(1.0, MIDDLE))
    assert len(collage.garments(0.3)[1]) == 0


def test_cut_out_leaves_the_background_and_takes_the_body() -> None:
    photo, collage = street_photo(), blank()
    collage.cut_out(photo, Place(1.0, MIDDLE))
    assert not collage.frame[50, :15].any() and not collage.frame[:, 55:].any()
    np.testing.assert_array_equal(collage.frame[5, 30], photo.image[5, 30])
    np.testing.assert_array_equal(collage.garments(0.3)[0], photo.xyxy)


def test_columns_show_only_their_part() -> None:
    photo, collage = street_photo(), blank()
    collage.lay(photo, Place(1.0, MIDDLE), columns=slice(0, 30))
    assert not collage.frame[:, 30:].any()
    assert (collage.garments(0.3)[0][:, 2] <= 30).all()


def test_part_of_a_garment_outside_of_the_frame_counts_as_hidden() -> None:
    photo, collage = street_photo(), blank(60, 20)
    collage.lay(photo, Place(1.0, (29.5, 39.5)))
    coats = [label for label in collage.garments(0.3)[1] if label == CLASSES.index("Coat")]
    assert len(coats) == 1 and len(collage.garments(0.9)[1]) == 0


def test_boxes_alone_are_where_they_were() -> None:
    photo, collage = replace(street_photo(), owner=None), blank()
    collage.lay(photo, Place(1.0, MIDDLE))
    xyxy, labels = collage.garments(0.3)
    np.testing.assert_array_equal(xyxy, photo.xyxy)
    np.testing.assert_array_equal(labels, photo.labels)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("knows_owners", [True, False])
def test_the_part_that_is_seen_does_not_depend_on_the_size(
    scale: float, knows_owners: bool
) -> None:
    """A coat 30 pixels high, of which the upper 20 are in the frame."""
    photo = street_photo() if knows_owners else replace(street_photo(), owner=None)
    collage = blank(round(60 * scale), round(30 * scale))
    collage.lay(photo, Place(scale, (30 * scale - 0.5, 40 * scale - 0.5)))
    coat = CLASSES.index("Coat")
    for visible, is_found in ((0.55, True), (0.8, False)):
        assert (coat in collage.garments(visible)[1].tolist()) == is_found


def test_what_is_finer_than_a_pixel_becomes_even() -> None:
    stripes = np.zeros((80, 60, 3), np.uint8)
    stripes[:, ::2] = 200
    for scale in (0.25, 0.3, 0.4):
        collage = blank(12, 16)
        collage.lay(replace(street_photo(), image=stripes), Place(scale, (5.5, 7.5)))
        np.testing.assert_allclose(collage.frame.astype(int), 100, atol=30)


@pytest.mark.parametrize("flip", [False, True])
def test_a_photo_is_turned_and_mirrored_without_a_skew(flip: bool) -> None:
    linear = Place(0.7, MIDDLE, flip, 25.0).matrix(street_photo())[:, :2]
    np.testing.assert_allclose(linear @ linear.T, 0.49 * np.eye(2), atol=1e-9)
    assert (np.linalg.det(linear) < 0) == flip
