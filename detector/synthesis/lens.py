"""What a cheap camera does to a frame: blur, gamma, noise, compression."""

import functools

import cv2
import numpy as np
from jaxtyping import UInt8


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
        frame = _compressed(frame, quality)
    return frame


def _compressed(frame: UInt8[np.ndarray, "h w 3"], quality: int) -> UInt8[np.ndarray, "h w 3"]:
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
