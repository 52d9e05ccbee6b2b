"""Boxes and labels onto a frame, legible at any size."""

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from detector.boxes import Detections, Picture
from fmnist.classes import CLASSES

# Petroff, "Accessible Color Sequences for Data Visualization" (arXiv:2107.02270): ten colours
# that stay apart in the three common kinds of colour blindness. RGB here, BGR below.
PETROFF = bytes.fromhex("3f90da ffa90e bd1f01 94a4a2 832db6 a96b59 e76300 b9ac70 717581 92dadd")
COLOURS = {name: tuple(PETROFF[3 * i : 3 * i + 3][::-1]) for i, name in enumerate(CLASSES)}
NEUTRAL = (235, 235, 235)
INK, PAPER, SHADOW = (15, 15, 15), (255, 255, 255), (20, 20, 20)
FONT = cv2.FONT_HERSHEY_DUPLEX  # since OpenCV 5 an outline font stands behind the old names
UNKNOWN = "unknown"

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom


def texts_of(detections: Detections, least: float) -> list[str]:
    """What stands at every box: "Shirt 83%", or "unknown"; with "#3" behind it if tracked."""
    names = zip(detections.names(least), detections.label_confidence, strict=True)
    texts = [f"{name} {100 * sure:.0f}%" if name else UNKNOWN for name, sure in names]
    if detections.track_id is None:
        return texts
    return [f"{text} #{i}" for text, i in zip(texts, detections.track_id.tolist(), strict=True)]


def draw(
    frame: Picture,
    detections: Detections,
    texts: Sequence[str],
    *,
    write_texts: bool = True,
) -> Picture:
    """A copy of the BGR frame with every box and its text, one text a box, in order.

    A text that begins with a class name gets the colour of that class, any other is neutral; it
    colours the box where it is not written, too.
    """
    if len(texts) != len(detections):
        raise ValueError(f"wanted {len(detections)} texts, one a box, got {len(texts)}")
    picture = frame.copy()
    height, width = frame.shape[:2]
    line = max(2, round(min(height, width) / 320))
    boxes = [_inside(box, width, height) for box in np.rint(detections.xyxy).astype(int).tolist()]
    surest_last = np.argsort(detections.confidence, kind="stable").tolist()
    for index in surest_last:
        _outline(picture, boxes[index], colour_of(texts[index]), line)
    taken: list[Rectangle] = []
    for index in reversed(surest_last if write_texts else []):
        plate = _plate(texts[index], min(height, width), width)
        place = _free_place(boxes[index], plate.shape[1], plate.shape[0], width, height, taken)
        taken.append(place)
        left, top, right, bottom = place
        picture[top:bottom, left:right] = plate[: bottom - top, : right - left]
    return picture


def colour_of(text: str) -> tuple[int, ...]:
    """BGR of the class that the text begins with."""
    return next((bgr for name, bgr in COLOURS.items() if text.startswith(name)), NEUTRAL)


def _inside(box: list[int], width: int, height: int) -> Rectangle:
    left, right = (min(max(x, 0), width - 1) for x in (box[0], box[2]))
    top, bottom = (min(max(y, 0), height - 1) for y in (box[1], box[3]))
    return left, top, right, bottom


def _outline(picture: Picture, box: Rectangle, bgr: tuple[int, ...], line: int) -> None:
    # A dark rim keeps the line visible on a background of its own colour.
    for colour, thickness in ((SHADOW, line + 2 * max(1, line // 3)), (bgr, line)):
        cv2.rectangle(picture, box[:2], box[2:], colour, thickness, cv2.LINE_8)


# Rendering a text costs about a millisecond, copying it a microsecond; a video repeats its labels.
@functools.lru_cache(maxsize=512)
def _plate(text: str, side: int, at_most: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """The text on a plate of its colour, for a frame with this shorter side."""
    bgr = colour_of(text)
    letters = max(9, round(side / 42))  # height of a capital in pixels
    scale, weight = cv2.getFontScaleFromHeight(FONT, letters), max(1, round(letters / 14))
    (text_width, _), _ = cv2.getTextSize(text, FONT, scale, weight)
    pad = max(3, letters // 2)
    plate = np.full((letters + 2 * pad, text_width + 2 * pad, 3), bgr, np.uint8)
    ink = max((INK, PAPER), key=lambda colour: contrast(colour, bgr))
    cv2.putText(plate, text, (pad, pad + letters), FONT, scale, ink, weight, cv2.LINE_AA)
    if plate.shape[1] > at_most:
        height = max(1, plate.shape[0] * at_most // plate.shape[1])
        small = cv2.resize(plate, (at_most, height), interpolation=cv2.INTER_AREA)
        plate = np.asarray(small, np.uint8)
    plate.setflags(write=False)
    return plate


def contrast(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Contrast ratio of two BGR colours, 1 to 21 (WCAG 2.1, 1.4.3 wants 4.5 of text)."""
    bright, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(bgr: tuple[int, ...]) -> float:
    linear = [((value / 255 + 0.055) / 1.055) ** 2.4 for value in bgr]
    return 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2]


def _free_place(
    box: Rectangle, wide: int, high: int, width: int, height: int, taken: list[Rectangle]
) -> Rectangle:
    """Above the box if that is free, else inside, below, at its right; the least covered place."""
    left, top, right, bottom = box
    corners = [
        (left, top - high),
        (left, top),
        (left, bottom),
        (right - wide, top - high),
        (right - wide, bottom),
        (left, bottom - high),
    ]
    least, best = math.inf, box
    for x, y in corners:
        x, y = max(0, min(x, width - wide)), max(0, min(y, height - high))
        place = (x, y, min(x + wide, width), min(y + high, height))
        covered = sum(_overlap(place, other) for other in taken)
        if covered < least:
            least, best = covered, place
        if covered == 0:
            break
    return best


def _overlap(a: Rectangle, b: Rectangle) -> int:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0)
