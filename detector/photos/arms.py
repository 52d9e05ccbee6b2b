"""Arms bent before the chest, as of whoever folds their hands, holds a cup or looks at a phone."""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from detector.photos.photo import BODY, Photo, mask_boxes, paste
from detector.photos.try_on import ABOVE_THE_WAIST
from fmnist.classes import CLASSES

BARE_IN = {"T-shirt/top": 1.0, "Dress": 0.7, "Shirt": 0.25}  # so often forearms are bare in them
BARE = {CLASSES.index(name): share for name, share in BARE_IN.items()}
DRESS = CLASSES.index("Dress")
NECK = 0.05  # of the photo's height: a shirt begins so far below the coat over it, or above
ONE_ARM = 0.3  # of those who bend any
# In parts of the width and height of what is worn above the waist; the elbow lies at its edge.
ELBOW = (0.45, 0.65)  # of the height
LONGEST = 1.15  # of the width: a coat reaches lower, arms do not
HAND = ((-0.03, 0.12), (0.12, 0.5))  # to its side of the middle, and down from the neck
AT_ELBOW, AT_WRIST = (0.17, 0.25), (0.1, 0.16)  # thickness of the forearm, of the width
SLEEVE = (0.75, 0.95)  # of the way to the hand
TRUNK = 0.2  # of the width, on either side: what hangs there below the elbow was the forearm
FOREARM = 0.8  # of the width, with the hand
CREASE = 0.6  # brightness where a sleeve ends before the trunk
FACE = 0.15  # of the width, to either side of the middle
LEAST_FACE = 20  # pixels
SKIN = ((45.0, 215.0), (10.0, 20.0), (12.0, 26.0))  # L*, a*, b* as OpenCV has them in bytes


class _Arm(NamedTuple):
    """From the elbow to the hand, xy in pixels; how thick at either end; the hand's size."""

    elbow: Float64[np.ndarray, "2"]
    hand: Float64[np.ndarray, "2"]
    thick: tuple[float, float]
    sleeve: float  # part of the way that is cloth

    def at(self, part: float) -> Float64[np.ndarray, "2"]:
        return self.elbow + part * (self.hand - self.elbow)


def with_bent_arms(rng: np.random.Generator, photo: Photo, share: float) -> Photo:
    """Somebody, to be cut out, with hands before the chest, with the probability `share`.

    Photos show few of them, webcams many, and half a sleeve looks like that of a T-shirt unless
    all classes have it at times. The sleeve is drawn in the cloth of what is worn above the waist,
    bare where that has short sleeves; what hung beside the trunk is nobody's from now on. A photo
    without owners, or of nobody who wears something there, stays as it is.
    """
    if photo.owner is None or rng.random() >= share:
        return photo
    above = np.flatnonzero(np.isin(photo.labels, list(ABOVE_THE_WAIST)))
    if not len(above):
        return photo
    number = _uppermost(photo, above)
    is_bare = rng.random() < BARE.get(int(photo.labels[number]), 0.0)
    image, owner = photo.image.copy(), photo.owner.copy()
    here, box = _around(photo.xyxy[number])
    seen, whose = image[here], owner[here]
    skin = _skin(rng, photo, photo.xyxy[number])
    cloth = _cloth(rng, seen, whose == number + 1, box)
    for side in [-1, 1] if rng.random() >= ONE_ARM else [int(rng.choice([-1, 1]))]:
        arm, hangs = _arm(rng, box, side, is_bare, whose.shape)
        if photo.labels[number] != DRESS:  # its skirt hangs there
            whose[hangs & ((whose == number + 1) | (whose == BODY))] = 0
        _draw(seen, whose, arm, cloth, skin, number)
    if not (owner == number + 1).any():
        return photo
    return replace(photo, image=image, owner=owner, xyxy=mask_boxes(owner, len(photo.labels)))


def _uppermost(photo: Photo, above: Int64[np.ndarray, " n"]) -> int:
    """The largest of what begins at the neck."""
    tops = photo.xyxy[above, 1]
    sizes = np.prod(photo.xyxy[above, 2:] - photo.xyxy[above, :2], axis=1)
    at_neck = tops <= tops.min() + NECK * photo.image.shape[0]
    return int(above[np.where(at_neck, sizes, -1).argmax()])


def _around(box: Float32[np.ndarray, "4"]) -> tuple[tuple[slice, slice], Float32[np.ndarray, "4"]]:
    """The rows and columns that bent arms and what hung can take, and the box in them."""
    left, top, right, bottom = box.astype(int).tolist()
    side = round(AT_ELBOW[1] * (right - left))
    x, y = max(0, left - side), max(0, top - side)
    inside = box - np.array([x, y, x, y], np.float32)
    return (slice(y, bottom + side), slice(x, right + side)), inside


def _arm(
    rng: np.random.Generator, box: np.ndarray, side: int, is_bare: bool, shape: tuple[int, ...]
) -> tuple[_Arm, Bool[np.ndarray, "h w"]]:
    """An arm, and where the forearm hung."""
    left, top, right, bottom = box.tolist()
    width = right - left
    height = min(bottom - top, LONGEST * width)
    middle, edge = (left + right) / 2, right if side > 0 else left
    thick = rng.uniform(*AT_ELBOW) * width, rng.uniform(*AT_WRIST) * width
    elbow = np.array([edge - side * thick[0] / 2, top + rng.uniform(*ELBOW) * height])
    hand = np.array(
        [middle + side * rng.uniform(*HAND[0]) * width, top + rng.uniform(*HAND[1]) * height]
    )
    y, x = np.ogrid[: shape[0], : shape[1]]
    outside = (x - (edge - side * TRUNK * width)) * side > 0
    below = (y > elbow[1] + thick[0] / 2) & (y < elbow[1] + FOREARM * width)
    sleeve = rng.uniform(0, 0.15) if is_bare else rng.uniform(*SLEEVE)
    return _Arm(elbow, hand, thick, sleeve), outside & below


