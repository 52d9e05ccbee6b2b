"""People in clothes that nobody in the photos wears: a garment by itself is laid over theirs."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool

from detector.photos.photo import BODY, Photo, mask_boxes, paste
from fmnist.classes import CLASSES

ABOVE_THE_WAIST = frozenset(
    map(CLASSES.index, ("T-shirt/top", "Pullover", "Dress", "Coat", "Shirt"))
)
LOOSE = (1.0, 1.25)  # width and height of what is put on, times those of what was worn
STRETCHED = 1.6  # taller or wider by more than that, it is another kind of garment
COVERED = 0.3  # of a garment that is kept: if less of it still looks out, it is none to be found


def worn_above_the_waist(photo: Photo) -> Bool[np.ndarray, " n"]:
    """Which of its garments are."""
    return np.isin(photo.labels, list(ABOVE_THE_WAIST))


def tried_on(rng: np.random.Generator, person: Photo, garment: Photo) -> Photo:
    """The person, to be cut out, in a single garment (cut out, too) in place of their tops.

    The garment is stretched over the box of what was worn above the waist; what of that still
    looks out is nobody's from now on, so that it is not cut out. The new garment is the last one.
    A person who wears nothing there, or something much longer or shorter, stays as they are. Costs
    2 ms for 600x400 pixels.
    """
    assert person.owner is not None and garment.owner is not None
    above = worn_above_the_waist(person)
    if not above.any():
        return person
    matrix = _stretched(rng, garment, person.xyxy[above])
    if not 1 / STRETCHED <= matrix[1, 1] / abs(matrix[0, 0]) <= STRETCHED:
        return person
    size_wh = person.image.shape[1::-1]
    solid = cv2.warpAffine(
        (garment.owner == 1).view(np.uint8), matrix, size_wh, flags=cv2.INTER_NEAREST
    ).astype(bool)
    image = person.image.copy()
    paste(image, cv2.warpAffine(garment.image, matrix, size_wh), solid)
    before = np.bincount(person.owner.reshape(-1), minlength=256)
    after = np.bincount(person.owner[~solid], minlength=256)
    seen = after[1 : len(above) + 1] >= COVERED * before[1 : len(above) + 1]
    kept = np.flatnonzero(~above & seen)
    numbers = np.zeros(256, np.uint8)
    numbers[np.flatnonzero(~above) + 1] = BODY  # cut out, though nobody asks for a sliver
    numbers[kept + 1] = np.arange(1, len(kept) + 1)
    numbers[BODY] = BODY
    owner = numbers[person.owner]
    owner[solid] = len(kept) + 1
    labels = np.append(person.labels[kept], garment.labels[0])
    return replace(
        person, image=image, xyxy=mask_boxes(owner, len(labels)), labels=labels, owner=owner
    )


def _stretched(rng: np.random.Generator, garment: Photo, worn: np.ndarray) -> np.ndarray:
    """From pixels of the garment's photo to the person's: its box upon theirs, somewhat larger."""
    left, top = worn[:, :2].min(0)
    right, bottom = worn[:, 2:].max(0)
    x1, y1, x2, y2 = garment.xyxy[0]
    wide, tall = rng.uniform(*LOOSE, 2)
    across, down = wide * (right - left) / (x2 - x1), tall * (bottom - top) / (y2 - y1)
    mirror = -1 if rng.random() < 0.5 else 1
    # The middle of the box stays in the middle; what is longer hangs lower.
    x = (left + right) / 2 - mirror * across * (x1 + x2) / 2
    y = top - down * y1
    return np.array([[mirror * across, 0, x], [0, down, y]])
