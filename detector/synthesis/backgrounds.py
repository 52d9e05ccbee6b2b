"""What stands behind the garments: procedural pictures, or the user's own photos."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import numpy as np
from jaxtyping import UInt8

from detector.boxes import Picture
from detector.pictures import read_picture, shrunk
from detector.synthesis.textures import Painter
from detector.video.sources import pictures_in
from fmnist.errors import InputError

Background = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
"""(rng, size_wh) -> uint8 [height width 3] BGR, owned by the caller."""
LONGEST = 640  # pixels of a side of a photo
T = TypeVar("T")


@dataclass(frozen=True)
class Backgrounds:
    """Pictures painted once and used many times: each call cuts, mirrors and tints one."""

    pictures: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    tint: float = 0.2  # relative spread of the gain of each colour channel

    def __call__(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Picture:
        picture = self.pictures[rng.integers(len(self.pictures))]
        height, width = picture.shape[:2]
        zoom = min(width / size_wh[0], height / size_wh[1]) * rng.uniform(0.45, 1.0)
        w, h = max(1, int(size_wh[0] * zoom)), max(1, int(size_wh[1] * zoom))
        x, y = rng.integers(width - w + 1), rng.integers(height - h + 1)
        cut = picture[y : y + h, x : x + w]
        frame = cv2.resize(cut, size_wh, interpolation=cv2.INTER_LINEAR)
        if rng.random() < 0.5:
            frame = cv2.flip(frame, 1)
        gain = np.clip(1 + rng.normal(0, self.tint) + rng.normal(0, self.tint / 3, 3), 0.3, 1.5)
        offset = rng.normal(0, 50 * self.tint)
        return cv2.transform(frame, np.column_stack([np.diag(gain), np.full(3, offset)]))


def procedural(
    family: Mapping[str, Painter], rng: np.random.Generator, pool_size: int, side: int = 448
) -> Backgrounds:
    """`pool_size` square pictures, the painters of the family in turn (`TRAIN` or `HELD_OUT`)."""
    if pool_size < 1:
        raise ValueError(f"pool_size must be at least 1, not {pool_size}")
    painters = list(family.values())
    return Backgrounds(tuple(painters[i % len(painters)](rng, side) for i in range(pool_size)))


def from_folder(folder: Path, at_most: int = 300) -> Backgrounds:
    """The photos of a folder and the folders inside it, their longest side at most `LONGEST`.

    No more than `at_most` are kept, spread evenly over the sorted names: about 200 MB.
    Raises InputError where the folder is missing, holds no photo, or a photo cannot be read.
    """
    files = photos_in(folder)
    if len(files) > at_most:
        files = [files[i] for i in np.linspace(0, len(files) - 1, at_most).astype(int)]
    return Backgrounds(tuple(shrunk(read_picture(file), LONGEST) for file in files), tint=0.1)


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder and the folders inside it, sorted. InputError where there are none."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Give a folder that holds photos.")
    files = pictures_in(folder, deep=True)
    if not files:
        raise InputError(f"{folder} holds no photo. Put JPEG or PNG files there.")
    return files


@dataclass(frozen=True)
class _Mixture(Generic[T]):
    parts: tuple[Callable[[np.random.Generator, tuple[int, int]], T], ...]
    shares: tuple[float, ...]

    def __call__(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> T:
        return self.parts[rng.choice(len(self.parts), p=self.shares)](rng, size_wh)


def mixture(
    parts: Sequence[Callable[[np.random.Generator, tuple[int, int]], T]], weights: Sequence[float]
) -> Callable[[np.random.Generator, tuple[int, int]], T]:
    """Backgrounds, or scenes: one that calls its parts at random, as often as their weights say."""
    if len(parts) != len(weights) or not parts or min(weights) < 0 or sum(weights) <= 0:
        raise ValueError("mixture wants one weight >= 0 for each part, not all zero")
    total = sum(weights)
    return _Mixture(tuple(parts), tuple(weight / total for weight in weights))
