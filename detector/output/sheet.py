"""A contact sheet of a run: frames from all over it, however long it turns out to be."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from detector.boxes import Detections, Picture
from detector.output.draw import draw
from detector.pictures import write_image

PICTURES = 12
COLUMNS = 3
PICTURE_WIDTH = 640
TALLEST = 2 * PICTURE_WIDTH  # a picture of a long strip


class Sheet:
    """Keeps small drawn frames, evenly spaced in order; writes the sheet when it is closed.

    Memory is bounded: when there are twice as many as wanted, every other one goes, and from
    then on only half as many come in. Without a path, or without a frame, nothing is written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.is_written = False
        self._kept: list[UInt8[np.ndarray, "_ _ 3"]] = []
        self._stride = 1
        self._offered = 0

    def add(
        self,
        frame: Picture,
        detections: Detections,
        labels: Sequence[str],
    ) -> None:
        """Offer a frame; most are not looked at."""
        number, self._offered = self._offered, self._offered + 1
        if self.path is None or number % self._stride:
            return
        if len(self._kept) == 2 * PICTURES:
            self._kept = self._kept[::2]
            self._stride *= 2
        # Made small first: labels drawn on a large frame could not be read on the sheet.
        height, width = frame.shape[:2]
        scale = np.float32(min(PICTURE_WIDTH / width, TALLEST / height))
        size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        self._kept.append(draw(small, replace(detections, xyxy=detections.xyxy * scale), labels))

    def __enter__(self) -> "Sheet":
        return self

    def __exit__(self, *_: object) -> None:
        if self.path and self._kept:
            count = min(PICTURES, len(self._kept))
            chosen = np.linspace(0, len(self._kept) - 1, count).round().astype(int)
            gaps = 10 * (COLUMNS + 1)
            pictures = [self._kept[index] for index in chosen]
            write_image(self.path, contact_sheet(pictures, COLUMNS, COLUMNS * PICTURE_WIDTH + gaps))
            self.is_written = True


def contact_sheet(
    frames: Sequence[UInt8[np.ndarray, "_ _ 3"]], columns: int = 4, width: int = 1600
) -> UInt8[np.ndarray, "_ width 3"]:
    """The frames in reading order on one sheet `width` pixels wide, all in cells of one size.

    The first frame gives the shape of the cells, which are at most twice as high as wide; others
    are fitted into them whole.
    """
    if not frames:
        raise ValueError("wanted at least one frame")
    columns = min(columns, len(frames))
    gap = max(2, width // 200)
    cell_width = (width - gap * (columns + 1)) // columns
    cell_height = max(1, round(cell_width * frames[0].shape[0] / frames[0].shape[1]))
    cell_height = min(cell_height, 2 * cell_width)
    rows = math.ceil(len(frames) / columns)
    sheet = np.full((gap + rows * (cell_height + gap), width, 3), 24, np.uint8)
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        scale = min(cell_width / frame.shape[1], cell_height / frame.shape[0])
        size_wh = tuple(max(1, round(side * scale)) for side in (frame.shape[1], frame.shape[0]))
        small = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA)
        left = gap + column * (cell_width + gap) + (cell_width - small.shape[1]) // 2
        top = gap + row * (cell_height + gap) + (cell_height - small.shape[0]) // 2
        sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return sheet
