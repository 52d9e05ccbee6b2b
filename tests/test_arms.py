"""Arms bent before the chest of people who are cut out."""

from dataclasses import replace

import numpy as np
import pytest

from detector.photos.arms import with_bent_arms
from detector.photos.photo import BODY, Photo, from_mask
from detector.photos.try_on import ABOVE_THE_WAIST
from fmnist.classes import CLASSES
from tests.photo_folders import NAMES, street_mask

SKIN = (150, 180, 230)
GRAY = 120
SIZE = 8  # times as large as in the other tests: hands are some pixels wide
WAIST = 32 * SIZE


def somebody(top: str, hem: int = WAIST) -> Photo:
    """In clothes of gray noise, the top down to the row `hem`."""
    mask = street_mask().repeat(SIZE, 0).repeat(SIZE, 1)
    coat = NAMES.index("coat")
    mask[hem:][mask[hem:] == coat] = NAMES.index("skirt")
    noise = np.random.default_rng(0).integers(-20, 21, mask.shape)
    image = np.repeat((GRAY + noise).astype(np.uint8)[..., None], 3, axis=2)
    image[mask == NAMES.index("skin")] = SKIN
    return from_mask("x", image, mask, [top if name == "coat" else name for name in NAMES])


def upper(photo: Photo) -> int:
    return int(np.flatnonzero(np.isin(photo.labels, list(ABOVE_THE_WAIST)))[0])


def bent(photo: Photo, count: int = 20) -> list[Photo]:
    return [with_bent_arms(np.random.default_rng(seed), photo, 1.0) for seed in range(count)]


def skin(before: Photo, after: Photo) -> np.ndarray:
    """Where hands and bare arms came."""
    assert before.owner is not None and after.owner is not None
    return (after.owner == BODY) & (before.owner != BODY)


@pytest.fixture
def person() -> Photo:
    return somebody("coat")


def test_hands_lie_before_the_chest_in_the_colour_of_the_face(person: Photo) -> None:
    left, top, right, bottom = person.xyxy[upper(person)]
    for after in bent(person):
        hands = skin(person, after)
        rows, columns = np.nonzero(hands)
        assert left < columns.mean() < right and top < rows.mean() < (top + bottom) / 2 + SIZE
        blue, _, red = np.median(after.image[hands], axis=0)
        assert red > blue + 40


def test_sleeves_are_of_the_cloth_and_belong_to_it(person: Photo) -> None:
    """The elbows stand out: there the coat is where nobody was."""
    assert person.owner is not None
    wider = 0
    for after in bent(somebody("coat", 24 * SIZE)):
        assert after.owner is not None
        sleeves = (after.owner == upper(after) + 1) & (person.owner == 0)
        if sleeves.any():
            wider += 1
            colours = after.image[sleeves].astype(int)
            assert np.ptp(np.median(colours, axis=0)) <= 2 and np.median(colours) < GRAY + 10
    assert wider


def test_whoever_bends_an_arm_has_none_hanging(person: Photo) -> None:
    widths = [after.xyxy[upper(after)] for after in bent(person)]
    was = person.xyxy[upper(person)]
    assert min(x2 - x1 for x1, _, x2, _ in widths) <= was[2] - was[0] + 2
    for after in bent(person):
        assert after.owner is not None
        lowest = after.owner[WAIST - SIZE] == upper(after) + 1
        assert lowest.sum() < 0.85 * (was[2] - was[0])


@pytest.mark.parametrize(("top", "hem"), [("dress", WAIST), ("coat", 40 * SIZE)])
def test_skirts_and_tails_of_coats_keep_their_width(top: str, hem: int) -> None:
    person = somebody(top, hem)
    for after in bent(person):
        assert after.owner is not None and person.owner is not None
        assert not ((after.owner == 0) & (person.owner > 0)).any()


def test_short_sleeves_leave_the_forearms_bare(person: Photo) -> None:
    shirt = somebody("t-shirt")
    bare = sum(skin(shirt, after).sum() for after in bent(shirt))
    assert bare > 1.5 * sum(skin(person, after).sum() for after in bent(person))


@pytest.mark.parametrize(("row", "is_covered"), [(20, True), (50, False)])
def test_what_the_arms_cover_is_none_to_be_found(person: Photo, row: int, is_covered: bool) -> None:
    mask = street_mask().repeat(SIZE, 0).repeat(SIZE, 1)
    mask[row * SIZE : row * SIZE + 20, 29 * SIZE : 29 * SIZE + 20] = len(NAMES)
    bag = from_mask("x", person.image, mask, [*NAMES, "bag"])
    assert CLASSES.index("Bag") in bag.labels
    kept: list[bool] = []
    for after in bent(bag):
        assert after.owner is not None
        kept.append(CLASSES.index("Bag") in after.labels)
        numbers = set(np.unique(after.owner).tolist()) - {0, BODY}
        assert numbers == set(range(1, len(after.labels) + 1)), "a label without pixels"
    assert all(kept) is not is_covered


def test_of_a_coat_over_a_shirt_the_coat_bends() -> None:
    mask = street_mask().repeat(SIZE, 0).repeat(SIZE, 1)
    mask[10 * SIZE : 30 * SIZE, 28 * SIZE : 32 * SIZE] = len(NAMES)
    image = np.full((*mask.shape, 3), GRAY, np.uint8)
    image[mask == len(NAMES)] = (0, 0, 255)
    photo = from_mask("x", image, mask, [*NAMES, "shirt"])
    coat = int(np.flatnonzero(photo.labels == CLASSES.index("Coat"))[0]) + 1
    assert photo.owner is not None
    for after in bent(photo):
        assert after.owner is not None
        label = after.labels[after.owner[(after.owner != photo.owner) & (after.owner != BODY)] - 1]
        assert (label == photo.labels[coat - 1]).all()


def test_nothing_of_the_photo_is_changed_and_it_comes_as_often_as_asked_for(person: Photo) -> None:
    assert person.owner is not None
    before = person.image.copy(), person.owner.copy()
    rng = np.random.default_rng(0)
    count = sum(with_bent_arms(rng, person, 0.3) is not person for _ in range(100))
    assert 15 <= count <= 45
    np.testing.assert_array_equal(person.image, before[0])
    np.testing.assert_array_equal(person.owner, before[1])


def test_the_same_seed_bends_them_alike(person: Photo) -> None:
    for one, other in zip(bent(person, 3), bent(person, 3), strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.owner, other.owner)


def test_whoever_has_no_arms_to_bend_stays_as_they_are(person: Photo) -> None:
    shoes = np.where(street_mask() == 2, 2, 0).astype(np.uint8)
    tiny = np.zeros((40, 40), np.uint8)
    tiny[10:14, 20:22] = NAMES.index("coat")
    photos = [
        from_mask("x", np.zeros((*mask.shape, 3), np.uint8), mask, [*NAMES])
        for mask in (shoes, tiny)
    ]
    for photo in (replace(person, owner=None), *photos):
        assert len(photo.labels)
        assert with_bent_arms(np.random.default_rng(0), photo, 1.0) is photo


def test_somebody_cut_off_by_the_edge_bends_too(person: Photo) -> None:
    assert person.owner is not None
    half = person.image.shape[1] // 2
    image, owner = person.image[:, half:], person.owner[:, half:]
    xyxy = np.clip(person.xyxy - np.array([half, 0, half, 0], np.float32), 0, None)
    photo = replace(person, image=image, owner=owner, xyxy=xyxy.astype(np.float32))
    for after in bent(photo):
        assert after is not photo and after.image.shape == photo.image.shape
