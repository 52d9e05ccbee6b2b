"""Augmentation of a batch on its device.

Images are floats in 0..1, square; a generator is on their device.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor


def uniform(
    generator: Generator, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0
) -> Tensor:
    """Uniform numbers on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


def listing1(
    images: Float[Tensor, "batch 1 side side"], generator: Generator
) -> Float[Tensor, "batch 1 side side"]:
    """Listing 1 of the report: flip with p 0.5, rotate by up to 10 degrees, shift by up to 0.1.

    Nearest neighbour and black borders, as torchvision's RandomAffine has them by default; shifts
    are whole pixels there too.
    """
    n, _, height, width = images.shape
    angle = uniform(generator, (n,), -10, 10).deg2rad()
    shift_x = (uniform(generator, (n,), -0.1, 0.1) * width).round() * 2 / width
    shift_y = (uniform(generator, (n,), -0.1, 0.1) * height).round() * 2 / height
    flip = random_sign(generator, n)
    cos, sin = angle.cos(), angle.sin()
    theta = torch.stack(
        [
            torch.stack([flip * cos, flip * sin, shift_x], 1),
            torch.stack([-sin, cos, shift_y], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, [n, 1, height, width], align_corners=False)
    return F.grid_sample(images, grid, mode="nearest", align_corners=False)


def random_sign(generator: Generator, n: int) -> Tensor:
    """-1 or 1, [n]."""
    return torch.where(uniform(generator, (n,)) < 0.5, -1.0, 1.0)


def crop_flip(
    images: Float[Tensor, "batch 1 side side"], generator: Generator, pad: int = 2
) -> Float[Tensor, "batch 1 side side"]:
    """Shift by up to `pad` pixels each way over a black border, and flip with p 0.5."""
    n, _, height, width = images.shape
    device = images.device
    padded = F.pad(images, (pad, pad, pad, pad)).squeeze(1)
    offset = torch.randint(0, 2 * pad + 1, (2, n, 1), generator=generator, device=device)
    rows = torch.arange(height, device=device) + offset[0]
    columns = torch.arange(width, device=device) + offset[1]
    flip = uniform(generator, (n, 1)) < 0.5
    columns = torch.where(flip, columns.flip(1), columns)
    index = torch.arange(n, device=device)[:, None, None]
    return padded[index, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


def random_erasing(
    images: Float[Tensor, "batch 1 side side"], generator: Generator, probability: float
) -> Float[Tensor, "batch 1 side side"]:
    """Replace a rectangle of 2 to 33 % of the area by noise (Zhong et al. 2017; the shares are
    torchvision's); one that would be longer than the image is cut off there.
    """
    n, _, height, width = images.shape
    area = uniform(generator, (n,), 0.02, 0.33) * height * width
    aspect = uniform(generator, (n,), math.log(0.3), math.log(1 / 0.3)).exp()
    box_h = (area * aspect).sqrt().clamp(max=height)
    box_w = (area / aspect).sqrt().clamp(max=width)
    top = uniform(generator, (n,)) * (height - box_h)
    left = uniform(generator, (n,)) * (width - box_w)
    y = torch.arange(height, device=images.device) + 0.5
    x = torch.arange(width, device=images.device) + 0.5
    rows = (y >= top[:, None]) & (y < (top + box_h)[:, None])
    columns = (x >= left[:, None]) & (x < (left + box_w)[:, None])
    chosen = uniform(generator, (n,)) < probability
    mask = rows[:, None, :, None] & columns[:, None, None, :] & chosen[:, None, None, None]
    return torch.where(mask, uniform(generator, tuple(images.shape)), images)


def cutmix(
    images: Float[Tensor, "batch 1 side side"],
    targets: Float[Tensor, "batch classes"],
    generator: Generator,
    probability: float,
) -> tuple[Float[Tensor, "batch 1 side side"], Float[Tensor, "batch classes"]]:
    """Put a rectangle of the image before into an image, and as much of its target (Yun et al.
    2019, with their uniform share; a rectangle of each image's own instead of one for the batch).
    """
    n, _, height, width = images.shape
    edge = (1 - uniform(generator, (n,))).sqrt()
    rows = _span(uniform(generator, (n,)), edge, height)
    columns = _span(uniform(generator, (n,)), edge, width)
    chosen = uniform(generator, (n,)) < probability
    mask = rows[:, None, :, None] & columns[:, None, None, :] & chosen[:, None, None, None]
    share = mask.float().mean((1, 2, 3))[:, None]
    mixed = torch.where(mask, images.roll(1, 0), images)
    return mixed, targets * (1 - share) + targets.roll(1, 0) * share


def _span(centre: Tensor, edge: Tensor, length: int) -> Bool[Tensor, "batch length"]:
    at = (torch.arange(length, device=centre.device) + 0.5) / length
    return (at - centre[:, None]).abs() < edge[:, None] / 2


def resize(images: Float[Tensor, "batch 1 h w"], size: int) -> Float[Tensor, "batch 1 size size"]:
    """Area-like (antialiased bilinear) resize; the same tensor where nothing changes."""
    if images.shape[-1] == size:
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)
