"""Garments over backgrounds: what the crop around a detector's box looks like, at 28x28 in gray.

A classifier that has only seen garments on black is at chance on such crops. Everything works on
the batch and on its device. The crop follows the detector's convention: a square around the box
of the garment, its side the longer one of the box.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from fmnist.augment import random_sign, uniform

Images = Float[Tensor, "batch 1 28 28"]
SIZE = 28


def composite(
    images: Images, silhouettes: Bool[Tensor, "batch 28 28"], generator: Generator
) -> Images:
    """Give every garment a pose, a tone and shading, and put it before a background in 0..1."""
    n = len(images)
    alpha = silhouettes.unsqueeze(1).float()
    theta, cut = _pose(silhouettes, generator)
    grid = F.affine_grid(theta, [n, 1, SIZE, SIZE], align_corners=False)
    both = torch.cat([images, alpha], 1)
    garment, mask = F.grid_sample(both, grid, mode="bilinear", align_corners=False).split(1, 1)
    garment = garment / mask.clamp(min=0.3)  # no black halo: the colour of half-covered pixels
    mask = mask * cut
    behind = background(n, generator, _neighbours(images, generator))
    front = _tone(garment.clamp(0, 1), generator) * _shading(n, generator)
    result = mask * front + (1 - mask) * behind
    result = _occlude(result, generator)
    return _camera(result, generator)


def _pose(
    silhouettes: Bool[Tensor, "batch 28 28"], generator: Generator
) -> tuple[Float[Tensor, "batch 2 3"], Float[Tensor, "batch 1 28 28"]]:
    """The affine map that puts the box of the turned, sometimes cut garment into the square.

    Returns the map from output to input coordinates, and the part of the output that is not cut.
    """
    n = len(silhouettes)
    device = silhouettes.device
    angle = uniform(generator, (n,), -20, 20).deg2rad()
    aspect = uniform(generator, (n,), -0.18, 0.18).exp()
    flip = random_sign(generator, n)
    axis = (torch.arange(SIZE, device=device) + 0.5) * 2 / SIZE - 1
    y, x = axis.repeat_interleave(SIZE), axis.repeat(SIZE)
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    stretched_x = x * (flip * aspect)[:, None]
    turned_x, turned_y = cos * stretched_x - sin * y, sin * stretched_x + cos * y
    inside = silhouettes.flatten(1)
    # The edge of the frame: a straight cut that leaves at least 60 % of the garment's extent.
    low_x, high_x = _extent(turned_x, inside)
    low_y, high_y = _extent(turned_y, inside)
    is_cut = uniform(generator, (4, n)) < 0.06
    keep = uniform(generator, (4, n), 0.0, 0.4) * is_cut
    width, height = high_x - low_x, high_y - low_y
    low_x, high_x = low_x + keep[0] * width, high_x - keep[1] * width
    low_y, high_y = low_y + keep[2] * height, high_y - keep[3] * height
    # A detector's box is not exact.
    jitter = uniform(generator, (2, n), -0.07, 0.07)
    side = torch.maximum(high_x - low_x, high_y - low_y).clamp(min=0.2)
    half = side / 2 * uniform(generator, (n,), 0.9, 1.18)
    center_x = (low_x + high_x) / 2 + jitter[0] * side
    center_y = (low_y + high_y) / 2 + jitter[1] * side
    inverse = torch.stack(
        [cos / (flip * aspect)[:, None], sin / (flip * aspect)[:, None], -sin, cos], 2
    ).reshape(n, 2, 2)
    shift = inverse @ torch.stack([center_x, center_y], 1)[:, :, None]
    theta = torch.cat([inverse * half[:, None, None], shift], 2)
    out_x = center_x[:, None] + half[:, None] * axis
    out_y = center_y[:, None] + half[:, None] * axis
    kept_x = (out_x >= low_x[:, None] - 1e-3) & (out_x <= high_x[:, None] + 1e-3)
    kept_y = (out_y >= low_y[:, None] - 1e-3) & (out_y <= high_y[:, None] + 1e-3)
    any_cut = is_cut.any(0)[:, None, None]
    kept = (kept_y[:, :, None] & kept_x[:, None, :]) | ~any_cut
    return theta, kept.unsqueeze(1).float()


def _extent(values: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest of `values` where `inside`, [batch] each; half a pixel beyond centres."""
    low = values.masked_fill(~inside, math.inf).amin(1) - 1 / SIZE
    high = values.masked_fill(~inside, -math.inf).amax(1) + 1 / SIZE
    empty = ~inside.any(1)
    return low.masked_fill(empty, -1.0), high.masked_fill(empty, 1.0)


