"""Which garment is on a photo that shows one."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from detector.boxes import Detections, Picture
from detector.head import Head
from detector.pipeline import LEAST_SHARE

SURE_OF_ONE = 0.01  # confidence of the grid from which its surest box is that of the garment
TINY = 1e-9


class Single(NamedTuple):
    """The garment's box (pixels of the photo), how likely it is one, and which, in 0..1."""

    xyxy: Float32[np.ndarray, " 4"]
    garment: float
    probabilities: Float32[np.ndarray, " 10"]


def name_single(found: Detections, head: Head, photo: Picture) -> Single:
    """Name the garment on a BGR photo in which the grid found these; none: the whole is its box.

    The head looks at the surest box and at the whole photo, as they are and mirrored; the mean of
    the logarithms of what it says counts twice as much as what the grid says.
    """
    height, width = photo.shape[:2]
    whole = np.array([[0, 0, width, height]], np.float32)
    places = np.concatenate([found.xyxy[:1], whole])
    mirrored = places.copy()
    mirrored[:, [0, 2]] = width - places[:, [2, 0]]
    looks = head(photo, places), head(np.ascontiguousarray(photo[:, ::-1]), mirrored)
    logs = np.log(np.concatenate([look.probabilities for look in looks]) + TINY).mean(0)
    grids = found.probabilities[:1].sum(0) + LEAST_SHARE
    probabilities = np.exp(2 * logs) * grids
    garment = float(np.mean([look.garment[0] for look in looks]))
    return Single(places[0], garment, (probabilities / probabilities.sum()).astype(np.float32))
