"""Pictures from strangers: what is refused before it is decoded, and in which words."""

import cv2
import numpy as np
import pytest

from detector.web.pictures import MAX_BYTES, BadPictureError, check, decode
from tests import clips


def jpeg(width: int = 64, height: int = 48, *options: int) -> bytes:
    image = np.zeros((height, width, 3), np.uint8) if width > 1000 else clips.numbered(5)
    image = np.asarray(cv2.resize(image, (width, height)), np.uint8)
    return cv2.imencode(".jpg", image, options)[1].tobytes()


def hidden(marker: int) -> bytes:
    """A picture of 12000x8000 whose frame header is found by who knows which markers are short.

    Who takes the two bytes after `marker` for a length arrives at the header in a comment.
    """
    whole = jpeg()
    start = whole.index(b"\xff\xc0")
    header = whole[start : start + 2 + int.from_bytes(whole[start + 2 : start + 4], "big")]
    large = header[:5] + (8000).to_bytes(2, "big") + (12000).to_bytes(2, "big") + header[9:]
    first = whole[2 : 4 + int.from_bytes(whole[4:6], "big")]  # JFIF's own segment
    begin = b"\xff\xd8" + bytes([0xFF, marker]) + first
    arrival = 4 + int.from_bytes(first[:2], "big")
    while arrival - len(begin) > 60_000:
        begin += b"\xff\xfe" + (30_000).to_bytes(2, "big") + bytes(29_998)
    gap = arrival - len(begin) - 4
    begin += b"\xff\xfe" + (2 + gap + len(header)).to_bytes(2, "big") + bytes(gap) + header
    return begin + whole[2 + len(first) :].replace(header, large)


def scans(number: int) -> bytes:
    """A baseline picture with so many scans of its brightness."""
    whole = jpeg()
    at = whole.index(b"\xff\xda")
    scan = b"\xff\xda" + (8).to_bytes(2, "big") + bytes([1, 1, 0, 0, 63, 0, 0])
    return whole[:at] + number * scan + b"\xff\xd9"


def test_a_picture_has_its_size_before_and_after_it_is_decoded() -> None:
    data = jpeg(300, 200)
    assert check(data) == (300, 200)
    assert decode(data).shape == (200, 300, 3)


# Each row: what is sent, why it is refused.
BAD = [
    (b"", "no JPEG"),
    (b"garbage" * 100, "no JPEG"),
    (cv2.imencode(".png", clips.numbered(5))[1].tobytes(), "no JPEG"),
    (b"\xff\xd8" + b"\xff" * 1000, "no header"),
    (b"\xff\xd8" + bytes(1000), "no header"),
    (b"\xff\xd8\xff\xe0\x00\x00" * 200, "no header"),
    (jpeg()[: len(jpeg()) // 2], "incomplete"),
    (jpeg()[:-2], "incomplete"),
    (jpeg(8000, 6250), "8000x6250: at most"),
    (jpeg() + bytes(MAX_BYTES), f"at most {MAX_BYTES}"),
    (jpeg(64, 48, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), "only baseline"),
    *((hidden(marker), "no header") for marker in (0x00, 0x01, 0xD0, 0xD7)),
    (scans(5), "more than 4 scans"),
]


@pytest.mark.parametrize(("data", "reason"), BAD)
def test_a_bad_picture_is_refused_without_being_decoded(
    data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(BadPictureError, match=reason):
        check(data)


def test_a_picture_with_a_scan_for_each_colour_is_read() -> None:
    assert check(scans(4)) == (64, 48)


def test_whatever_a_header_is_cut_or_changed_to_there_is_an_answer() -> None:
    whole, generator = jpeg(), np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        for at in generator.integers(0, len(data), 8).tolist():
            data[at] = int(generator.integers(256))
        cut = bytes(data[: int(generator.integers(len(data)))]) + b"\xff\xd9"
        for changed in (bytes(data), cut):
            try:
                check(changed)
                assert decode(changed).ndim == 3
            except BadPictureError:
                pass


def test_what_passes_the_header_and_is_noise_is_damaged() -> None:
    start = jpeg().index(b"\xff\xdb")
    with pytest.raises(BadPictureError, match="damaged"):
        decode(jpeg()[:start] + b"\xff\xd9")
