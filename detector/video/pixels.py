"""Pixels that are not square (DVD, DVB, DV), made so."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from detector.boxes import Picture

Stretch = tuple[float, float]  # across and down
SQUARE: Stretch = (1.0, 1.0)
WIDEST = 4  # times its height; a file that tells of a wider pixel errs


def stretch_of(width: float, height: float, is_lying: bool = False) -> Stretch:
    """What makes pixels of that shape square: the shorter of their sides grows.

    `is_lying` where they are those of a picture that is then turned by a quarter.
    """
    if not (width > 0 and height > 0 and 1 / WIDEST <= width / height <= WIDEST):
        return SQUARE
    if is_lying:
        width, height = height, width
    return max(width / height, 1.0), max(height / width, 1.0)


def stretched_size(size_wh: Sequence[int], stretch: Stretch) -> tuple[int, int]:
    return round(size_wh[0] * stretch[0]), round(size_wh[1] * stretch[1])


def rescaled(image: Picture, size_wh: tuple[int, int]) -> UInt8[np.ndarray, "rows columns 3"]:
    """The picture with that size, if it is of the same shape up to two pixels; else as it is.

    So a call whose sender saves data for a while stays one scene, and a phone that is turned does
    not.
    """
    height, width = image.shape[:2]
    scale = size_wh[0] / width
    if (width, height) == size_wh or abs(height * scale - size_wh[1]) > 2 * max(1.0, scale):
        return image
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size_wh, interpolation=method), np.uint8)


def stretched(image: Picture, stretch: Stretch) -> UInt8[np.ndarray, "rows columns 3"]:
    """The picture in square pixels."""
    if stretch == SQUARE:
        return image
    return np.asarray(cv2.resize(image, stretched_size(image.shape[1::-1], stretch)), np.uint8)
