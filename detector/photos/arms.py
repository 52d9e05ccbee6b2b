"""Arms bent before the chest, as of whoever folds their hands, holds a cup or looks at a phone."""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from detector.boxes import area
from detector.photos.photo import BODY, Photo, left_over, mask_boxes, paste, renumbered
from detector.photos.try_on import COVERED, worn_above_the_waist
from fmnist.classes import CLASSES

BARE_IN = {"T-shirt/top": 1.0, "Dress": 0.7, "Shirt": 0.25}  # so often forearms are bare in them
BARE = {CLASSES.index(name): share for name, share in BARE_IN.items()}
DRESS = CLASSES.index("Dress")
NECK = 0.05  # of the photo's height: a shirt begins so far below the coat over it, or above
LEAST = 8  # pixels of the shorter side of what is worn
ONE_ARM = 0.3  # of those who bend any
# In parts of the width and height of what is worn above the waist; the elbow lies at its edge.
ELBOW = (0.45, 0.65)  # of the height
LONGEST = 1.15  # of the width: a coat reaches lower, arms do not
HAND = ((-0.03, 0.12), (0.12, 0.5))  # to its side of the middle, and down from the neck
AT_ELBOW, AT_WRIST = (0.17, 0.25), (0.1, 0.16)  # thickness of the forearm, of the width
SLEEVE = (0.75, 0.95)  # of the way to the hand
SHORT_SLEEVE = (0.0, 0.15)
TRUNK = 0.2  # of the width, on either side: what hangs there below the elbow was the forearm
FOREARM = 0.8  # of the width, with the hand
# In parts of the wrist.
PALM, FIST = (1.1, 0.55), 0.6  # half of the length and breadth of a hand; how far it is beyond
SHADOW, SHADOWED = 0.3, 0.6  # reach and brightness of the shadow round a limb
AT_EDGE, INSIDE = 0.72, 1.05  # brightness of a limb
FACE = 0.15  # of the width, to either side of the middle
LEAST_FACE = 20  # pixels
SKIN = ((45, 133, 133), (250, 160, 170))  # L*, a*, b* as OpenCV has them in bytes: hair is paler
TONE = 65  # percentile of a face's pixels: some lie in shadow


class _Arm(NamedTuple):
    """From elbow to hand, xy in pixels; how thick at either end; the part of the way in cloth."""

    elbow: Float64[np.ndarray, "2"]
    hand: Float64[np.ndarray, "2"]
    thick: tuple[float, float]
    sleeve: float

    def along(self) -> Float64[np.ndarray, "2"]:
        """Its direction, of length 1."""
        way = self.hand - self.elbow
        return way / (np.linalg.norm(way) + 1e-6)


def with_bent_arms(rng: np.random.Generator, photo: Photo, share: float) -> Photo:
    """Somebody, to be cut out, with hands before the chest, with the probability `share`.

    Photos show few of them, webcams many, and half a sleeve looks like that of a T-shirt unless
    all classes have it at times. The sleeve is drawn in the cloth of what is worn above the waist,
    bare where that has short sleeves; what hung beside the trunk is nobody's from now on, and what
    the arms cover is no garment to be found. A photo without owners, or of nobody who wears
    something there, stays as it is. Costs 8 ms for 640x430 pixels.
    """
    if photo.owner is None or rng.random() >= share:
        return photo
    above = np.flatnonzero(worn_above_the_waist(photo))
    if not len(above):
        return photo
    index = _largest_at_neck(photo, above)
    if np.min(photo.xyxy[index, 2:] - photo.xyxy[index, :2]) < LEAST:
        return photo
    is_bare = rng.random() < BARE.get(int(photo.labels[index]), 0.0)
    image, owner = photo.image.copy(), photo.owner.copy()
    here, box = _around(photo.xyxy[index])
    seen, whose = image[here], owner[here]
    skin = _skin(rng, photo, photo.xyxy[index])
    cloth = _cloth(rng, seen, whose == index + 1, box)
    sides = [-1, 1] if rng.random() >= ONE_ARM else [int(rng.choice([-1, 1]))]
    arms = [_arm(rng, box, side, is_bare) for side in sides]
    loose = _loose(photo, above, index)
    for arm, side in zip(arms, sides, strict=True):
        whose[_hanging(arm, box, side, whose.shape) & np.isin(whose, loose)] = 0
    whose[_afloat(whose, loose)] = 0
    for arm in arms:
        _draw(seen, whose, arm, cloth, skin, index + 1)
    kept = left_over(photo.owner, owner, len(photo.labels)) >= COVERED
    kept[index] = True
    owner = renumbered(owner, kept)
    boxes = mask_boxes(owner, int(kept.sum()))
    return replace(photo, image=image, owner=owner, xyxy=boxes, labels=photo.labels[kept])


