"""The same garment in another colour: what a class is does not follow from its colour."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from detector.photos.photo import Photo, paste

LIGHTNESS = (18.0, 235.0)  # of a dyed garment's mean, 0..255: from nearly black to white
DARK = 0.35  # of the dyed garments are dark, as clothes are
DARK_LIGHTNESS = (4.0, 45.0)
CHROMA = 22.0  # its distance from gray is drawn with this scale; most clothes have little of it
CONTRAST = (0.2, 1.2)  # of the folds, times that of the photo; little of it in black cloth
STRENGTH = (0.3, 2.0)  # of all colours of a photo, where they are turned
ALIKE = 0.25  # of the people wear one colour from head to foot: edges have to be told by shape
DARK_ALIKE = 0.6  # of those are dark: then all of them is one black shape


def dyed(rng: np.random.Generator, photo: Photo, share: float) -> Photo:
    """Each class of garments, with the probability `share`, in a colour of its own; folds stay.

    With the probability `ALIKE` all get one colour instead, unless `share` is zero. In CIE L*a*b* a
    garment's mean is moved to the one that is drawn, and its hues are turned with it. Skin, hair
    and background stay as they are, and so does a photo without owners. Costs 3 ms for 640x430
    pixels.
    """
    if photo.owner is None:
        return photo
    worn = np.unique(photo.labels)
    if share and rng.random() < ALIKE:
        colours = dict.fromkeys(worn.tolist(), _colour(rng, DARK_ALIKE))
    else:
        colours = {label: _colour(rng, DARK) for label in worn.tolist() if rng.random() < share}
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


def turned(rng: np.random.Generator, photo: Photo) -> Photo:
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
    hue = 128 + distance * np.array([np.cos(angle), np.sin(angle)])
    lightness = DARK_LIGHTNESS if rng.random() < dark else LIGHTNESS
    return np.array([rng.uniform(*lightness), *hue])


def _moved(
    rng: np.random.Generator, pixels: UInt8[np.ndarray, "n 3"], wanted: Float64[np.ndarray, "3"]
) -> UInt8[np.ndarray, "n 3"]:
    lab = cv2.cvtColor(pixels[None], cv2.COLOR_BGR2LAB)[0].astype(np.float32)
    faint = min(1.0, wanted[0] / 2 / DARK_LIGHTNESS[1])  # light that black cloth throws back
    folds = (lab - lab.mean(0)) @ _turn(rng).T * faint
    moved = (wanted + folds).clip(0, 255).astype(np.uint8)
    return cv2.cvtColor(moved[None], cv2.COLOR_LAB2BGR)[0]


def _turn(rng: np.random.Generator) -> Float32[np.ndarray, "3 3"]:
    """Folds weaker or stronger, the plane of hues turned."""
    contrast, angle = rng.uniform(*CONTRAST), rng.uniform(0, 2 * np.pi)
    cos, sin = contrast * np.cos(angle), contrast * np.sin(angle)
    return np.array([[contrast, 0, 0], [0, cos, -sin], [0, sin, cos]], np.float32)
