"""Pictures from a stranger: looked at before they are decoded, refused in a sentence."""

import cv2

from detector.boxes import Picture
from detector.pictures import decoded

MAX_BYTES = 2 << 20
MAX_PIXELS = 4_000_000
MAX_SIDE = 8192  # of a strip: what is cut out of it for the head is a square
LONGEST = 1280  # side of a picture that is sent or recorded
START, END = b"\xff\xd8", b"\xff\xd9"
# Markers of a frame header whose pictures are decoded in one pass (ITU-T T.81, table B.1); a
# progressive one of few bytes can cost seconds.
ONE_PASS = (0xC0, 0xC1)
PASSES = (0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
FILL, START_OF_SCAN = 0xFF, 0xDA
# Markers whose segment tells its length. A decoder takes others for two bytes: whoever skips
# over them finds another frame header than the decoder does.
SEGMENTS = frozenset({0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
MOST_SCANS = 4  # one for each colour, or one in all and one of a thumbnail; each costs a pass


class BadPictureError(ValueError):
    """Why the picture is not looked at, in a sentence for whoever sent it."""


def check(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG, from its header; nothing is decoded.

    Raises:
        BadPictureError: it is none, incomplete, or too much.
    """
    if len(data) > MAX_BYTES:
        raise BadPictureError(f"a picture of {len(data)} bytes: at most {MAX_BYTES} are read")
    if not data.startswith(START):
        raise BadPictureError("this is no JPEG picture")
    width, height = _size(data)
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise BadPictureError(
            f"a picture of {width}x{height}: at most {MAX_PIXELS} pixels are looked at, "
            f"and {MAX_SIDE} of a side"
        )
    if data.count(bytes([FILL, START_OF_SCAN])) > MOST_SCANS:
        raise BadPictureError(f"a picture of more than {MOST_SCANS} scans is not looked at")
    if END not in data[-64:]:
        raise BadPictureError("the picture is incomplete")
    return width, height


def decode(data: bytes) -> Picture:
    """The BGR picture of a JPEG that `check` let pass. BadPictureError if it is damaged."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = decoded(data, flags)
    if image is None:
        raise BadPictureError("the picture is damaged")
    return image


def _size(data: bytes) -> tuple[int, int]:
    """From the frame header, found by walking over the segments before it."""
    at = len(START)
    while at + 9 <= len(data) and data[at] == FILL:
        marker = data[at + 1]
        if marker == FILL:
            at += 1
            continue
        if marker in PASSES:
            raise BadPictureError("only baseline JPEG pictures are read")
        if marker in ONE_PASS:
            height, width = (int.from_bytes(data[at + i : at + i + 2], "big") for i in (5, 7))
            if width and height:
                return width, height
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker not in SEGMENTS or length < 2:
            break
        at += 2 + length
    raise BadPictureError("the picture has no header")
