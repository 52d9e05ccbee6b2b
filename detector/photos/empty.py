"""Real pictures without garments: what is beside the people in their photos."""

from collections.abc import Sequence

import cv2
import numpy as np

from detector.photos.photo import Photo
from detector.synthesis.backgrounds import Backgrounds

LEAST = 0.22  # width of a strip, of the photo's
MARGIN = 0.02


def strips_beside(photos: Sequence[Photo]) -> Backgrounds | None:
    """The strips at the left and right of the people, at their full height; None: there are none.

    Passers-by are in some of them: nobody drew their masks.
    """
    strips = tuple(strip for photo in photos for strip in _strips(photo))
    return Backgrounds(strips, tint=0.15) if strips else None


def _strips(photo: Photo) -> list[np.ndarray]:
    if photo.owner is None:
        return []
    width = photo.owner.shape[1]
    x, _, w, _ = cv2.boundingRect((photo.owner > 0).view(np.uint8))
    margin = int(MARGIN * width)
    strips = photo.image[:, : max(0, x - margin)], photo.image[:, x + w + margin :]
    return [strip for strip in strips if strip.shape[1] >= LEAST * width]
