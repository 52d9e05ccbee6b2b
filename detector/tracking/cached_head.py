"""The head in a video: not asked about every garment in every frame."""

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from detector.boxes import Picture, iou
from detector.head import Head, Verdict, square_crops
from fmnist.classes import CLASSES

LASTS = 3  # frames in a row that one answer serves
SAME_PLACE = 0.7  # IoU with the box of the frame before
SAME_LOOK = 24.0  # mean difference of the crops, in gray levels: below it they show the same


class CachedHead:
    """A head for the frames of one video, in their order.

    A box that hardly moved since the frame before, and still looks like the crop that the head
    was asked about, keeps its verdict for `LASTS` frames. The head is most of the arithmetic
    where there are many boxes; this saves up to two thirds of it.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self._boxes = np.zeros((0, 4), np.float32)
        self._crops: UInt8[np.ndarray, "n 28 28"] = square_crops(_NOTHING, self._boxes)
        self._uses: Int64[np.ndarray, " n"] = np.zeros(0, np.int64)
        self._verdict = head.classify(self._crops)

    def __call__(self, frame: Picture, xyxy: Float32[np.ndarray, "n 4"]) -> Verdict:
        """The verdict on each box (pixels of the BGR frame)."""
        crops = square_crops(frame, xyxy)
        uses = np.zeros(len(xyxy), np.int64)
        garment = np.zeros(len(xyxy), np.float32)
        probabilities = np.zeros((len(xyxy), len(CLASSES)), np.float32)
        before = self._before(xyxy, crops)
        kept, asked = before >= 0, before < 0
        which = before[kept]
        uses[kept] = self._uses[which]
        garment[kept] = self._verdict.garment[which]
        probabilities[kept] = self._verdict.probabilities[which]
        garment[asked], probabilities[asked] = self._head.classify(crops[asked])
        crops[kept] = self._crops[which]  # those that were judged: small steps do not add up
        self._boxes, self._crops, self._uses = xyxy, crops, uses + 1
        self._verdict = Verdict(garment, probabilities)
        return self._verdict

    def _before(
        self, xyxy: Float32[np.ndarray, "n 4"], crops: UInt8[np.ndarray, "n 28 28"]
    ) -> Int64[np.ndarray, " n"]:
        """Which box of the frame before has each one's verdict; -1: none, the head is asked."""
        if len(self._boxes) == 0 or len(xyxy) == 0:
            return np.full(len(xyxy), -1, np.int64)
        overlap = iou(xyxy, self._boxes)
        nearest = overlap.argmax(1)
        difference = np.abs(crops.astype(np.float32) - self._crops[nearest]).mean((1, 2))
        same = (overlap.max(1) >= SAME_PLACE) & (difference < SAME_LOOK)
        return np.where(same & (self._uses[nearest] < LASTS), nearest, -1)


_NOTHING = np.zeros((1, 1, 3), np.uint8)
