"""A contact sheet of a run: frames from all over it, however long it turns out to be."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from detector.boxes import Detections, Picture
from detector.output.draw import contact_sheet, draw
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