def _tone(garment: Images, generator: Generator) -> Images:
    """Map black..white to a random dark..light range; a third keeps its own, some are inverted."""
    n = len(garment)
    shape = (n, 1, 1, 1)
    gamma = uniform(generator, shape, -0.5, 0.5).exp()
    low = uniform(generator, shape, 0.0, 0.5)
    high = low + uniform(generator, shape, 0.25, 1.0) * (1 - low)
    kind = uniform(generator, shape)
    toned = low + (high - low) * garment**gamma
    toned = torch.where(kind < 0.2, low + high - toned, toned)
    return torch.where(kind > 0.7, garment, toned)


def _shading(n: int, generator: Generator) -> Images:
    """A linear fall-off of light across the crop, down to 0.55."""
    angle = uniform(generator, (n, 1, 1, 1), 0, 2 * math.pi)
    depth = uniform(generator, (n, 1, 1, 1), 0, 0.45)
    axis = torch.linspace(0, 1, SIZE, device=generator.device)
    ramp = angle.cos() * (axis - 0.5) + angle.sin() * (axis[:, None] - 0.5) + 0.5
    return 1 - depth * ramp.clamp(0, 1)


def background(n: int, generator: Generator, garments: Images) -> Images:
    """Plain, gradient, noise of several grains, stripes, checks, or a piece of other garments."""
    shape = (n, 1, 1, 1)
    axis = torch.linspace(-1, 1, SIZE, device=generator.device)
    angle = uniform(generator, shape, 0, 2 * math.pi)
    along = angle.cos() * axis + angle.sin() * axis[:, None]
    across = -angle.sin() * axis + angle.cos() * axis[:, None]
    wave = uniform(generator, shape, 2, 22)
    phase = uniform(generator, shape, 0, 2 * math.pi)
    stripes = torch.sin(along * wave + phase)
    checks = stripes * torch.sin(across * wave)
    edge = (along * 30 + phase * 4 - 12).clamp(-1, 1)
    kinds = [torch.zeros_like(along), along, stripes, checks.sign() * 0.7, stripes.sign(), edge]
    kinds += [_noise(n, cells, generator) for cells in (3, 6, 12, SIZE)]
    kinds.append(garments * 2 - 1)
    first, second = (_choose(kinds, generator) for _ in range(2))
    mixed = first + second * uniform(generator, shape, 0, 0.7)
    level = uniform(generator, shape)
    contrast = uniform(generator, shape, 0, 0.5)
    return (level + contrast * mixed).clamp(0, 1)


def _choose(kinds: list[Tensor], generator: Generator) -> Tensor:
    n = len(kinds[0])
    pick = torch.randint(0, len(kinds), (n,), generator=generator, device=generator.device)
    return torch.stack(kinds, 1)[torch.arange(n, device=generator.device), pick]


def _noise(n: int, cells: int, generator: Generator) -> Images:
    """Smooth noise in -1..1 with `cells` grains across."""
    coarse = uniform(generator, (n, 1, cells, cells), -1, 1)
    return F.interpolate(coarse, (SIZE, SIZE), mode="bilinear", align_corners=False)


def _neighbours(images: Images, generator: Generator) -> Images:
    """Other garments of the batch, shifted so that only a part of them shows."""
    n = len(images)
    theta = torch.zeros(n, 2, 3, device=images.device)
    scale = uniform(generator, (n,), 0.4, 1.0)
    theta[:, 0, 0], theta[:, 1, 1] = scale * random_sign(generator, n), scale
    theta[:, :, 2] = uniform(generator, (n, 2), -1.2, 1.2)
    grid = F.affine_grid(theta, [n, 1, SIZE, SIZE], align_corners=False)
    return F.grid_sample(images.roll(1, 0), grid, align_corners=False)


def _occlude(images: Images, generator: Generator) -> Images:
    """A quarter of the crops has something before the garment: a bar or a corner, up to 35 %."""
    n = len(images)
    shape = (n, 1, 1, 1)
    axis = torch.linspace(-1, 1, SIZE, device=images.device)
    angle = uniform(generator, shape, 0, 2 * math.pi)
    along = angle.cos() * axis + angle.sin() * axis[:, None]
    start = uniform(generator, shape, 0.35, 1.0)
    width = uniform(generator, shape, 0.15, 1.0)
    chosen = uniform(generator, shape) < 0.25
    mask = (along > start) & (along < start + width) & chosen
    cover = (uniform(generator, shape) + 0.2 * _noise(n, 6, generator)).clamp(0, 1)
    return torch.where(mask, cover, images)


def _camera(images: Images, generator: Generator) -> Images:
    """Softness, exposure and sensor noise."""
    n = len(images)
    shape = (n, 1, 1, 1)
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    amount = uniform(generator, shape, -0.6, 0.9).clamp(min=0)
    images = images + amount * (soft - images)
    gain = uniform(generator, shape, 0.75, 1.2)
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    strength = uniform(generator, shape, 0, 0.04)
    return (images * gain + strength * noise).clamp(0, 1)