def _largest_at_neck(photo: Photo, above: Int64[np.ndarray, " n"]) -> int:
    """Of what begins there."""
    tops = photo.xyxy[above, 1]
    sizes = area(photo.xyxy[above])
    at_neck = tops <= tops.min() + NECK * photo.image.shape[0]
    return int(above[np.where(at_neck, sizes, -1).argmax()])


def _around(box: Float32[np.ndarray, "4"]) -> tuple[tuple[slice, slice], Float32[np.ndarray, "4"]]:
    """The rows and columns that bent arms and what hung can take, and the box in them."""
    left, top, right, bottom = box.astype(int).tolist()
    width = right - left
    side, below = round(AT_ELBOW[1] * width), round(FOREARM * width)
    x, y = max(0, left - side), max(0, top - side)
    inside = box - np.array([x, y, x, y], np.float32)
    return (slice(y, bottom + below), slice(x, right + side)), inside


def _arm(rng: np.random.Generator, box: Float32[np.ndarray, "4"], side: int, is_bare: bool) -> _Arm:
    """The left one of the picture (`side` -1) or the right one (1)."""
    left, top, right, bottom = box.tolist()
    width = right - left
    height = min(bottom - top, LONGEST * width)
    thick = rng.uniform(*AT_ELBOW) * width, rng.uniform(*AT_WRIST) * width
    edge = right if side > 0 else left
    elbow = np.array([edge - side * thick[0] / 2, top + rng.uniform(*ELBOW) * height])
    aside, down = rng.uniform(*HAND[0]) * width, rng.uniform(*HAND[1]) * height
    hand = np.array([(left + right) / 2 + side * aside, top + down])
    return _Arm(elbow, hand, thick, rng.uniform(*(SHORT_SLEEVE if is_bare else SLEEVE)))


def _loose(photo: Photo, above: Int64[np.ndarray, " n"], index: int) -> list[int]:
    """Owners of whatever can hang as an arm: neither a skirt nor the tails of a coat."""
    width, height = photo.xyxy[index, 2:] - photo.xyxy[index, :2]
    is_long = photo.labels[index] == DRESS or height > LONGEST * width
    tops = [i + 1 for i in above.tolist() if photo.labels[i] != DRESS and i != index]
    return [BODY, *tops, *([] if is_long else [index + 1])]


def _hanging(
    arm: _Arm, box: Float32[np.ndarray, "4"], side: int, shape: tuple[int, ...]
) -> Bool[np.ndarray, "h w"]:
    """Where the forearm hung before it was bent."""
    left, _, right, _ = box.tolist()
    width, edge = right - left, right if side > 0 else left
    y, x = np.ogrid[: shape[0], : shape[1]]
    down = y - arm.elbow[1]
    return (
        ((x - edge) * side > -TRUNK * width) & (down > arm.thick[0] / 2) & (down < FOREARM * width)
    )


def _afloat(owner: UInt8[np.ndarray, "h w"], loose: list[int]) -> Bool[np.ndarray, "h w"]:
    """What of these hangs on nothing any more, a hand without an arm."""
    count, pieces, facts, _ = cv2.connectedComponentsWithStats((owner > 0).view(np.uint8))
    fixed = set(np.unique(pieces[~np.isin(owner, [0, *loose])]).tolist())
    rims = (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1])
    fixed |= {int(piece) for rim in rims for piece in np.unique(rim)}
    fixed.add(1 + int(facts[1:, cv2.CC_STAT_AREA].argmax()) if count > 1 else 0)
    return ~np.isin(pieces, [0, *fixed])


