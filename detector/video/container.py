"""What a video's file says of its picture, where OpenCV does not pass it on."""

import itertools
import math
import statistics
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

# isort: off
import cv2  # noqa: F401  (before av: the other order hangs OpenCV's first window, PyAV#978)
import av

# isort: on
import numpy as np

# Codecs that its wheels have no decoder of, or that browsers record with: where a phone is turned
# meanwhile, OpenCV squeezes what follows into the size that came first.
NOT_OF_OPENCV = frozenset({"av1", "vp8", "vp9"})
BROADCAST = frozenset({"mpegts", "mpeg"})  # where films and what is interlaced alternate
PROGRESSIVE = 1  # of FFmpeg's orders of fields, where 0 is unknown
LOOKED_AT = 100  # packets: their times tell the rate
TICKS = 1000  # a second: what tells so many frames or more counts those of its clock


class Account(NamedTuple):
    """By a file's own account; 0: it does not tell.

    `seconds` is how long the picture lasts, trimming included. `promised` is that, too, where it
    stands at the file's beginning, so that it tells of an end that is lost. `rate` is of frames
    a second, and `is_for_pyav` tells that OpenCV cannot decode them as they are: each may have two
    fields, be mirrored or of another size, or it lacks the codec. `mirrored` is None, or by how
    many degrees a picture that is stored mirrored is turned clockwise after that is undone.
    """

    seconds: float = 0.0
    promised: float = 0.0
    rate: float = 0.0
    is_for_pyav: bool = False
    mirrored: int | None = None


def account_of(path: Path) -> Account:
    """What FFmpeg reads of a video's beginning; one frame is decoded at most."""
    try:
        with opened(path) as container:
            video = container.streams.video[0]
            seconds = float((video.duration or 0) * (video.time_base or 0))
            promised = _promised(container.format.name, video)
            order = video.codec_context.field_order
            first = _first_frame(path)
            mirrored = mirrored_turn(first)
            is_for_pyav = (
                video.codec_context.codec.canonical_name in NOT_OF_OPENCV
                or order > PROGRESSIVE
                or container.format.name in BROADCAST
                or mirrored is not None
                # The headers of DV and HEVC do not tell.
                or (not order and first is not None and bool(first.interlaced_frame))
            )
            return Account(seconds, promised, _rate(container), is_for_pyav, mirrored)
    except (av.FFmpegError, IndexError):
        return Account()


def opened(path: Path) -> Any:
    """The file as FFmpeg reads it; tags of any encoding do not matter."""
    return av.open(f"file:{path.absolute()}", metadata_errors="replace")


def _first_frame(path: Path) -> Any:
    """The first that can be decoded, or None."""
    with opened(path) as container:
        for packet in itertools.islice(container.demux(video=0), LOOKED_AT):
            with suppress(av.FFmpegError):
                for frame in packet.decode():
                    return frame
    return None


def mirrored_turn(frame: Any) -> int | None:
    """How far a mirrored picture is turned, as `Account.mirrored`; None: it is not mirrored.

    The matrix [a b; c d] of an MP4's track takes a pixel (x, y) to (ax + cy, bx + dy), in 16.16
    fixed point (ISO/IEC 14496-12, 6.2.2).
    """
    told = frame and frame.side_data.get("DISPLAYMATRIX")
    if not told:
        return None
    a, b, _, c, d = np.frombuffer(bytes(told), np.int32)[:5].astype(float)
    if a * d - b * c >= 0:
        return None
    return round(math.degrees(math.atan2(-b, -a))) % 360  # of what is flipped left to right


def _promised(form: str, video: Any) -> float:
    if form == "matroska,webm":
        with suppress(ValueError):  # a tag may say anything
            hours, minutes, seconds = map(float, video.metadata.get("DURATION", "").split(":"))
            return 3600 * hours + 60 * minutes + seconds
    if form == "avi" and video.average_rate:
        return float(video.frames / video.average_rate)
    return 0.0


def _rate(container: Any) -> float:
    """As it is told if that can be; else by the times of the first frames, as of a browser's WebM,
    which tells none."""
    told = container.streams.video[0].average_rate
    if told and told < TICKS:
        return float(told)
    times: set[Fraction] = set()
    for packet in itertools.islice(container.demux(video=0), LOOKED_AT):
        if packet.pts is not None:
            times.add(packet.pts * packet.time_base)
    steps = [float(later - time) for time, later in itertools.pairwise(sorted(times))]
    return 1 / statistics.median(steps) if steps else 0.0
