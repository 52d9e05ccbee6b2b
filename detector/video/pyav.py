"""Video that OpenCV's wheels cannot decode: AV1, and what is interlaced.

They have no decoder of AV1. In place of interlaced frames (camcorders, DVB, DVD) they hand out
memory that nobody wrote, and call them read: their converter of colours refuses such frames
(libswscale since FFmpeg 8, seen with OpenCV 4.13 to 5.0). Here two fields become one picture.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector.boxes import Picture
from detector.video.container import av, opened

# One picture a frame, made of both fields where a frame is told to have two (FFmpeg's filter).
FILTER = ("bwdif", "mode=send_frame:deint=interlaced")
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

# BGR, with its seconds from the beginning of the video; None: one that could not be decoded.
Decoded = tuple[Picture, float] | None


def decoded(path: Path, turn: int = 0) -> Iterator[Decoded]:
    """The pictures of a video, upright when turned clockwise by so many degrees."""
    with opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        begin = float((stream.start_time or 0) * stream.time_base)
        fields = _Fields()
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                yield None
                continue
            for frame in frames:
                yield from (_upright(p, begin, turn) for p in fields(frame))
        yield from (_upright(p, begin, turn) for p in fields(None))


class _Fields:
    """Frames into the filter, pictures out; another filter where the frames become others."""

    def __init__(self) -> None:
        self._kind: tuple[int, int, str] | None = None
        self._graph: Any = None

    def __call__(self, frame: Any) -> Iterator[Any]:
        """The pictures that are done after this frame; None: it was the last one."""
        kind = frame and (frame.width, frame.height, frame.format.name)
        if kind != self._kind:
            if self._graph:
                self._graph.push(None)
                yield from self._done()
            self._kind, self._graph = kind, frame and _graph_for(frame)
        if frame:
            self._graph.push(frame)
            yield from self._done()

    def _done(self) -> Iterator[Any]:
        while True:
            try:
                yield self._graph.pull()
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


def _upright(picture: Any, begin: float, turn: int) -> Decoded:
    image = picture.to_ndarray(format="bgr24")
    upright = cv2.rotate(image, TURNS[turn]) if turn in TURNS else image
    return np.asarray(upright, np.uint8), float(picture.time or 0.0) - begin