def _draw(
    image: UInt8[np.ndarray, "h w 3"],
    owner: UInt8[np.ndarray, "h w"],
    arm: _Arm,
    cloth: UInt8[np.ndarray, "h w 3"],
    skin: UInt8[np.ndarray, "3"],
    number: int,
) -> None:
    """The bare part and the hand, then the sleeve over them."""
    bare = _limb(owner.shape, arm, arm.sleeve, 1.0)
    wrist = arm.thick[1]
    along = arm.hand + 0.6 * wrist * (arm.hand - arm.elbow) / (
        np.linalg.norm(arm.hand - arm.elbow) + 1e-6
    )
    angle = float(np.degrees(np.arctan2(*(arm.hand - arm.elbow)[::-1])))
    axes = (max(1, round(1.1 * wrist)), max(1, round(0.55 * wrist)))
    cv2.ellipse(bare, np.round(along).astype(int).tolist(), axes, angle, 0, 360, 1, -1)
    sleeve = _limb(owner.shape, arm, 0.0, arm.sleeve)
    for part, filled, whose in (
        (bare.astype(bool), np.broadcast_to(skin, image.shape).astype(np.uint8), BODY),
        (sleeve.astype(bool), cloth, number + 1),
    ):
        if part.any():
            _with_crease(image, part, wrist)
            paste(image, _rounded(filled, part, wrist), part)
            owner[part] = whose


def _limb(shape: tuple[int, ...], arm: _Arm, begin: float, end: float) -> UInt8[np.ndarray, "h w"]:
    mask = np.zeros(shape, np.uint8)
    along = arm.hand - arm.elbow
    across = np.array([-along[1], along[0]]) / (np.linalg.norm(along) + 1e-6) / 2
    corners = []
    for part, signs in ((begin, (1, -1)), (end, (-1, 1))):
        thick = arm.thick[0] + part * (arm.thick[1] - arm.thick[0])
        corners += [arm.at(part) + sign * thick * across for sign in signs]
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    if begin == 0:  # the elbow is round
        centre = np.round(arm.elbow).astype(int).tolist()
        cv2.circle(mask, centre, max(1, round(arm.thick[0] / 2)), 1, -1)
    return mask


def _with_crease(
    image: UInt8[np.ndarray, "h w 3"], part: Bool[np.ndarray, "h w"], wrist: float
) -> None:
    """Shadow around a limb, on what is behind it."""
    side = max(3, round(0.3 * wrist) | 1)
    shadow = cv2.GaussianBlur(part.astype(np.float32), (2 * side + 1,) * 2, side / 2)
    image[:] = (image * (1 - (1 - CREASE) * shadow[..., None])).astype(np.uint8)


def _rounded(
    filled: UInt8[np.ndarray, "h w 3"], part: Bool[np.ndarray, "h w"], wrist: float
) -> UInt8[np.ndarray, "h w 3"]:
    """Darker towards the edges, as of a cylinder."""
    deep = cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 3)
    light = 0.72 + 0.33 * np.minimum(1, deep / max(1.0, 0.5 * wrist))
    return (filled * light[..., None]).clip(0, 255).astype(np.uint8)


def _cloth(
    rng: np.random.Generator,
    image: UInt8[np.ndarray, "h w 3"],
    worn: Bool[np.ndarray, "h w"],
    box: Float32[np.ndarray, "4"],
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with the garment turned about its middle, folds and print, its mean around it."""
    mean = cv2.mean(image, worn.view(np.uint8))[:3]
    filled = np.where(worn[..., None], image, np.array(mean, np.uint8))
    centre = float(box[0::2].mean()), float(box[1::2].mean())
    matrix = cv2.getRotationMatrix2D(centre, rng.uniform(0, 360), 1.0)
    size_wh = (image.shape[1], image.shape[0])
    turned = cv2.warpAffine(
        filled, matrix, size_wh, borderMode=cv2.BORDER_CONSTANT, borderValue=mean
    )
    return np.asarray(turned, np.uint8)


def _skin(
    rng: np.random.Generator, photo: Photo, box: Float32[np.ndarray, "4"]
) -> UInt8[np.ndarray, "3"]:
    """BGR of the face above what is worn, or of some skin where there is none."""
    assert photo.owner is not None
    left, top, right, _ = box.tolist()
    middle, reach = (left + right) / 2, FACE * (right - left)
    face = np.s_[
        max(0, round(top - 2 * reach)) : round(top),
        max(0, round(middle - reach)) : round(middle + reach),
    ]
    pixels = photo.image[face][photo.owner[face] == BODY]
    if len(pixels) >= LEAST_FACE:
        return np.median(pixels, axis=0).astype(np.uint8)
    (dark, fair), red, yellow = SKIN
    lab = [rng.uniform(dark, fair), 128 + rng.uniform(*red), 128 + rng.uniform(*yellow)]
    return cv2.cvtColor(np.array([[lab]]).astype(np.uint8), cv2.COLOR_LAB2BGR)[0, 0]
