"""Augmentation keeps shape and range, and draws from its generator alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from fmnist.augment import crop_flip, cutmix, listing1, random_erasing, resize

AUGMENTATIONS: dict[str, Callable[[Tensor, Generator], Tensor]] = {
    "listing1": listing1,
    "crop_flip": crop_flip,
    "random_erasing": lambda images, generator: random_erasing(images, generator, 0.5),
}


@pytest.fixture
def images() -> Tensor:
    return torch.rand(16, 1, 28, 28, generator=Generator().manual_seed(1))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_gives_the_same_batch_in_range(name: str, images: Tensor) -> None:
    first, second = (AUGMENTATIONS[name](images, Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == images.shape
    assert first.min() >= 0 and first.max() <= 1
    assert not torch.equal(first, images)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_image_is_only_ever_made_from_itself(name: str) -> None:
    black = torch.zeros(2, 1, 28, 28)
    black[1] = 1.0
    seen = AUGMENTATIONS[name](black, Generator().manual_seed(0))
    if name == "random_erasing":  # paints noise into both, a rectangle of at most a third
        kept = (seen == black).float().mean((1, 2, 3))
        assert (kept >= 2 / 3).all() and not torch.equal(seen, black)
        return
    assert seen[0].max() == 0
    assert seen[1].max() == 1


def test_resizing_to_the_same_size_is_free_and_keeps_the_mean_otherwise(images: Tensor) -> None:
    assert resize(images, 28) is images
    small = resize(images, 14)
    assert small.shape == (16, 1, 14, 14)
    assert abs(float(small.mean() - images.mean())) < 0.01


def test_cutmix_gives_as_much_of_the_target_as_of_the_picture() -> None:
    n = 200
    values = torch.arange(n) / n
    images = values[:, None, None, None].expand(n, 1, 28, 28)
    targets = torch.eye(n)
    mixed, shares = cutmix(images, targets, torch.Generator().manual_seed(0), 0.7)
    own = (mixed == images).float().mean((1, 2, 3))
    torch.testing.assert_close(shares.diagonal(), own)
    torch.testing.assert_close(shares.sum(1), torch.ones(n))
    assert ((mixed == images) | (mixed == images.roll(1, 0))).all()
    touched = (own < 1).float().mean()
    assert 0.55 < touched <= 0.72, "those with a rectangle narrower than a pixel stay whole"
    assert own[own < 1].min() < 0.3 and 0.5 < own[own < 1].mean() < 0.8, "cut at the edges"


def test_every_shift_and_flip_of_a_crop_comes_as_often() -> None:
    image = torch.rand(1, 1, 28, 28, generator=Generator().manual_seed(0))
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
    views = [padded[..., y : y + 28, x : x + 28] for y in range(5) for x in range(5)]
    seen = crop_flip(image.expand(2500, 1, 28, 28), Generator().manual_seed(1)).flatten(1)
    found = torch.cat([view for one in views for view in (one, one.flip(-1))]).flatten(1)
    exact = "donot_use_mm_for_euclid_dist"  # products round, on each processor otherwise
    counts = (torch.cdist(seen, found, compute_mode=exact) < 1e-2).sum(0)
    assert counts.sum() == 2500 and counts.min() > 20, "fifty each, seven are a deviation"


def test_listing_one_mirrors_half_turns_ten_degrees_and_shifts_a_tenth_at_most() -> None:
    """Seen in images whose levels are the places that they are of."""
    at, n = torch.arange(28.0) - 13.5, 400

    def seen(values: Tensor) -> Tensor:
        return listing1(values.expand(n, 1, 28, 28), Generator().manual_seed(0)).flatten(1)

    inside = seen(torch.ones(28, 28))[..., None]
    there = torch.stack([at.repeat(28), at.repeat_interleave(28), torch.ones(784)], 1)
    here = torch.stack([seen(at.expand(28, 28)), seen(at[:, None].expand(28, 28))], 2)
    linear, shift = torch.linalg.lstsq(there * inside, here).solution.split([2, 1], 1)
    torch.testing.assert_close(linear @ linear.mT, torch.eye(2).expand(n, 2, 2), atol=0.02, rtol=0)
    assert 0.4 < (linear.det() < 0).float().mean() < 0.6
    angle = torch.atan2(linear[:, 0, 1], linear[:, 1, 1]).rad2deg()
    assert 9 < angle.abs().max() < 10.5 and abs(angle.mean()) < 1.5
    assert (shift - shift.round()).abs().max() < 0.1, "whole pixels"
    assert (shift.round().abs().amax(0) == 3).all() and shift.mean(0).abs().max() < 0.5


def test_some_images_lose_a_rectangle_of_two_to_33_percent_of_any_shape() -> None:
    dark = torch.full((2000, 1, 28, 28), -1.0)  # noise is brighter
    erased = random_erasing(dark, Generator().manual_seed(0), 0.3).squeeze(1) >= 0
    mask = erased[erased.any((1, 2))]
    assert 0.25 < len(mask) / 2000 < 0.35
    rows, columns = mask.any(2).sum(1), mask.any(1).sum(1)
    assert torch.equal(mask.sum((1, 2)), rows * columns)
    area = rows * columns / 784
    assert 0.01 < area.min() < 0.04 and 0.28 < area.max() < 0.37
    assert 0.4 < (rows > columns).float().mean() < 0.6
    assert (rows > 2 * columns).any() and (columns > 2 * rows).any()


def test_cutmix_takes_the_target_with_the_picture_and_a_uniform_share() -> None:
    levels = torch.rand(5000, generator=Generator().manual_seed(0))
    images = levels[:, None, None, None].expand(5000, 1, 28, 28)
    mixed, targets = cutmix(images, levels[:, None], Generator().manual_seed(1), 1.0)
    torch.testing.assert_close(targets.squeeze(1), mixed.mean((1, 2, 3)))
    taken = (mixed != images).float().mean()
    assert taken == pytest.approx(0.321, abs=0.012), "a half, less what the edges cut"


def test_every_pixel_counts_alike_in_a_smaller_image() -> None:
    dots = torch.eye(784).view(784, 1, 28, 28)
    for size in (14, 16, 20):
        counts = resize(dots, size).sum((1, 2, 3)).view(28, 28)[2:-2, 2:-2]
        assert counts.min() > 0.7 * counts.max()
