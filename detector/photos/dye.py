"""The same garment in another colour: what a class is does not follow from its colour."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from detector.photos.photo import BODY, Photo, paste
from fmnist.classes import CLASSES

LIGHTNESS = (18.0, 235.0)  # of a dyed garment's mean, 0..255: from nearly black to white
DARK = 0.35  # of the dyed garments are dark, as clothes are
DARK_LIGHTNESS = (4.0, 45.0)
CHROMA = 22.0  # its distance from gray is drawn with this scale; most clothes have little of it
CONTRAST = (0.2, 1.2)  # of the folds, times that of the photo; little of it in black cloth
STRENGTH = (0.3, 2.0)  # of all colours of a photo, where they are turned
ALIKE = 0.25  # of the people wear one colour from neck to foot: edges have to be told by shape
DARK_ALIKE = 0.6  # of those are dark: then all of them is one black shape
BAG = CLASSES.index("Bag")
SEAM = 0.012  # of the photo's height: what lies between two garments of one colour, a belt too


def dyed(rng: np.random.Generator, photo: Photo, share: float) -> Photo:
    """Each class of garments, with the probability `share`, in a colour of its own; folds stay.

    With the probability `ALIKE` all but bags get one colour instead, unless `share` is zero. In
    CIE L*a*b* a garment's mean is moved to the one that is drawn, and its hues are turned with it.
    Skin, hair and background stay as they are (but for what lies in a seam of one colour), and so
    does a photo without owners. Costs 3 ms for 640x430 pixels.
    """
    if photo.owner is None:
        return photo
    worn = np.unique(photo.labels).tolist()
    if share and rng.random() < ALIKE:
        return _in_one_colour(rng, photo)
    colours = {label: _colour(rng, DARK) for label in worn if rng.random() < share}
    image = photo.image.copy() if colours else photo.image
    for number, label in enumerate(photo.labels.tolist(), 1):
        if label not in colours:
            continue
        x1, y1, x2, y2 = photo.xyxy[number - 1].astype(int)
        part = image[y1:y2, x1:x2]
        mask = photo.owner[y1:y2, x1:x2] == number
        if mask.any():
            new = part.copy()
            new[mask] = _moved(rng, part[mask], colours[label])
            paste(part, new, mask)
    return replace(photo, image=image)


def _in_one_colour(rng: np.random.Generator, photo: Photo) -> Photo:
    """All but bags, with no seam between two garments: whoever is in black is one black shape.

    An edge that is left there would be what a network looks for, and in footage there is none.
    Costs 10 ms.
    """
    assert photo.owner is not None
    colour = _colour(rng, DARK_ALIKE)
    numbers = 1 + np.flatnonzero(photo.labels != BAG)
    if not len(numbers):
        return photo
    image = photo.image.copy()
    left, top = photo.xyxy[numbers - 1, :2].min(0).astype(int)
    right, bottom = photo.xyxy[numbers - 1, 2:].max(0).astype(int)
    part, owner = image[top:bottom, left:right], photo.owner[top:bottom, left:right]
    role = np.zeros(256, np.uint8)  # 1: what gets the colour, 2: what may lie in a seam
    role[numbers], role[BODY] = 1, 2
    roles = cv2.LUT(owner, role)
    seam = np.ones((max(3, round(SEAM * len(image)) | 1),) * 2, np.uint8)
    closed = cv2.morphologyEx((roles == 1).view(np.uint8), cv2.MORPH_CLOSE, seam)
    shape = (closed > 0) & (roles > 0)
    least, most = np.where(roles == 1, owner, 255), np.where(roles == 1, owner, 0)
    inside = cv2.erode(least, seam) == cv2.dilate(most, seam)  # far from every other garment
    new = part.copy()
    new[shape] = _bgr(colour[None])
    for number in numbers:
        x1, y1, x2, y2 = photo.xyxy[number - 1].astype(int) - [left, top, left, top]
        here = slice(y1, y2), slice(x1, x2)
        mask = inside[here] & (owner[here] == number)
        if mask.any():
            new[here][mask] = _moved(rng, part[here][mask], colour)
    paste(part, new, shape)
    return replace(photo, image=image)


def hue_shifted(rng: np.random.Generator, photo: Photo) -> Photo:
    """All hues of the photo turned by one angle, and paler or stronger: for those without skin.

    It asks for no mask, so that nothing is seen of where a garment ends. Costs 1 ms for 288x216.
    """
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(*STRENGTH)
    cos, sin = strength * np.cos(angle), strength * np.sin(angle)
    matrix = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    gray = np.array([0, 128, 128])
    lab = cv2.cvtColor(photo.image, cv2.COLOR_BGR2LAB)
    lab = cv2.transform(lab, np.column_stack([matrix, gray - matrix @ gray]))
    return replace(photo, image=cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))


def _colour(rng: np.random.Generator, dark: float) -> Float64[np.ndarray, "3"]:
    """L*, a*, b* as OpenCV has them in bytes."""
    angle, distance = rng.uniform(0, 2 * np.pi), rng.rayleigh(CHROMA)
    lightness = rng.uniform(*(DARK_LIGHTNESS if rng.random() < dark else LIGHTNESS))
    hue = distance * _thrown_back(lightness) * np.array([np.cos(angle), np.sin(angle)])
    return np.array([lightness, *(128 + hue)])


def _thrown_back(lightness: float) -> float:
    """Part of the light that cloth throws back: black has neither folds nor hues to be seen."""
    return min(1.0, lightness / 2 / DARK_LIGHTNESS[1])


def _moved(
    rng: np.random.Generator, pixels: UInt8[np.ndarray, "n 3"], wanted: Float64[np.ndarray, "3"]
) -> UInt8[np.ndarray, "n 3"]:
    lab = cv2.cvtColor(pixels[None], cv2.COLOR_BGR2LAB)[0].astype(np.float32)
    folds = (lab - lab.mean(0)) @ _turn(rng).T * _thrown_back(wanted[0])
    return _bgr(wanted + folds)


def _bgr(lab: np.ndarray) -> UInt8[np.ndarray, "n 3"]:
    return cv2.cvtColor(lab.clip(0, 255).astype(np.uint8)[None], cv2.COLOR_LAB2BGR)[0]


def _turn(rng: np.random.Generator) -> Float32[np.ndarray, "3 3"]:
    """Folds weaker or stronger, the plane of hues turned."""
    contrast, angle = rng.uniform(*CONTRAST), rng.uniform(0, 2 * np.pi)
    cos, sin = contrast * np.cos(angle), contrast * np.sin(angle)
    return np.array([[contrast, 0, 0], [0, cos, -sin], [0, sin, cos]], np.float32)
