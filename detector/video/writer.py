"""Video out: H.264 with the times and the sound of its source, complete or not there at all."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from detector.boxes import Picture
from detector.interrupt import uninterrupted
from detector.video.container import av
from detector.video.disk import SpareDisk, disk_full
from detector.video.rate import RATE, interval
from detector.video.sound import Sound

LARGEST_SIDE = 16_384  # pixels; libx264 takes no more
TICKS = 90_000  # of the video's clock in a second: whole for 24, 25, 29.97, 30, 50, 60 frames


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
        fps: float = RATE,
        sound_of: Path | None = None,
    ) -> None:
        self.path = path
        self.size_wh = size_wh
        self._file = SpareDisk(path)
        self._interval = interval(fps)
        self._last_ticks = -1
        self._held: Any = None  # the last packet
        self._is_open = True
        try:
            options = {"movflags": "+faststart"}
            self._out = av.open(self._file, "w", format="mp4", options=options)
            self._video = _h264(self._out, size_wh, self._interval)
            self._sound = Sound(sound_of, self._out) if sound_of else None
        except BaseException:
            self._file.settle(keep=False)
            raise

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def write(self, image: Picture, seconds: float) -> None:
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


def _fitted(image: Picture, size_wh: tuple[int, int]) -> UInt8[np.ndarray, "rows columns 3"]:
    if image.shape[1::-1] == size_wh:
        return image
    height, width = image.shape[:2]
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner_wh = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size_wh[0] - inner_wh[0]) // 2, (size_wh[1] - inner_wh[1]) // 2
    fitted = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    fitted[top : top + inner_wh[1], left : left + inner_wh[0]] = cv2.resize(image, inner_wh)
    return fitted


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
