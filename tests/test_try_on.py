"""People in clothes that they did not wear."""

from dataclasses import replace

import numpy as np
import pytest

from detector.photos.photo import BODY, Photo, from_mask, mask_boxes, of_single
from detector.photos.try_on import ABOVE_THE_WAIST, LOOSE, tried_on
from fmnist.classes import CLASSES
from tests.photo_folders import NAMES, picture, street_mask

PULLOVER = CLASSES.index("Pullover")


@pytest.fixture
def person() -> Photo:
    return from_mask("x", picture(1), street_mask(), list(NAMES))


@pytest.fixture
def pullover() -> Photo:
    image = np.full((80, 60, 3), 110, np.uint8)
    image[20:60, 15:45] = (200, 0, 60)
    photo = of_single(image, PULLOVER)
    assert photo is not None
    return photo


def test_what_was_worn_above_the_waist_gives_way_to_it(person: Photo, pullover: Photo) -> None:
    tops = [label for label in person.labels.tolist() if label in ABOVE_THE_WAIST]
    others = [label for label in person.labels.tolist() if label not in ABOVE_THE_WAIST]
    assert tops and others
    seen = tried_on(np.random.default_rng(0), person, pullover)
    assert seen.labels.tolist() == [*others, PULLOVER]
    assert seen.owner is not None and person.owner is not None
    assert set(np.unique(seen.owner)) <= {0, BODY, *range(1, len(seen.labels) + 1)}
    np.testing.assert_array_equal(seen.xyxy, mask_boxes(seen.owner, len(seen.labels)))
    inside = seen.image[seen.owner == len(seen.labels)]
    assert np.median(np.abs(inside.astype(int) - [200, 0, 60])) < 10
    elsewhere = seen.owner == BODY
    np.testing.assert_array_equal(elsewhere, elsewhere & (person.owner == BODY))


def test_it_lies_upon_the_box_of_what_was_worn(person: Photo, pullover: Photo) -> None:
    above = np.isin(person.labels, list(ABOVE_THE_WAIST))
    left, top = person.xyxy[above, :2].min(0)
    right, bottom = person.xyxy[above, 2:].max(0)
    for seed in range(20):
        x1, y1, x2, y2 = tried_on(np.random.default_rng(seed), person, pullover).xyxy[-1]
        assert abs(y1 - top) <= 2 and y2 >= min(bottom, person.image.shape[0]) - 2
        assert x2 - x1 <= LOOSE[1] * (right - left) + 2
        assert x1 <= left + 2 and x2 >= right - 2


def test_nothing_of_the_photos_is_changed(person: Photo, pullover: Photo) -> None:
    before = person.image.copy(), pullover.image.copy()
    tried_on(np.random.default_rng(0), person, pullover)
    np.testing.assert_array_equal(person.image, before[0])
    np.testing.assert_array_equal(pullover.image, before[1])


def test_who_wears_nothing_there_stays_as_they_are(person: Photo, pullover: Photo) -> None:
    below = ~np.isin(person.labels, list(ABOVE_THE_WAIST))
    numbers = np.zeros(256, np.uint8)
    numbers[np.flatnonzero(below) + 1] = np.arange(1, below.sum() + 1)
    assert person.owner is not None
    bare = replace(
        person, xyxy=person.xyxy[below], labels=person.labels[below], owner=numbers[person.owner]
    )
    assert tried_on(np.random.default_rng(0), bare, pullover) is bare


def test_what_it_covers_is_none_to_be_found(pullover: Photo) -> None:
    mask = street_mask()
    mask[18:28, 25:33] = len(NAMES)  # before the coat
    person = from_mask("x", picture(1), mask, [*NAMES, "bag"])
    assert CLASSES.index("Bag") in person.labels
    seen = tried_on(np.random.default_rng(0), person, pullover)
    assert seen.labels[-1] == PULLOVER and CLASSES.index("Bag") not in seen.labels
    assert (seen.xyxy[:, 2:] > seen.xyxy[:, :2]).all()
