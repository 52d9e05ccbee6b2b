"""From one 28x28 garment to a coloured patch of any size with an alpha edge."""

import colorsys
import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from scipy import ndimage

from fmnist.data import Split

DARK = 8  # of 255: below it may be background
MARGIN = 2  # cells of nothing around the 28x28 image, so that a garment's edge can fall off
FINEST = 3  # a cell is enlarged smoothly by at most two to this power
ACROSS = np.linspace(-1, 1, 28, dtype=np.float32)
RISE = np.linspace(0, 1, 256)[:, None]
BLOCK = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Garments:
    """Fashion-MNIST as the scenes need it: gray images, what of them is garment, and labels."""

    images: UInt8[np.ndarray, "n 28 28"]
    silhouettes: Bool[np.ndarray, "n 28 28"]
    labels: Int64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Patch:
    """A thing to be painted: BGR colour and its opacity, 0..1, of the same size."""

    colour: UInt8[np.ndarray, "h w 3"]
    alpha: Float32[np.ndarray, "h w"]


class Pose(NamedTuple):
    """`length` is the longer side in pixels before turning, `aspect` over 1 makes it wider.

    `shift` moves it by parts of a pixel (x, y) inside of its patch, for smooth motion.
    """

    length: float
    aspect: float = 1.0
    degrees: float = 0.0
    flip: bool = False
    shift: tuple[float, float] = (0.0, 0.0)


class Cloth(NamedTuple):
    """How a garment is dyed: 256 BGR colours from dark to light, light and weave over it."""

    ramp: UInt8[np.ndarray, "256 1 3"]
    contrast: float = 45.0  # standard deviation of the gray levels, of 255
    shade: tuple[float, float] = (0.0, 0.0)  # relative change from the centre to right, to bottom
    weave: UInt8[np.ndarray, "side side"] | None = None
    weave_strength: float = 0.0


def from_split(split: Split) -> Garments:
    """The whole split as arrays; the garments keep their order."""
    images = split.images.numpy()
    return Garments(images, silhouettes(images), split.labels.numpy())


def silhouettes(images: UInt8[np.ndarray, "n 28 28"]) -> Bool[np.ndarray, "n 28 28"]:
    """Where the garments are: all that the black background cannot reach from the border.

    Dark parts inside a garment belong to it, the gap between two trouser legs does not.
    """
    cross = ndimage.generate_binary_structure(2, 1)
    filled: Bool[np.ndarray, "n 28 28"] = ndimage.binary_fill_holes(images >= DARK, cross[None])
    return filled


def ramp(
    dark: tuple[float, float, float], light: tuple[float, float, float]
) -> UInt8[np.ndarray, "256 1 3"]:
    """256 BGR colours from one HSV colour (each in 0..1) to another."""
    ends = [np.array(colorsys.hsv_to_rgb(*hsv)[::-1]) * 255 for hsv in (dark, light)]
    return (ends[0] * (1 - RISE) + ends[1] * RISE).astype(np.uint8)[:, None]


def random_cloth(
    rng: np.random.Generator, inverted: float = 0.12, weave_strength: float = 1.0
) -> Cloth:
    """Mostly dyed, sometimes gray as photographed, with `inverted` probability a negative."""
    hue = rng.random()
    saturation = rng.beta(1.2, 1.6) if rng.random() > 0.25 else 0.0
    dark = (hue, saturation, rng.uniform(0.02, 0.4))
    light = ((hue + rng.normal(0, 0.05)) % 1, saturation * rng.uniform(0.3, 1), rng.uniform(0.6, 1))
    colours = ramp(light, dark) if rng.random() < inverted else ramp(dark, light)
    weave = weaves()[rng.integers(len(weaves()))] if rng.random() < 0.35 else None
    return Cloth(
        colours,
        contrast=rng.uniform(30, 60),
        shade=(rng.normal(0, 0.15), rng.normal(0, 0.15)),
        weave=weave,
        weave_strength=rng.uniform(0.1, 0.45) * weave_strength,
    )


