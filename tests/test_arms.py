"""Arms bent before the chest of people who are cut out."""

from dataclasses import replace

import numpy as np
import pytest

from detector.photos.arms import with_bent_arms
from detector.photos.photo import BODY, Photo, from_mask, mask_boxes
from detector.photos.try_on import ABOVE_THE_WAIST
from fmnist.classes import CLASSES
from tests.photo_folders import NAMES, street_mask

WHITE, GRAY = 250, 120
COAT = CLASSES.index("Coat")


def somebody(top: str) -> Photo:
    """In gray clothes, with a white face above them."""
    size = 8
    mask = street_mask().repeat(size, 0).repeat(size, 1)
    names = [top if name == "coat" else name for name in NAMES]
    image = np.full((*mask.shape, 3), GRAY, np.uint8)
    photo = from_mask("x", image, mask, names)
    left, above, right, _ = photo.xyxy[upper(photo)].astype(int)
    assert photo.owner is not None
    face = np.s_[:above, left:right]
    image[face][photo.owner[face] == BODY] = WHITE
    return photo


def upper(photo: Photo) -> int:
    return int(np.flatnonzero(np.isin(photo.labels, list(ABOVE_THE_WAIST)))[0])


def skin(before: Photo, after: Photo) -> np.ndarray:
    """Where hands and bare arms came."""
    assert before.owner is not None and after.owner is not None
    return (after.owner == BODY) & (before.owner != BODY)


@pytest.fixture
def person() -> Photo:
    return somebody("coat")


def test_hands_lie_before_the_chest_in_the_colour_of_the_face(person: Photo) -> None:
    left, top, right, bottom = person.xyxy[upper(person)]
    for seed in range(20):
        after = with_bent_arms(np.random.default_rng(seed), person, 1.0)
        hands = skin(person, after)
        rows, columns = np.nonzero(hands)
        assert len(rows)
        assert left < columns.mean() < right and top < rows.mean() < (top + bottom) / 2 + 8
        assert np.median(after.image[hands]) > GRAY + 50


def test_sleeves_are_of_the_cloth_and_belong_to_it(person: Photo) -> None:
    after = with_bent_arms(np.random.default_rng(0), person, 1.0)
    assert after.owner is not None and person.owner is not None
    drawn = np.any(after.image != person.image, axis=2)
    sleeves = drawn & (after.owner == upper(person) + 1)
    assert sleeves.sum() > skin(person, after).sum() / 2
    assert np.percentile(after.image[sleeves], 90) <= GRAY * 1.06  # soft edges of the hands are not


def test_the_boxes_are_those_of_what_is_left(person: Photo) -> None:
    rng, is_narrower = np.random.default_rng(0), False
    for _ in range(20):
        after = with_bent_arms(rng, person, 1.0)
        assert after.owner is not None
        np.testing.assert_array_equal(after.xyxy, mask_boxes(after.owner, len(after.labels)))
        np.testing.assert_array_equal(after.labels, person.labels)
        is_narrower |= bool(((after.owner == 0) & (person.owner == upper(person) + 1)).any())
    assert is_narrower, "the forearms still hang there"


def test_a_skirt_keeps_its_width() -> None:
    person = somebody("dress")
    after = with_bent_arms(np.random.default_rng(0), person, 1.0)
    assert after.owner is not None and person.owner is not None
    assert not ((after.owner == 0) & (person.owner > 0)).any()


def test_short_sleeves_leave_the_forearms_bare(person: Photo) -> None:
    areas = []
    for photo in (somebody("t-shirt"), person):
        rng = np.random.default_rng(0)
        areas.append(sum(skin(photo, with_bent_arms(rng, photo, 1.0)).sum() for _ in range(10)))
    assert areas[0] > 1.5 * areas[1]


def test_nothing_of_the_photo_is_changed_and_it_comes_as_often_as_asked_for(person: Photo) -> None:
    assert person.owner is not None
    before = person.image.copy(), person.owner.copy()
    rng = np.random.default_rng(0)
    count = sum(with_bent_arms(rng, person, 0.3) is not person for _ in range(100))
    assert 15 <= count <= 45
    np.testing.assert_array_equal(person.image, before[0])
    np.testing.assert_array_equal(person.owner, before[1])


def test_without_owners_or_anything_above_the_waist_nothing_is_bent(person: Photo) -> None:
    shoes = np.where(street_mask() == 2, 2, 0).astype(np.uint8)
    image = np.zeros((*shoes.shape, 3), np.uint8)
    for photo in (replace(person, owner=None), from_mask("shoes", image, shoes, [*NAMES])):
        assert len(photo.labels)
        assert with_bent_arms(np.random.default_rng(0), photo, 1.0) is photo


def test_a_garment_of_a_few_pixels_bends_too() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:14, 20:22] = NAMES.index("coat")
    photo = from_mask("x", np.full((40, 40, 3), GRAY, np.uint8), mask, [*NAMES])
    assert photo.labels.tolist() == [COAT]
    for seed in range(20):
        after = with_bent_arms(np.random.default_rng(seed), photo, 1.0)
        assert np.isfinite(after.xyxy).all() and after.labels.tolist() == [COAT]
