"""A frame as the network reads it: shrunk to its size, filled up to whole cells, as numbers."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from torch import Tensor

from detector.boxes import Picture
from detector.layouts import CELLS

GRAY = 114  # fills what the frame leaves of the input
WIDER = 1.5  # times the size of an upright frame is the most that a wide frame is read with


def letterbox(frame: Picture, longest: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """Scale the longest side to so many pixels, fill with gray at the right and at the bottom.

    Both sides become the next multiple of `CELLS`.
    """
    size_wh = scaled_size(frame.shape[1], frame.shape[0], longest)
    frame = _halved(frame, size_wh)
    shrinks = max(size_wh) < max(frame.shape[:2])
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    scaled = cv2.resize(frame, size_wh, interpolation=method)
    columns, rows = (-(-side // CELLS) * CELLS for side in size_wh)
    canvas = np.full((rows, columns, 3), GRAY, np.uint8)
    canvas[: size_wh[1], : size_wh[0]] = scaled
    return canvas


def check_frame(frame: object) -> None:
    """ValueError if it is no picture of bytes in three colours."""
    if not isinstance(frame, np.ndarray):
        got = "None: was there no picture to read?" if frame is None else type(frame).__name__
        raise ValueError(f"a frame is one array, not {got}")
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        told = f"{frame.dtype} of the shape {frame.shape}"
        raise ValueError(f"a frame is uint8 of the shape (height, width, 3) in BGR, not {told}")


def _halved(frame: Picture, least_wh: tuple[int, int]) -> UInt8[np.ndarray, "rows columns 3"]:
    """The frame, halved while it stays at least that large: means of 2x2 pixels cost little."""
    height, width = frame.shape[:2]
    while width % 2 == height % 2 == 0 and width >= 2 * least_wh[0] and height >= 2 * least_wh[1]:
        width, height = width // 2, height // 2
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return frame


def as_input(
    images: UInt8[Tensor, "batch height width 3"],
) -> Float32[Tensor, "batch 3 height width"]:
    """Bytes to what the network reads; NHWC in memory is channels_last already."""
    return images.float().permute(0, 3, 1, 2) / 255  # TensorRT turns bytes into floats first


def longest_side(width: int, height: int, image_size: int) -> int:
    """At how many pixels of its longest side a frame is looked at.

    That is `image_size`, but more for a frame that is wider than high: who stands in it is as tall
    as its height allows, and would else be looked at smaller than in an upright frame.
    """
    wide = int(image_size * min(width / height, WIDER)) // CELLS * CELLS
    return max(image_size, wide)


def scaled_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height of a frame whose longest side becomes so many pixels."""
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
