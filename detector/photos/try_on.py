"""People in clothes that nobody in the photos wears: a garment by itself is laid over theirs."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool

from detector.photos.photo import Photo, left_over, mask_boxes, paste, renumbered
from fmnist.classes import CLASSES

ABOVE_THE_WAIST = frozenset(
    map(CLASSES.index, ("T-shirt/top", "Pullover", "Dress", "Coat", "Shirt"))
)
LOOSE = (1.0, 1.25)  # width and height of what is put on, times those of what was worn
STRETCHED = 1.6  # taller or wider by more than that, it is another kind of garment
CHEST = (0.35, 0.5)  # of a garment's height
NARROW = 0.5  # of the width there: above the shoulders it is narrower
HOOD = 0.15  # of the height: so high is what stands above them; collars and slopes are lower
LAID_BACK = (0.2, 0.6)  # of a hood's height is seen behind the neck of whoever wears it
COVERED = 0.3  # of a garment that is kept: if less of it still looks out, it is none to be found


def worn_above_the_waist(photo: Photo) -> Bool[np.ndarray, " n"]:
    """Which of its garments are."""
    return np.isin(photo.labels, list(ABOVE_THE_WAIST))


def tried_on(rng: np.random.Generator, person: Photo, garment: Photo) -> Photo:
    """The person, to be cut out, in a single garment (cut out, too) in place of their tops.

    The garment is stretched over the box of what was worn above the waist; what of that still
    looks out is nobody's from now on, so that it is not cut out. The new garment is the last one.
    A person who wears nothing there, or something much longer or shorter, stays as they are. A
    hood lies behind their neck. Costs 2 ms for 600x400 pixels.
    """
    assert person.owner is not None
    above = worn_above_the_waist(person)
    if not above.any():
        return person
    garment, shoulders = _hood_down(rng, garment)
    assert garment.owner is not None
    matrix = _stretched(rng, garment, shoulders, person.xyxy[above])
    if not 1 / STRETCHED <= matrix[1, 1] / abs(matrix[0, 0]) <= STRETCHED:
        return person
    size_wh = person.image.shape[1::-1]
    whose = cv2.warpAffine(garment.owner, matrix, size_wh, flags=cv2.INTER_NEAREST)
    solid = np.asarray(whose == 1)
    neck = round(float(person.xyxy[above, 1].min()))
    solid[:neck] &= person.owner[:neck] == 0
    image = person.image.copy()
    paste(image, cv2.warpAffine(garment.image, matrix, size_wh), solid)
    seen = left_over(person.owner, np.where(solid, np.uint8(0), person.owner), len(above))
    kept = ~above & (seen >= COVERED)
    owner = renumbered(person.owner, kept)
    labels = np.append(person.labels[kept], garment.labels[0])
    owner[solid] = len(labels)
    return replace(
        person, image=image, xyxy=mask_boxes(owner, len(labels)), labels=labels, owner=owner
    )


def _hood_down(rng: np.random.Generator, garment: Photo) -> tuple[Photo, int]:
    """With what stands above its shoulders pressed together; the row where these begin.

    Without a hood it stays as it is, and begins at its top.
    """
    assert garment.owner is not None
    top, bottom = garment.xyxy[0, 1::2].astype(int).tolist()
    widths = (garment.owner[top:bottom] == 1).sum(1)
    chest = np.median(widths[slice(*(round(part * len(widths)) for part in CHEST))])
    shoulders = int(np.argmax(widths >= NARROW * chest))
    if shoulders < HOOD * len(widths):
        return garment, top
    tall = max(1, round(rng.uniform(*LAID_BACK) * shoulders))

    def pressed(whole: np.ndarray, how: int) -> np.ndarray:
        hood = cv2.resize(whole[top : top + shoulders], (whole.shape[1], tall), interpolation=how)
        return np.concatenate([hood, whole[top + shoulders :]])

    image = pressed(garment.image, cv2.INTER_AREA)
    owner = pressed(garment.owner, cv2.INTER_NEAREST)
    return replace(garment, image=image, owner=owner, xyxy=mask_boxes(owner, 1)), tall


def _stretched(
    rng: np.random.Generator, garment: Photo, shoulders: int, worn: np.ndarray
) -> np.ndarray:
    """From pixels of the garment's photo to the person's: its box, from the shoulders on, upon
    theirs, somewhat larger."""
    left, top = worn[:, :2].min(0)
    right, bottom = worn[:, 2:].max(0)
    x1, _, x2, y2 = garment.xyxy[0]
    wide, tall = rng.uniform(*LOOSE, 2)
    across, down = wide * (right - left) / (x2 - x1), tall * (bottom - top) / (y2 - shoulders)
    mirror = -1 if rng.random() < 0.5 else 1
    # The middle of the box stays in the middle; what is longer hangs lower.
    x = (left + right) / 2 - mirror * across * (x1 + x2) / 2
    y = top - down * shoulders
    return np.array([[mirror * across, 0, x], [0, down, y]])
