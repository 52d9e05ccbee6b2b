"""What a video's file says of its picture, where OpenCV does not pass it on."""

import itertools
import statistics
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

# isort: off
import cv2  # noqa: F401  (before av: the other order hangs OpenCV's first window, PyAV#978)
import av

# isort: on

NOT_OF_OPENCV = frozenset({"av1"})  # codecs that its wheels have no decoder of
BROADCAST = frozenset({"mpegts", "mpeg"})  # where films and what is interlaced alternate
PROGRESSIVE = 1  # of FFmpeg's orders of fields, where 0 is unknown
LOOKED_AT = 100  # packets: their times tell the rate
TICKS = 1000  # a second: what tells so many frames or more counts those of its clock


class Account(NamedTuple):
    """By a file's own account; 0: it does not tell.

    `seconds` is how long the picture lasts, trimming included. `promised` is that, too, where it
    stands at the file's beginning, so that it tells of an end that is lost. `rate` is of frames
    a second, and `is_for_pyav` tells that OpenCV cannot decode them: each may have two fields, or
    it lacks the codec.
    """

    seconds: float = 0.0
    promised: float = 0.0
    rate: float = 0.0
    is_for_pyav: bool = False


def account_of(path: Path) -> Account:
    """What FFmpeg reads of a video's beginning; one frame is decoded at most."""
    try:
        with opened(path) as container:
            video = container.streams.video[0]
            seconds = float((video.duration or 0) * (video.time_base or 0))
            promised = _promised(container.format.name, video)
            order = video.codec_context.field_order
            is_for_pyav = (
                video.codec_context.codec.canonical_name in NOT_OF_OPENCV
                or order > PROGRESSIVE
                or container.format.name in BROADCAST
                or (not order and _begins_interlaced(path))
            )
            return Account(seconds, promised, _rate(container), is_for_pyav)
    except (av.FFmpegError, IndexError):
        return Account()


def opened(path: Path) -> Any:
    """The file as FFmpeg reads it; tags of any encoding do not matter."""
    return av.open(f"file:{path.absolute()}", metadata_errors="replace")


def _begins_interlaced(path: Path) -> bool:
    """Whether the first frame has two fields; the headers of DV and HEVC do not tell."""
    with opened(path) as container:
        for packet in itertools.islice(container.demux(video=0), LOOKED_AT):
            with suppress(av.FFmpegError):
                for frame in packet.decode():
                    return bool(frame.interlaced_frame)
    return False


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
