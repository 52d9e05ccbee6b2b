"""Lanyards before what people wear."""

from dataclasses import replace

import numpy as np
import pytest

from detector.photos.lanyard import with_lanyard
from detector.photos.photo import BODY, Photo, from_mask
from detector.photos.try_on import ABOVE_THE_WAIST
from tests.photo_folders import NAMES, picture, street_mask


@pytest.fixture
def person() -> Photo:
    size = 8  # times as large: a lanyard is some pixels wide
    mask = street_mask().repeat(size, 0).repeat(size, 1)
    return from_mask("x", np.full((*mask.shape, 3), 120, np.uint8), mask, list(NAMES))


def changed(before: Photo, after: Photo) -> np.ndarray:
    return np.any(before.image != after.image, axis=2)


def test_it_hangs_before_clothes_and_behind_all_else(person: Photo) -> None:
    assert person.owner is not None
    left, top, right, bottom = person.xyxy[np.isin(person.labels, list(ABOVE_THE_WAIST))][0]
    for seed in range(20):
        seen = with_lanyard(np.random.default_rng(seed), person, 1.0)
        drawn = changed(person, seen)
        rows, columns = np.nonzero(drawn)
        assert 0.002 < drawn.mean() < 0.2
        assert not drawn[(person.owner == 0) | (person.owner == BODY)].any()
        assert top <= rows.min() < top + 0.2 * (bottom - top)
        assert abs(columns.mean() - (left + right) / 2) < 0.25 * (right - left)


def test_what_is_worn_stays_what_it_was(person: Photo) -> None:
    before = person.image.copy()
    seen = with_lanyard(np.random.default_rng(0), person, 1.0)
    np.testing.assert_array_equal(person.image, before)
    np.testing.assert_array_equal(seen.xyxy, person.xyxy)
    np.testing.assert_array_equal(seen.labels, person.labels)
    assert seen.owner is person.owner


def test_it_comes_as_often_as_it_is_asked_for(person: Photo) -> None:
    rng = np.random.default_rng(0)
    count = sum(changed(person, with_lanyard(rng, person, 0.3)).any() for _ in range(100))
    assert 15 <= count <= 45


def test_without_owners_or_anything_above_the_waist_there_is_none(person: Photo) -> None:
    rng = np.random.default_rng(0)
    for photo in (
        replace(person, owner=None),
        from_mask(
            "shoes", picture(0), np.where(street_mask() == 2, 2, 0).astype(np.uint8), [*NAMES]
        ),
    ):
        assert len(photo.labels)
        assert with_lanyard(rng, photo, 1.0) is photo


def test_a_garment_of_a_few_pixels_can_have_one() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:14, 20:22] = NAMES.index("coat")
    tiny = from_mask("tiny", picture(0, (40, 40)), mask, list(NAMES))
    seen = [
        changed(tiny, with_lanyard(np.random.default_rng(seed), tiny, 1.0)) for seed in range(20)
    ]
    assert any(drawn.any() for drawn in seen)
    assert not any(drawn[mask == 0].any() for drawn in seen)
