"""Where photos are laid in frames."""

from itertools import product

import numpy as np
import pytest

from detector.photos.collage import Place
from detector.photos.photo import Photo
from detector.photos.places import NEAR, WHOLE, around, covering, fills, upright

SIZES = ((160, 90), (90, 160), (100, 100))


def photo(width: int, height: int) -> Photo:
    box = np.array([[width * 0.3, height * 0.2, width * 0.7, height * 0.6]], np.float32)
    image = np.zeros((height, width, 3), np.uint8)
    return Photo(image, box, np.array([4]), np.ones((height, width), np.uint8))


def corners(place: Place, of: Photo) -> np.ndarray:
    height, width = of.image.shape[:2]
    edges = np.array([[-0.5, -0.5, 1], [width - 0.5, height - 0.5, 1]])
    return np.sort(edges @ place.matrix(of).T, axis=0) + 0.5


@pytest.mark.parametrize(("size_wh", "own"), product(SIZES, SIZES))
def test_a_photo_covers_the_frame_unless_it_is_turned(
    size_wh: tuple[int, int], own: tuple[int, int]
) -> None:
    for seed in range(10):
        place = covering(np.random.default_rng(seed), photo(*own), size_wh)
        (left, top), (right, bottom) = corners(place._replace(degrees=0), photo(*own))
        assert left <= 0.51 and top <= 0.51
        assert right >= size_wh[0] - 0.51 and bottom >= size_wh[1] - 0.51
        assert fills(photo(*own), place._replace(centre=(size_wh[0] / 2, size_wh[1] / 2)), size_wh)


def test_a_photo_among_others_is_about_as_high_as_its_row() -> None:
    for seed, own in product(range(10), SIZES):
        place = upright(np.random.default_rng(seed), photo(*own), 12.0, 40, 90)
        (left, top), (right, bottom) = corners(place._replace(degrees=0), photo(*own))
        assert WHOLE[0] * 90 - 0.01 <= bottom - top <= WHOLE[1] * 90 + 0.01
        assert left == pytest.approx(12.5, abs=0.51)
        assert right - left == pytest.approx(place.scale * own[0])
        assert abs((top + bottom) / 2 - 85) < 15


def test_a_garment_near_the_camera_is_tall_and_below_the_middle() -> None:
    shown = photo(100, 150)
    for seed in range(20):
        place = around(np.random.default_rng(seed), shown, 0, (160, 90))._replace(degrees=0)
        matrix = place.matrix(shown)
        top, bottom = (matrix @ [50, y, 1] for y in (30, 90))
        assert NEAR[0] * 90 <= bottom[1] - top[1] <= NEAR[1] * 90
        assert 0.45 * 90 <= (top[1] + bottom[1]) / 2 <= 0.85 * 90
        assert 0.25 * 160 <= top[0] <= 0.75 * 160


def test_a_photo_that_is_too_small_or_off_the_middle_does_not_fill_the_frame() -> None:
    assert fills(photo(100, 100), Place(1.0, (50, 50)), (100, 100))
    assert not fills(photo(100, 100), Place(0.9, (50, 50)), (100, 100))
    assert not fills(photo(100, 100), Place(1.0, (60, 50)), (100, 100))
