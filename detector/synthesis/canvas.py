"""A frame being painted, which knows what is left to be seen of every garment on it."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from detector.synthesis.garments import Patch

OBJECT = 255  # owner of the pixels of what is no garment
MOST_IOU = 0.45  # of the boxes of two garments
MOST_INSIDE = 0.75  # part of a box that may lie in another
FEWEST_PIXELS = 30  # of a garment

Box = tuple[int, int, int, int]
Cut = tuple[slice, slice]


class Shadow(NamedTuple):
    """Offset (x, y) and odd width of its blur in pixels; darkness 0..1."""

    offset: tuple[int, int]
    blur: int
    darkness: float


def paint(frame: UInt8[np.ndarray, "h w 3"], patch: Patch, corner: tuple[int, int]) -> None:
    """Lay the patch over the frame, its top left pixel at (x, y) = corner, in or out of it."""
    cut = _overlap(patch.alpha.shape, frame.shape[:2], corner)
    if cut is not None:
        # blendLinear wants arrays without gaps.
        alpha = np.ascontiguousarray(patch.alpha[cut[1]])
        colour = np.ascontiguousarray(patch.colour[cut[1]])
        frame[cut[0]] = cv2.blendLinear(colour, frame[cut[0]].copy(), alpha, 1 - alpha)


def darken(
    frame: UInt8[np.ndarray, "h w 3"], patch: Patch, corner: tuple[int, int], shadow: Shadow
) -> None:
    """The soft shadow of a patch that will be painted at that corner."""
    edge = shadow.blur // 2
    alpha = cv2.copyMakeBorder(patch.alpha, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    alpha = cv2.blur(alpha, (shadow.blur, shadow.blur)) * np.float32(shadow.darkness)
    place = (corner[0] + shadow.offset[0] - edge, corner[1] + shadow.offset[1] - edge)
    paint(frame, Patch(np.zeros((*alpha.shape, 3), np.uint8), alpha), place)


class Canvas:
    """Paints over the frame that it is given.

    A patch is refused, and nothing painted, if it would hide more of a garment than may be: at
    least `visible` of each garment's pixels can be seen at any time, those outside the frame
    counted as hidden. `contrast` is the least difference of the mean colour (0..255, in the
    channel that differs most) between a garment and what it covers.
    """

    def __init__(self, frame: UInt8[np.ndarray, "h w 3"], visible: float, contrast: float) -> None:
        self.frame = frame
        self.shape: tuple[int, int] = frame.shape[:2]
        self._visible = visible
        self._contrast = contrast
        self._owner = np.zeros(self.shape, np.uint8)  # 0 none, garments from 1, OBJECT
        self._areas: list[int] = []  # pixels of each whole garment
        self._boxes: list[Box] = []  # of what was in the frame of it when it was painted

    def add_object(self, patch: Patch, corner: tuple[int, int]) -> bool:
        """Paint something that is no garment, its top left pixel at (x, y) = corner."""
        cut = _overlap(patch.alpha.shape, self.shape, corner)
        if cut is None:
            return False
        solid = patch.alpha[cut[1]] > 0.5
        if not self._spares_the_others(cut[0], solid):
            return False
        paint(self.frame, patch, corner)
        self._owner[cut[0]][solid] = OBJECT
        return True

    def add_garment(self, patch: Patch, corner: tuple[int, int], shadow: Shadow | None) -> bool:
        """Paint a garment; False if it had no place there."""
        cut = _overlap(patch.alpha.shape, self.shape, corner)
        if cut is None:
            return False
        (rows, columns), inside = cut
        solid = patch.alpha[inside] > 0.5
        area = int(np.count_nonzero(patch.alpha > 0.5))
        if np.count_nonzero(solid) < max(self._visible * area, FEWEST_PIXELS):
            return False
        x, y, width, height = cv2.boundingRect(solid.view(np.uint8))
        left, top = columns.start + x, rows.start + y
        box = (left, top, left + width, top + height)
        if any(_too_close(box, other) for other in self._boxes):
            return False
        if not self._spares_the_others(cut[0], solid) or not self._stands_out(patch, cut, solid):
            return False
        if shadow is not None:
            darken(self.frame, patch, corner, shadow)
        paint(self.frame, patch, corner)
        self._areas.append(area)
        self._boxes.append(box)
        self._owner[cut[0]][solid] = len(self._areas)
        return True

    def forget_objects(self) -> None:
        """What was painted of objects becomes background, free to be covered."""
        self._owner[self._owner == OBJECT] = 0

    def visible_boxes(self) -> Float32[np.ndarray, "n 4"]:
        """xyxy, tight around what is left to be seen of each garment."""
        boxes = np.empty((len(self._boxes), 4), np.float32)
        for i, (left, top, _, _) in enumerate(self._boxes):
            x, y, width, height = cv2.boundingRect(self._seen(i).view(np.uint8))
            boxes[i] = left + x, top + y, left + x + width, top + y + height
        return boxes

    def _seen(self, i: int) -> Bool[np.ndarray, "_ _"]:
        left, top, right, bottom = self._boxes[i]
        return self._owner[top:bottom, left:right] == i + 1

    def _spares_the_others(self, cut: Cut, solid: Bool[np.ndarray, "h w"]) -> bool:
        if not self._areas:
            return True
        lost = np.bincount(self._owner[cut][solid], minlength=len(self._areas) + 1)
        return all(
            not lost[i + 1]
            or np.count_nonzero(self._seen(i)) - lost[i + 1]
            >= max(self._visible * area, FEWEST_PIXELS)
            for i, area in enumerate(self._areas)
        )

    def _stands_out(
        self, patch: Patch, cut: tuple[Cut, Cut], solid: Bool[np.ndarray, "h w"]
    ) -> bool:
        mask = solid.view(np.uint8)
        behind, own = cv2.mean(self.frame[cut[0]], mask), cv2.mean(patch.colour[cut[1]], mask)
        return max(abs(a - b) for a, b in zip(own, behind, strict=True)) >= self._contrast


def _overlap(
    patch: tuple[int, ...], frame: tuple[int, int], corner: tuple[int, int]
) -> tuple[Cut, Cut] | None:
    """Rows and columns of the frame and of the patch where both are; None where nowhere."""
    pairs = []
    for start, length, limit in zip(corner[::-1], patch, frame, strict=True):
        first, last = max(start, 0), min(start + length, limit)
        if first >= last:
            return None
        pairs.append((slice(first, last), slice(first - start, last - start)))
    return (pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1])


def _too_close(a: Box, b: Box) -> bool:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    both = width * height
    return both > MOST_IOU * (sum(areas) - both) or both > MOST_INSIDE * min(areas)