@functools.cache
def weaves() -> tuple[UInt8[np.ndarray, "512 512"], ...]:
    """Fabrics and prints as gray tiles around 128: noise, melange, stripes, checks, dots."""
    side = 512
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    tiles: list[np.ndarray] = [rng.normal(0, 50, (side, side))]
    for cells in (256, 128, 64):
        coarse = rng.normal(0, 30, (cells, cells)).astype(np.float32)
        tiles.append(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))
    for period in (8, 16, 32):
        tiles.append(90 * np.sin(x * 2 * np.pi / period))
        tiles.append(90 * np.sin((x + y) * 2 * np.pi / period))
        bars = np.sign(np.sin(x * np.pi / period))
        tiles.append(60 * (bars + bars.T))
        away = (x % period - period / 2) ** 2 + (y % period - period / 2) ** 2
        tiles.append(np.where(away < (period / 3.5) ** 2, 110, -30))
    return tuple(np.clip(tile + 128, 0, 255).astype(np.uint8) for tile in tiles)


def make_patch(
    rng: np.random.Generator,
    image: UInt8[np.ndarray, "28 28"],
    mask: Bool[np.ndarray, "28 28"],
    pose: Pose,
    cloth: Cloth,
) -> Patch:
    """The garment turned, scaled and dyed; the patch is about as large as its turned box.

    Its sides are even and the middle of the silhouette's box is in its middle, plus the shift.
    """
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    scale = pose.length / max(width, height, 1)
    # Enlarged smoothly by a power of two, then turned and scaled linearly: at 200 pixels a fifth
    # of what a cubic warp costs, and the same to the eye.
    fine = 2 ** min(max(int(math.log2(scale)), 0), FINEST)
    centre = np.array([left + width / 2, top + height / 2]) + MARGIN
    matrix, size_wh = _affine(scale, (width, height), centre * fine, fine, pose)
    tone, cover = cv2.split(
        cv2.resize(
            _tone_and_cover(image, mask, cloth), None, fx=fine, fy=fine,
            interpolation=cv2.INTER_CUBIC,
        )
    )  # fmt: skip
    if cloth.weave is not None:
        weave = _cut(rng, cloth.weave, len(tone))
        strength = cloth.weave_strength
        tone = cv2.addWeighted(tone, 1.0, weave, strength, -128 * strength)
    blue, green, red = cv2.split(cv2.applyColorMap(tone, cloth.ramp))
    warped = cv2.warpAffine(cv2.merge([blue, green, red, cover]), matrix, size_wh)
    # The cover falls over about two cells; this makes it one or two pixels of the patch.
    steepness = max(1.2, 0.8 * scale)  # at 1.2 no cover is still no alpha
    edge = np.clip((RISE - 0.45) * steepness + 0.5, 0, 1).astype(np.float32)
    alpha = cv2.LUT(cv2.extractChannel(warped, 3), edge)
    return Patch(cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR), alpha)


def _affine(
    scale: float,
    inside_wh: tuple[int, int],
    centre: Float64[np.ndarray, "2"],
    fine: int,
    pose: Pose,
) -> tuple[Float64[np.ndarray, "2 3"], tuple[int, int]]:
    """Matrix from the enlarged grid to the patch, and the patch's size."""
    turn = float(np.deg2rad(pose.degrees))
    wide, high = scale * pose.aspect**0.5, scale / pose.aspect**0.5
    mirrored = -wide if pose.flip else wide
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    linear = np.array([[cos * mirrored, -sin * high], [sin * mirrored, cos * high]])
    half = np.ceil(np.abs(linear) @ (inside_wh[0] + 1, inside_wh[1] + 1) / 2).astype(int) + 1
    matrix = np.empty((2, 3))
    matrix[:, :2] = linear / fine
    matrix[:, 2] = half - 0.5 + pose.shift - matrix[:, :2] @ (centre - 0.5)
    return matrix, (2 * int(half[0]), 2 * int(half[1]))


