"""What procedural pictures are made of: colours, smooth noise, grain."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

Square = UInt8[np.ndarray, "side side 3"]  # BGR, square
Painter = Callable[[np.random.Generator, int], Square]


def random_colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """A random BGR colour, half of the time nearly gray as most walls and floors are."""
    gray = rng.uniform(15, 240)
    spread = 10 if rng.random() < 0.5 else 50
    blue, green, red = np.clip(gray + rng.normal(0, spread, 3), 0, 255).astype(int).tolist()
    return blue, green, red


def plain(rng: np.random.Generator, side: int) -> Square:
    return np.full((side, side, 3), random_colour(rng), np.uint8)


def octaves(
    rng: np.random.Generator, side: int, cells: int, decay: float = 0.5, stretch: int = 1
) -> Float32[np.ndarray, "side side"]:
    """Smooth noise of several frequencies, about -1..1 (value noise, cubic interpolation)."""
    total = np.zeros((side, side), np.float32)
    weight, power = 1.0, 0.0
    while cells <= side // 2:
        grid = rng.normal(0, 0.5, (max(2, cells // stretch), cells)).astype(np.float32)
        total += weight * cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
        power += weight * weight
        weight, cells = weight * decay, cells * 2
    return total / max(power, 1e-6) ** 0.5


def mix(
    field: Float32[np.ndarray, "side side"], low: tuple[int, ...], high: tuple[int, ...]
) -> Square:
    """Colours between two ends; the field runs from -1 to 1 and is clipped to it."""
    part = (np.clip(field, -1, 1)[..., None] + 1) / 2
    return (np.array(low) * (1 - part) + np.array(high) * part).astype(np.uint8)


def grain(rng: np.random.Generator, picture: Square, strength: float) -> Square:
    """Smooth noise of about `strength` gray levels over the picture."""
    side = len(picture)
    field = octaves(rng, side, int(rng.integers(4, 40))) * strength
    return np.clip(picture + field[..., None], 0, 255).astype(np.uint8)
