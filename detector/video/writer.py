"""Video out: H.264 with the times and the sound of its source, complete or not there at all."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

# isort: off
import cv2  # before av: the other order hangs OpenCV's first window for ever (PyAV#978)
import av

# isort: on
import numpy as np
from jaxtyping import UInt8

from detector.interrupt import uninterrupted
from detector.video.container import opened
from detector.video.disk import SpareDisk, disk_full

TICKS = 90_000  # of the video's clock in a second: whole for 24, 25, 29.97, 30, 50, 60 frames
# What browsers play from an MP4 as it is; any other sound becomes AAC.
COPIED_SOUND = frozenset({"aac", "opus", "flac"})

AAC_RATES = frozenset(
    {96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000}
)


class Writer:
    """An H.264 MP4 that browsers play, with the sound of its source.

    Frames are shown at the seconds they come with (a variable rate stays variable); an odd size
    gains one row or column, because H.264 stores colour at half resolution. The video appears
    under its name when it is closed: by `finish`, or by leaving the `with` block, by an error
    too. Without a single frame nothing appears. InputError if the disk is full; what fitted can
    be played.
    """

    def __init__(
        self,
        path: Path,
        size_wh: tuple[int, int],
        fps: float = 25.0,
        sound_of: Path | None = None,
        pixel_aspect: Fraction = Fraction(1),  # noqa: B008  # it never changes
    ) -> None:
        self.path = path
        self.size_wh = size_wh
        self._file = SpareDisk(path)
        self._interval = 1 / fps if fps > 0 else 0.04
        self._last_ticks = -1
        self._held: Any = None  # the last packet
        self._is_open = True
        try:
            options = {"movflags": "+faststart"}
            self._out = av.open(self._file, "w", format="mp4", options=options)
            self._video = _h264(self._out, size_wh, self._interval)
            self._video.codec_context.sample_aspect_ratio = pixel_aspect
            self._sound = _Sound(sound_of, self._out) if sound_of else None
        except BaseException:
            self._file.settle(keep=False)
            raise

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()

    def write(self, image: UInt8[np.ndarray, "height width 3"], seconds: float) -> None:
        """Add a BGR frame; one that is not later than the last becomes so by a tick.

        One of another size, as of a phone that is turned, is shown whole, with black beside it.
        """
        image = _fitted(image, self.size_wh)
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            edge = cv2.BORDER_REPLICATE
            image = np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, edge))
        # OpenCV's conversion takes a third of the time of FFmpeg's.
        yuv = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(yuv, np.uint8), format="yuv420p")
        self._last_ticks = max(round(seconds * TICKS), self._last_ticks + 1)
        frame.pts, frame.time_base = self._last_ticks, Fraction(1, TICKS)
        self._mux(self._video.encode(frame))
        if self._sound:
            self._sound.copy_until(seconds)
        if self._file.is_full:
            self.finish()

    def finish(self, end_seconds: float | None = None) -> None:
        """Close the video; a second call does nothing.

        `end_seconds` is when the last frame leaves the screen if the source was read to its end;
        the sound is then kept to its own. None: an interval after the last frame, the sound too.
        Ctrl-C waits for it.
        """
        if not self._is_open:
            return
        self._is_open = False
        is_whole = False
        with uninterrupted():
            try:
                is_whole = self._finish(end_seconds)
            finally:
                self._file.settle(keep=is_whole)
        if self._file.is_full:
            raise disk_full(self.path, kept=is_whole)

    def _finish(self, end_seconds: float | None) -> bool:
        last = self._last_ticks / TICKS
        end = last + self._interval if end_seconds is None else end_seconds
        if self._last_ticks >= 0 and not self._file.is_full:
            self._mux(self._video.encode(None))
            if self._sound:
                self._sound.copy_until(end if end_seconds is None else float("inf"))
                self._sound.close()
        if self._held is not None:
            self._held.duration = max(round(end * TICKS) - self._held.pts, 1)
            self._out.mux(self._held)
        self._out.close()
        return self._held is not None

    def _mux(self, packets: list[Any]) -> None:
        # The last packet is held back: how long it lasts is known at the end only.
        for packet in packets:
            if self._held is not None:
                self._out.mux(self._held)
            self._held = packet


def _fitted(
    image: UInt8[np.ndarray, "height width 3"], size_wh: tuple[int, int]
) -> UInt8[np.ndarray, "rows columns 3"]:
    if image.shape[1::-1] == size_wh:
        return image
    height, width = image.shape[:2]
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner_wh = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size_wh[0] - inner_wh[0]) // 2, (size_wh[1] - inner_wh[1]) // 2
    fitted = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    fitted[top : top + inner_wh[1], left : left + inner_wh[0]] = cv2.resize(image, inner_wh)
    return fitted


class _Sound:
    """The first sound track of a source, packet by packet; AAC where an MP4 would be silent."""

    def __init__(self, source: Path, out: av.container.OutputContainer) -> None:
        self._out = out
        self._container = opened(source)
        self._stream: Any = next(iter(self._container.streams.audio), None)
        self._ahead: Any = None
        if self._stream is None or self._stream.codec_context is None:  # none, or none we know
            self._stream = None
            self._packets: Iterator[Any] = iter(())
            return
        video = next(iter(self._container.streams.video), None)
        # Seconds count from the first frame of the video, packets from wherever they like.
        self._start = float((video.start_time or 0) * (video.time_base or 0)) if video else 0.0
        self._is_copied = self._stream.codec_context.name in COPIED_SOUND
        if self._is_copied:
            self._track = out.add_stream_from_template(self._stream)
        else:
            rate = self._stream.rate
            self._track = out.add_stream("aac", rate=rate if rate in AAC_RATES else 48_000)
        self._packets = self._container.demux(self._stream)
        self._end = Fraction(0)  # seconds, of the frame that was encoded last

    def copy_until(self, seconds: float) -> None:
        """Move every packet that starts before `seconds`, but the damaged ones."""
        with contextlib.suppress(av.FFmpegError, StopIteration):
            while True:
                if self._ahead is None:
                    self._ahead = next(self._packets)
                packet = self._ahead
                if packet.pts is not None:
                    if float(packet.pts * packet.time_base) - self._start >= seconds:
                        return
                    with contextlib.suppress(av.FFmpegError):
                        self._move(packet)
                self._ahead = None

    def _move(self, packet: Any) -> None:
        offset = round(self._start / packet.time_base)
        if self._is_copied:
            packet.pts -= offset
            packet.dts = packet.pts
            packet.stream = self._track
            self._out.mux(packet)
            return
        for frame in packet.decode():
            if frame.pts is None:  # only the first of a packet has a time
                frame.pts = round(self._end / frame.time_base)
            else:
                frame.pts -= round(self._start / frame.time_base)
            self._end = frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate)
            self._out.mux(self._track.encode(frame))

    def close(self) -> None:
        """Write what an encoder still holds."""
        if self._stream is not None and not self._is_copied:
            with contextlib.suppress(av.FFmpegError):
                self._out.mux(self._track.encode(None))
        self._container.close()


def _h264(out: av.container.OutputContainer, size_wh: tuple[int, int], interval: float) -> Any:
    video = out.add_stream("libx264", rate=Fraction(TICKS, max(round(interval * TICKS), 1)))
    video.width, video.height = (side + side % 2 for side in size_wh)
    video.pix_fmt = "yuv420p"
    # Without B frames packets leave in the order they are shown, so their times stay exact.
    # "superfast" is 5 % of a 720p run faster than "veryfast", for files half as large again.
    video.options = {"preset": "superfast", "bf": "0"}
    video.codec_context.time_base = Fraction(1, TICKS)
    # BT.601 in 16..235: what cv2.cvtColor makes.
    video.codec_context.colorspace, video.codec_context.color_range = 6, 1
    return video