def _tone_and_cover(
    image: UInt8[np.ndarray, "28 28"], mask: Bool[np.ndarray, "28 28"], cloth: Cloth
) -> UInt8[np.ndarray, "32 32 2"]:
    """Gray levels of the cloth, continued outside of it, and how much of each cell it covers.

    The outermost pixels of the data set are mixed with its black background; drawn as they are,
    they would leave a dark rim around every garment. Their ratio to the cloth inside says how
    much of them is cloth: that makes a smooth edge, and they are filled from the inside.
    """
    gray = image.astype(np.float32)
    inside = mask.astype(np.float32)
    inner = cv2.erode(inside, BLOCK, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    weight = inner + inside * (gray * (0.1 / 255)) + 1e-6
    near = cv2.GaussianBlur(gray * weight, (7, 7), 1.3) / cv2.GaussianBlur(weight, (7, 7), 1.3)
    cover = np.maximum(inner, inside * np.minimum(gray / (near + 1e-3), 1))
    gray = np.where(inner > 0, gray, np.maximum(gray, near))
    mean, deviation = np.ravel(cv2.meanStdDev(gray, mask=mask.view(np.uint8))).tolist()
    gray = (gray - mean) * (cloth.contrast / max(deviation, 18.0)) + 100 + 0.3 * (mean - 100)
    if any(cloth.shade):
        gray *= 1 + cloth.shade[0] * ACROSS + cloth.shade[1] * ACROSS[:, None]
    both = cv2.merge([gray, cover * 255])
    both = cv2.copyMakeBorder(both, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    cover = both[..., 1]
    cover[:MARGIN] = cover[-MARGIN:] = cover[:, :MARGIN] = cover[:, -MARGIN:] = 0
    both[..., 1] = cv2.GaussianBlur(cover, (3, 3), 0.55)
    return np.clip(both, 0, 255).astype(np.uint8)


def _cut(
    rng: np.random.Generator, tile: UInt8[np.ndarray, "side side"], size: int
) -> UInt8[np.ndarray, "size size"]:
    """A random piece of a fabric: the same one, shrunk, however large the garment is drawn."""
    largest = (28 + 2 * MARGIN) * 2**FINEST
    x, y = rng.integers(len(tile) - largest + 1, size=2)
    piece = tile[y : y + largest, x : x + largest]
    return cv2.resize(piece, (size, size), interpolation=cv2.INTER_AREA)


def decoy(rng: np.random.Generator) -> tuple[UInt8[np.ndarray, "28 28"], Bool[np.ndarray, "28 28"]]:
    """A shape that is no garment, made like one: 28x28 gray levels and its silhouette."""
    mask = np.zeros((28, 28), np.uint8)
    kind = rng.integers(5)
    if kind == 0:
        axes = (int(rng.integers(3, 14)), int(rng.integers(3, 14)))
        cv2.ellipse(mask, (14, 14), axes, 0, 0, 360, 1, -1)
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
        points = np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(5, 14) + 14
        cv2.fillPoly(mask, [points.astype(np.int32)], 1)
    elif kind == 2:
        points = rng.integers(2, 26, (int(rng.integers(2, 6)), 1, 2)).astype(np.int32)
        cv2.polylines(mask, [points], False, 1, int(rng.integers(1, 5)))
    elif kind == 3:
        letter, thick = chr(int(rng.integers(33, 91))), int(rng.integers(2, 6))
        cv2.putText(mask, letter, (4, 24), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1, thick)
    else:
        field = cv2.resize(rng.normal(0, 1, (5, 5)).astype(np.float32), (28, 28))
        reach = np.hypot(*(np.mgrid[:28, :28] - 13.5)) / 14
        mask = (field + 1.5 - 2.2 * reach > 0).astype(np.uint8)
    if not mask.any():
        mask[8:20, 8:20] = 1
    cells = int(rng.integers(2, 20))
    noise = rng.normal(128, rng.uniform(5, 60), (cells, cells)).astype(np.float32)
    image = np.clip(cv2.resize(noise, (28, 28)), 0, 255).astype(np.uint8)
    return image, mask.astype(bool)
