"""Where a video cuts from one scene to another."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from detector.boxes import Picture

THUMBNAIL_WH = (64, 36)
BINS = 6  # of each channel
# Of 900 pairs of photos 99 % differ by more than both; of 300 photos panned by a fifth of their
# width 99 % have less than 0.23 of their colours changed, and footage without cuts has 0.08.
OTHER_COLOURS = 0.3  # part of the picture
OTHER_PIXELS = 20.0  # mean difference in gray levels: a wall that gets a little darker has less


class Cuts:
    """Tells of every frame of a video, in their order, whether another scene begins with it."""

    def __init__(self) -> None:
        self._before: UInt8[np.ndarray, "36 64 3"] | None = None
        self._shape: tuple[int, ...] = ()

    def __call__(self, frame: Picture) -> bool:
        """Whether this frame shows another scene than the one before; False for the first.

        One of another size, as of a phone that is turned, does: what was where is not there now.
        """
        # One pixel of each cell: the mean of all costs ten times as much, for a video of 4K 6 ms.
        after = np.asarray(cv2.resize(frame, THUMBNAIL_WH, interpolation=cv2.INTER_NEAREST))
        before, self._before = self._before, after
        is_resized, self._shape = self._shape != frame.shape, frame.shape
        if before is None:
            return False
        if is_resized:
            return True
        if np.abs(after.astype(int) - before).mean() < OTHER_PIXELS:
            return False
        return float(np.abs(_colours(after) - _colours(before)).sum() / 2) > OTHER_COLOURS


def _colours(picture: UInt8[np.ndarray, "36 64 3"]) -> Float32[np.ndarray, "6 6 6"]:
    """How large a part of the picture each of 216 colours has."""
    counts = cv2.calcHist([picture], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3)
    return np.asarray(counts, np.float32) / np.float32(counts.sum())