def _draw(
    image: UInt8[np.ndarray, "h w 3"],
    owner: UInt8[np.ndarray, "h w"],
    arm: _Arm,
    cloth: UInt8[np.ndarray, "h w 3"],
    skin: UInt8[np.ndarray, "3"],
    number: int,
) -> None:
    """The bare part and the hand, then the sleeve over them."""
    bare, sleeve = (
        _limb(owner.shape, arm, arm.sleeve, 1.0),
        _limb(owner.shape, arm, 0.0, arm.sleeve),
    )
    wrist = arm.thick[1]
    x, y = arm.along()
    middle = np.round(arm.hand + FIST * wrist * arm.along()).astype(int).tolist()
    axes = [max(1, round(part * wrist)) for part in PALM]
    cv2.ellipse(bare, middle, axes, float(np.degrees(np.arctan2(y, x))), 0, 360, 1, -1)
    elbow = np.round(arm.elbow).astype(int).tolist()
    cv2.circle(sleeve, elbow, max(1, round(arm.thick[0] / 2)), 1, -1)
    for limb, filled, whose in ((bare, np.full_like(image, skin), BODY), (sleeve, cloth, number)):
        _shade(image, limb, wrist)
        paste(image, _rounded(filled, limb, wrist), limb > 0)
        owner[limb > 0] = whose


def _limb(shape: tuple[int, ...], arm: _Arm, begin: float, end: float) -> UInt8[np.ndarray, "h w"]:
    """A mask of the forearm between two parts of its way."""
    mask = np.zeros(shape, np.uint8)
    x, y = arm.along()
    across = np.array([-y, x]) / 2
    corners = []
    for part, signs in ((begin, (1, -1)), (end, (-1, 1))):
        thick = arm.thick[0] + part * (arm.thick[1] - arm.thick[0])
        centre = arm.elbow + part * (arm.hand - arm.elbow)
        corners += [centre + sign * thick * across for sign in signs]
    return np.asarray(cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1), np.uint8)


def _shade(image: UInt8[np.ndarray, "h w 3"], limb: UInt8[np.ndarray, "h w"], wrist: float) -> None:
    """Darken what is near a limb."""
    reach = max(3.0, SHADOW * wrist)
    shadow = cv2.GaussianBlur(limb.astype(np.float32), (2 * round(reach) + 1,) * 2, reach / 2)
    image[:] = (image * (1 - (1 - SHADOWED) * shadow[..., None])).astype(np.uint8)


def _rounded(
    filled: UInt8[np.ndarray, "h w 3"], limb: UInt8[np.ndarray, "h w"], wrist: float
) -> UInt8[np.ndarray, "h w 3"]:
    """Darker towards the edges, as of a cylinder."""
    deep = cv2.distanceTransform(limb, cv2.DIST_L2, 3)
    light = AT_EDGE + (INSIDE - AT_EDGE) * np.minimum(1, deep / max(1.0, wrist / 2))
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
    """BGR of the face above what is worn, or of some skin where none is seen."""
    assert photo.owner is not None
    left, top, right, _ = box.tolist()
    middle, reach = (left + right) / 2, FACE * (right - left)
    rows = slice(max(0, round(top - 2 * reach)), round(top))
    columns = slice(max(0, round(middle - reach)), round(middle + reach))
    pixels = photo.image[rows, columns][photo.owner[rows, columns] == BODY]
    if len(pixels):
        lab = cv2.cvtColor(pixels[None], cv2.COLOR_BGR2LAB)[0]
        pixels = pixels[np.all((lab >= SKIN[0]) & (lab <= SKIN[1]), axis=1)]
    if len(pixels) >= LEAST_FACE:
        return np.percentile(pixels, TONE, axis=0).astype(np.uint8)
    any_skin = rng.uniform(*SKIN).astype(np.uint8)
    return cv2.cvtColor(any_skin[None, None], cv2.COLOR_LAB2BGR)[0, 0]
