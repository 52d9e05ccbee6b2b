"""A photo whose garments are known, and where each of them is in it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from detector.photos.names import NO_GARMENT, PIECES, meaning
from detector.pictures import shrunk
from fmnist.errors import InputError

BODY = 255  # owner of the pixels that are cut out with the garments: skin, hair, a watch
NOISE = 0.0005  # part of the photo: smaller pieces of a mask are errors of whoever drew it
LEAST_PIECE = 0.001  # of a shoe or bag that is a garment of its own
SHARED = 0.15  # of its largest piece: what else of a cut-out is garment too
FRAMED = 0.03  # of a photo's longer side: no single garment lies that near to its edge
LEAST_CUT = 12  # pixels of the shorter side there
CUT_AT = 112  # pixels of the longer side at which GrabCut looks at a photo


@dataclass(frozen=True)
class Photo:
    """BGR, and its garments: boxes in pixels; labels 0..9, `FOOTWEAR` or `OTHER` (none of these).

    `owner` says of every pixel whose it is: 0 nobody's, 1.. the garment of that number, `BODY`.
    Without it the garments cannot be cut out. `kind` is what a shop calls the only garment of a
    photo: hoodies and jumpers are pullovers both.
    """

    image: UInt8[np.ndarray, "h w 3"]
    xyxy: Float32[np.ndarray, "n 4"]
    labels: Int64[np.ndarray, " n"]
    owner: UInt8[np.ndarray, "h w"] | None = None
    kind: str = ""


def from_mask(
    name: str, image: UInt8[np.ndarray, "h w 3"], mask: UInt8[np.ndarray, "h w"], names: list[str]
) -> Photo:
    """A photo with a mask whose pixels are numbers of `names`.

    A box is put around all pixels of one label, but around every shoe and bag by itself.

    Raises:
        InputError: there are more of them than `owner` can count.
    """
    owner = np.zeros(mask.shape, np.uint8)
    labels: list[int] = []
    for number in np.unique(mask[mask > 0]).tolist():
        label = meaning(names[number])
        here = (mask == number).astype(np.uint8)
        owner[here > 0] = BODY
        if label == NO_GARMENT:
            continue
        least = (LEAST_PIECE if label in PIECES else NOISE) * mask.size
        pieces = _pieces(here, least)
        for piece in pieces if label in PIECES else _joined(pieces):
            labels.append(label)
            if len(labels) == BODY:
                raise InputError(f"{name}: its mask has {BODY} garments or more. Remove the photo.")
            owner[piece] = len(labels)
    return Photo(image, mask_boxes(owner, len(labels)), np.array(labels, np.int64), owner)


def of_single(image: UInt8[np.ndarray, "h w 3"], label: int) -> Photo | None:
    """A photo of one garment before a background, cut out; None where that fails.

    GrabCut (Rother, Kolmogorov and Blake 2004) takes the border of the photo for background.
    """
    small = shrunk(image, CUT_AT)
    if min(small.shape[:2]) < LEAST_CUT:
        return None
    small = cv2.GaussianBlur(small, (3, 3), 0)
    edge = max(1, round(FRAMED * max(small.shape[:2])))
    mask = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    mask[edge:-edge, edge:-edge] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)  # its clusters start at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, mask, (0, 0, 0, 0), *models, 3, cv2.GC_INIT_WITH_MASK)
    garment = cv2.inRange(mask % 2, np.array(1), np.array(1))  # surely and probably: odd numbers
    garment = cv2.morphologyEx(garment, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    pieces = _pieces(garment, 0.02 * garment.size)
    if not pieces:
        return None
    largest = max(piece.sum() for piece in pieces)
    whole = np.any([piece for piece in pieces if piece.sum() > SHARED * largest], axis=0)
    size_wh = image.shape[1::-1]
    owner = np.asarray(
        cv2.resize(whole.view(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8
    )
    return Photo(image, mask_boxes(owner, 1), np.array([label], np.int64), owner)


def mask_boxes(owner: UInt8[np.ndarray, "h w"], count: int) -> Float32[np.ndarray, "count 4"]:
    """xyxy, tight around the pixels of each garment from 1 to `count`."""
    boxes = np.zeros((count, 4), np.float32)
    for number in range(count):
        x, y, width, height = cv2.boundingRect((owner == number + 1).view(np.uint8))
        boxes[number] = x, y, x + width, y + height
    return boxes


def paste(
    frame: UInt8[np.ndarray, "h w 3"],
    image: UInt8[np.ndarray, "h w 3"],
    solid: Bool[np.ndarray, "h w"],
) -> None:
    """Put the solid pixels of the image into the frame, with an edge that is a pixel soft."""
    alpha = cv2.blur(solid.astype(np.float32), (3, 3))
    frame[:] = cv2.blendLinear(image, frame.copy(), alpha, 1 - alpha)


def _pieces(mask: UInt8[np.ndarray, "h w"], least: float) -> list[np.ndarray]:
    """The connected parts of at least that many pixels."""
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(mask)
    return [numbers == i for i in range(1, count) if facts[i, cv2.CC_STAT_AREA] >= least]


def _joined(pieces: list[np.ndarray]) -> list[np.ndarray]:
    return [np.any(pieces, axis=0)] if pieces else []
