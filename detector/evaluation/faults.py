"""Pictures spoiled as footage is, always alike: what a detector loses by each fault."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import cv2
import numpy as np

from detector.boxes import Picture
from detector.scene import Scene
from detector.synthesis.lens import coarsened, compressed, motion_kernel

COARSE = 176  # pixels of the longer side


def _gray(picture: Picture) -> Picture:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def _dark(picture: Picture) -> Picture:
    levels = (255 * (np.arange(256) / 255) ** 2).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, levels), np.uint8)


def _soft(picture: Picture) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), max(picture.shape) / 200)


def _moved(picture: Picture) -> Picture:
    return cv2.filter2D(picture, -1, motion_kernel(max(picture.shape) / 50, 0.0))


def _coarse(picture: Picture) -> Picture:
    return coarsened(picture, max(picture.shape) / COARSE)


def _noisy(picture: Picture) -> Picture:
    noise = np.random.default_rng(0).normal(0, 20, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _compressed(picture: Picture) -> Picture:
    return compressed(picture, 15)


FAULTS: Mapping[str, Callable[[Picture], Picture]] = MappingProxyType(
    {
        "gray": _gray,  # as by infrared light
        "dark": _dark,  # every value squared, of 0..1
        "soft": _soft,  # out of focus: a deviation of 1/200 of the longer side
        "moved": _moved,  # sideways, by 1/50 of it
        "coarse": _coarse,  # enlarged from 176 pixels
        "noisy": _noisy,  # a deviation of 20 of 255
        "compressed": _compressed,  # JPEG of quality 15
    }
)


def spoiled(scenes: Sequence[Scene], fault: str) -> list[Scene]:
    """The same scenes with one of `FAULTS`; boxes and labels stay."""
    return [replace(scene, frame=FAULTS[fault](scene.frame)) for scene in scenes]
