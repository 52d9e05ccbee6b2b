"""Video that OpenCV's wheels do not decode as it is: AV1, VP8, VP9, interlaced and mirrored.

They have no decoder of AV1. What browsers record (VP8, VP9) they squeeze into the size that came
first, where a phone was turned meanwhile. Of a mirrored picture they know the turn alone. In place
of interlaced frames (camcorders, DVB, DVD) they hand out memory that nobody wrote, and call them
read: their converter of colours refuses such frames (libswscale since FFmpeg 8, seen with OpenCV
4.13 to 5.0). Here two fields become one picture.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector.boxes import Picture
from detector.video.container import av, opened
from detector.video.pixels import SQUARE, Stretch, stretch_of, stretched

# One picture a frame, made of both fields where a frame is told to have two (FFmpeg's filter).
FILTER = ("bwdif", "mode=send_frame:deint=interlaced")
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

# BGR in square pixels, with its seconds from the beginning of the video; None: one that could not
# be decoded.
Decoded = tuple[Picture, float] | None


def decoded(
    path: Path, stretch: Stretch = SQUARE, turn: int = 0, is_mirrored: bool = False
) -> Iterator[Decoded]:
    """The pictures of a video, upright when turned clockwise by so many degrees, after they were
    mirrored left to right where that is wanted.

    `stretch` makes the pixels square that it begins with; DVB has others in the next programme.
    """
    with opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        begin = float((stream.start_time or 0) * stream.time_base)
        fields, told = _Fields(), None
        for frame in _frames(container, stream):
            if frame is None:
                yield None
                continue
            before, told = told, stream.codec_context.sample_aspect_ratio or told
            if before and before != told:
                stretch = stretch_of(told.numerator, told.denominator, turn % 180 != 0)
            for each in fields(frame, stretch):
                yield _upright(*each, begin, turn, is_mirrored)
        for each in fields(None, SQUARE):
            yield _upright(*each, begin, turn, is_mirrored)


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Those of the stream, as they are stored; None where some could not be decoded."""
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.FFmpegError:
                yield None
    # Of a file too damaged to go on: PyAV's IndexError at the end of some, FFmpeg's MemoryError
    # where a size is wrong. The decoder still has pictures, the more the more threads it has.
    except (av.FFmpegError, IndexError):
        with contextlib.suppress(av.FFmpegError):
            yield from stream.codec_context.decode(None)
        yield None


class _Fields:
    """Frames into the filter, pictures out; another filter where the frames become others."""

    def __init__(self) -> None:
        self._kind: tuple[int, int, str, Stretch] | None = None
        self._graph: Any = None

    def __call__(self, frame: Any, stretch: Stretch) -> Iterator[tuple[Any, Stretch]]:
        """The pictures that are done after this frame, each with its own `stretch`; None: it was
        the last one.
        """
        kind = frame and (frame.width, frame.height, frame.format.name, stretch)
        if kind != self._kind:
            if self._graph:
                self._graph.push(None)
                yield from self._done()
            self._kind, self._graph = kind, frame and _graph_for(frame)
        if frame:
            self._graph.push(frame)
            yield from self._done()

    def _done(self) -> Iterator[tuple[Any, Stretch]]:
        assert self._kind
        while True:
            try:
                yield self._graph.pull(), self._kind[-1]
            except (av.BlockingIOError, av.EOFError):
                return


def _graph_for(frame: Any) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    middle, sink = graph.add(*FILTER), graph.add("buffersink")
    source.link_to(middle)
    middle.link_to(sink)
    graph.configure()
    return graph


def _upright(picture: Any, stretch: Stretch, begin: float, turn: int, is_mirrored: bool) -> Decoded:
    image = picture.to_ndarray(format="bgr24")
    if is_mirrored:
        image = cv2.flip(image, 1)
    upright = np.asarray(cv2.rotate(image, TURNS[turn]) if turn in TURNS else image, np.uint8)
    return stretched(upright, stretch), float(picture.time or 0.0) - begin
