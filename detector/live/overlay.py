"""What the live window says beside its boxes: a line of figures, the keys, a word in between."""

from collections.abc import Sequence

import cv2
import numpy as np

from detector.boxes import Picture
from detector.live.keys import Key
from detector.output.draw import FONT, PAPER

DIM = (196, 196, 196)
RED = (70, 70, 255)
SHADE, DEEP_SHADE = 0.35, 0.15  # of the picture that is seen through a plate


def status(picture: Picture, words: Sequence[str], is_recording: bool = False) -> None:
    """Write the words along the lower edge, a red dot before them while it is recorded."""
    letters = _letters(picture)
    left, height = letters, 2 * letters + letters // 2
    bottom = picture.shape[0]
    _shade(picture, 0, bottom - height, picture.shape[1], bottom)
    if is_recording:
        centre = left + letters // 2, bottom - height // 2
        cv2.circle(picture, centre, letters // 2, RED, -1, cv2.LINE_AA)
        left += 2 * letters
    for word in words:
        left += _write(picture, word, left, bottom - (height - letters) // 2, letters, PAPER)
        left += 2 * letters


def keys_help(picture: Picture) -> None:
    """List the keys in the middle of the picture."""
    letters = _letters(picture)
    step, pad = 2 * letters + letters // 2, 2 * letters
    column = max(_width(key.shown, letters) for key in Key) + pad
    wide = column + max(_width(key.help, letters) for key in Key) + 2 * pad
    high = len(Key) * step + 2 * pad - (step - letters)
    left, top = (picture.shape[1] - wide) // 2, (picture.shape[0] - high) // 2
    _shade(picture, left, top, left + wide, top + high, DEEP_SHADE)
    for row, key in enumerate(Key):
        base = top + pad + row * step + letters
        _write(picture, key.shown, left + pad, base, letters, PAPER)
        _write(picture, key.help, left + pad + column, base, letters, DIM)


def waiting() -> Picture:
    """What is shown before the first frame."""
    picture = np.full((480, 640, 3), 24, np.uint8)
    notice(picture, "waiting for the first picture")
    return picture


def notice(picture: Picture, text: str) -> None:
    """A word in the middle of the upper edge."""
    letters = _letters(picture)
    wide = _width(text, letters) + 2 * letters
    left = max(0, (picture.shape[1] - wide) // 2)  # a long one loses its end
    _shade(picture, left, letters, left + wide, 4 * letters)
    _write(picture, text, left + letters, 3 * letters, letters, PAPER)


def _letters(picture: Picture) -> int:
    """The height of a capital, in pixels: the labels of the boxes are about as large."""
    return max(9, round(min(picture.shape[:2]) / 48))


def _width(text: str, letters: int) -> int:
    scale = cv2.getFontScaleFromHeight(FONT, letters)
    return cv2.getTextSize(text, FONT, scale, 1)[0][0]


def _write(
    picture: Picture, text: str, left: int, base: int, letters: int, bgr: tuple[int, ...]
) -> int:
    scale = cv2.getFontScaleFromHeight(FONT, letters)
    cv2.putText(picture, text, (left, base), FONT, scale, bgr, 1, cv2.LINE_AA)
    return _width(text, letters)


def _shade(
    picture: Picture, left: int, top: int, right: int, bottom: int, share: float = SHADE
) -> None:
    region = picture[max(top, 0) : bottom, max(left, 0) : right]
    region[:] = (region * share).astype(np.uint8)
