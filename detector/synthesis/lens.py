"""What a cheap camera does to a frame: blur, gamma, noise, compression."""

import functools
import math

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from detector.synthesis.draws import log_uniform

SOFT = 0.4  # of the frames of photos
# Of the longer side: standard deviation out of focus, length of a movement, pixels of a sensor.
DEFOCUS, MOVEMENT, GRAIN = (0.0012, 0.006), (0.005, 0.03), (0.003, 0.01)


@functools.cache
def _noise() -> UInt8[np.ndarray, "1024 1024 3"]:
    """Normal noise around 128, deviation 32: made once, cut at random."""
    noise = np.random.default_rng(0).normal(128, 32, (1024, 1024, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


def photograph(
    rng: np.random.Generator, frame: UInt8[np.ndarray, "h w 3"], rough: float = 1.0
) -> UInt8[np.ndarray, "h w 3"]:
    """Each fault with some probability; `rough` scales both, 0 returns the frame as it is."""
    if rng.random() < 0.3 * rough:
        width = int(rng.choice((3, 5))) if rough >= 1 else 3
        frame = cv2.GaussianBlur(frame, (width, width), 0)
    if rng.random() < 0.4 * rough:
        levels = 255 * (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.3 * rough))
        frame = cv2.LUT(frame, levels.astype(np.uint8))
    if rng.random() < 0.5 * rough:
        frame = _sensor(rng, frame, rng.uniform(0.03, 0.4) * rough)
    if rng.random() < 0.2 * rough:
        quality = int(rng.integers(100 - int(70 * rough), 96))
        frame = compressed(frame, quality)
    return frame


def softened(
    rng: np.random.Generator, frame: UInt8[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """At times as if out of focus, moved, or enlarged from few pixels, as footage is."""
    if rng.random() >= SOFT:
        return frame
    longest = max(frame.shape[:2])
    match rng.integers(3):
        case 0:
            return cv2.GaussianBlur(frame, (0, 0), longest * log_uniform(rng, *DEFOCUS))
        case 1:
            line = motion_kernel(longest * log_uniform(rng, *MOVEMENT), rng.uniform(0, math.pi))
            return cv2.filter2D(frame, -1, line)
        case _:
            return coarsened(frame, longest * log_uniform(rng, *GRAIN))


def coarsened(frame: UInt8[np.ndarray, "h w 3"], grain: float) -> UInt8[np.ndarray, "h w 3"]:
    """As if enlarged from a smaller frame, each pixel of which covers `grain` pixels of this."""
    size_wh = frame.shape[1::-1]
    # Named, not as a factor: with that OpenCV would shift the picture by what it rounds.
    few_wh = [max(1, round(side / max(1.0, grain))) for side in size_wh]
    few = cv2.resize(frame, few_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)


def motion_kernel(length: float, angle: float) -> Float32[np.ndarray, "side side"]:
    """The kernel that spreads a pixel over a line of so many, at so many radians."""
    reach = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-length / 2, length / 2, 4 * reach):
        x, y = reach + step * math.cos(angle), reach + step * math.sin(angle)
        column, row = math.floor(x), math.floor(y)
        beside = np.outer([row + 1 - y, y - row], [column + 1 - x, x - column])
        kernel[row : row + 2, column : column + 2] += beside
    return kernel / kernel.sum()


def compressed(frame: UInt8[np.ndarray, "h w 3"], quality: int) -> UInt8[np.ndarray, "h w 3"]:
    """As a JPEG of that quality, 1..100, shows it."""
    data = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None, "what OpenCV has just encoded"
    return decoded


def _sensor(
    rng: np.random.Generator, frame: UInt8[np.ndarray, "h w 3"], strength: float
) -> UInt8[np.ndarray, "h w 3"]:
    height, width = frame.shape[:2]
    tile = _noise()
    if height > len(tile) or width > len(tile):
        tile = np.tile(tile, (height // len(tile) + 1, width // len(tile) + 1, 1))
    y, x = rng.integers(len(tile) - height + 1), rng.integers(tile.shape[1] - width + 1)
    return cv2.addWeighted(frame, 1, tile[y : y + height, x : x + width], strength, -128 * strength)
