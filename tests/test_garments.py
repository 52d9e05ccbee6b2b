"""From 28x28 to a patch: right size, right place, no dark rim, texture kept."""

import colorsys

import numpy as np
import pytest
import torch

from detector.synthesis.garments import (
    Cloth,
    Garments,
    Pose,
    decoy,
    from_split,
    make_patch,
    ramp,
    random_cloth,
    silhouettes,
    weaves,
)
from fmnist.data import Split

GRAY = ramp((0, 0, 0), (0, 0, 1))


def block() -> tuple[np.ndarray, np.ndarray]:
    """Bright, with the half-dark rim that the data set's garments have."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 8:20] = 90
    image[5:23, 9:19] = 180
    return image, image > 0


def patch_of(pose: Pose, cloth: Cloth | None = None) -> tuple[np.ndarray, np.ndarray]:
    patch = make_patch(np.random.default_rng(0), *block(), pose, cloth or Cloth(GRAY))
    return patch.colour, patch.alpha


def extent(alpha: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(alpha > 0.5)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@pytest.mark.parametrize("length", [12, 28, 100, 400])
def test_the_longer_side_has_the_length_that_is_asked(length: int) -> None:
    width, height = extent(patch_of(Pose(length))[1])
    assert abs(height - length) <= max(2, 0.06 * length)
    assert abs(width - 0.6 * length) <= max(2, 0.06 * length)


def test_a_quarter_turn_swaps_the_sides_and_aspect_widens() -> None:
    width, height = extent(patch_of(Pose(100))[1])
    turned = extent(patch_of(Pose(100, degrees=90))[1])
    assert abs(turned[0] - height) <= 2 and abs(turned[1] - width) <= 2
    assert extent(patch_of(Pose(100, aspect=1.3))[1])[0] > width + 5


def test_a_shift_moves_by_parts_of_a_pixel() -> None:
    def middle(alpha: np.ndarray) -> float:
        return float((alpha.sum(axis=0) * np.arange(alpha.shape[1])).sum() / alpha.sum())

    still, moved = patch_of(Pose(100))[1], patch_of(Pose(100, shift=(0.5, 0.0)))[1]
    assert still.shape == moved.shape
    assert middle(moved) - middle(still) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("degrees", [0, 17, 90])
def test_the_patch_is_large_enough_and_its_alpha_ends_inside(degrees: float) -> None:
    alpha = patch_of(Pose(150, degrees=degrees))[1]
    assert alpha.min() == 0 and alpha.max() == 1
    assert max(edge.max() for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])) < 0.5


def test_there_is_no_dark_rim() -> None:
    colour, alpha = patch_of(Pose(200))
    inside = colour[alpha > 0.5]
    assert np.ptp(inside) < 25


def test_a_flip_mirrors() -> None:
    image, mask = block()
    image[5:23, 9:14] = 60
    patches = [
        make_patch(np.random.default_rng(0), image, mask, Pose(100, flip=flip), Cloth(GRAY))
        for flip in (False, True)
    ]
    difference = patches[0].colour.astype(int) - patches[1].colour[:, ::-1]
    both = (patches[0].alpha > 0.9) & (patches[1].alpha[:, ::-1] > 0.9)
    assert np.abs(difference[both]).mean() < 6


def test_texture_survives_the_dye() -> None:
    image, mask = block()
    image[5:23:3, 9:19] = 140
    rng = np.random.default_rng(0)
    for _ in range(50):
        patch = make_patch(rng, image, mask, Pose(100), random_cloth(rng))
        assert patch.colour[patch.alpha > 0.9].std(axis=0).max() > 5


def test_a_ramp_runs_from_its_dark_to_its_light_end_in_bgr() -> None:
    colours = ramp((0.0, 1.0, 0.2), (0.0, 0.5, 1.0))
    ends = [np.array(colorsys.hsv_to_rgb(0.0, s, v)[::-1]) * 255 for s, v in ((1, 0.2), (0.5, 1))]
    assert np.abs(colours[[0, -1], 0] - np.array(ends)).max() <= 1


def test_a_decoy_is_never_empty_and_repeats_with_its_seed() -> None:
    for seed in range(100):
        image, mask = decoy(np.random.default_rng(seed))
        assert mask.any()
        assert np.array_equal(mask, decoy(np.random.default_rng(seed))[1])
        assert image.dtype == np.uint8


def test_an_empty_silhouette_gives_nothing_to_see() -> None:
    empty = np.zeros((28, 28), bool)
    patch = make_patch(
        np.random.default_rng(0), np.zeros((28, 28), np.uint8), empty, Pose(50), Cloth(GRAY)
    )
    assert not (patch.alpha > 0.5).any()


def test_every_weave_can_be_worn() -> None:
    for weave in weaves():
        plain, woven = (
            patch_of(Pose(300), Cloth(GRAY, weave=weave, weave_strength=strength))[0]
            for strength in (0.0, 0.5)
        )
        assert np.abs(woven - plain).max() > 5


def test_a_split_keeps_its_order() -> None:
    images = torch.zeros((3, 28, 28), dtype=torch.uint8)
    images[1, 5:9, 5:9] = 200
    garments = from_split(Split(images, torch.tensor([4, 7, 1])))
    assert isinstance(garments, Garments)
    assert garments.labels.tolist() == [4, 7, 1]
    assert garments.silhouettes.sum(axis=(1, 2)).tolist() == [0, 16, 0]
    assert len(garments) == 3


def test_what_is_dark_stays_dark() -> None:
    image, mask = block()
    image[5:14, 9:19] = 60
    patch = make_patch(np.random.default_rng(0), image, mask, Pose(100), Cloth(GRAY))
    upper, lower = np.split(patch.colour[:, :, 0], 2), np.split(patch.alpha > 0.9, 2)
    dark, light = (half[solid].mean() for half, solid in zip(upper, lower, strict=True))
    assert light - dark > 50


def test_a_turn_keeps_the_shape_of_what_was_widened() -> None:
    width, height = extent(patch_of(Pose(100, aspect=1.5))[1])
    turned = extent(patch_of(Pose(100, aspect=1.5, degrees=90))[1])
    assert turned == pytest.approx((height, width), abs=2)


def test_as_many_as_are_asked_for_are_negatives() -> None:
    def negatives(share: float) -> float:
        rng = np.random.default_rng(0)
        ramps = [random_cloth(rng, share).ramp.astype(int).sum((1, 2)) for _ in range(200)]
        return float(np.mean([colours[0] > colours[-1] for colours in ramps]))

    assert negatives(0.0) == 0 and negatives(1.0) == 1
    assert 0.1 < negatives(0.2) < 0.3


def test_a_silhouette_holds_the_dark_inside_and_not_the_gap_that_is_open() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 4:24] = 200
    image[0, 8:12, 8:12] = 0  # enclosed: belongs to the garment
    image[0, 16:24, 12:16] = 0  # open at the bottom: the gap between two legs
    mask = silhouettes(image)[0]
    assert mask[9, 9]
    assert not mask[20, 13]
    assert mask.sum() == 20 * 20 - 8 * 4


def test_the_silhouette_of_nothing_is_empty() -> None:
    assert not silhouettes(np.zeros((2, 28, 28), np.uint8)).any()
    assert silhouettes(np.zeros((0, 28, 28), np.uint8)).shape == (0, 28, 28)
