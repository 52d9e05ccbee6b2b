"""Frames from a file, one at a time: OpenCV decodes, and turns phone video upright by itself.

What OpenCV gets wrong PyAV decodes (`detector.video.pyav`).
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detector.boxes import Picture
from detector.pictures import decoded
from detector.video import pyav
from detector.video.container import account_of
from detector.video.pixels import SQUARE, rescaled, stretch_of, stretched, stretched_size
from detector.video.quiet import quiet_opencv
from detector.video.rate import interval
from detector.video.sources import (
    check_source,
    is_cut,
    is_gif,
    is_image,
    is_indexed,
    not_readable,
)
from fmnist.errors import InputError

# A failed read is not the end of a file; this many in a row are.
FAILURES_AT_THE_END = 1000
ROUNDED = 0.5  # seconds: so much later than the last frame a file may promise to end


class Undecodable(InputError):
    """A source that cannot be read, has no picture or cannot be drawn; others may be."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: BGR, upright, with its time in seconds from the start of its source.

    `index` counts the source's frames from 0, those that could not be decoded included.
    """

    image: Picture
    seconds: float
    index: int
    source: str


def read(path: Path) -> Iterator[Frame]:
    """The frames of a video, or the one frame of an image."""
    return iter(Reader(path))


class Reader:
    """The frames of one video or image; every iteration starts again.

    Known before the first frame: `size_wh` in pixels, upright (0, 0 for an image), the usual
    `fps` (0 for an image) and `frames_expected` (None where the file does not tell). Pixels that
    are not square (DVD, DVB, DV) are made so. They grow while frames are read:
    `damaged`, the frames that could not be decoded, and `end_seconds`, when the last frame leaves
    the screen. `is_finished` tells that none is left. InputError if the file is neither video nor
    image; Undecodable, while it is read, if it has not a single picture.
    """

    def __init__(self, path: Path) -> None:
        check_source(path)
        self.path = path
        self.is_image = is_image(path)
        self.damaged = 0
        self.end_seconds = 0.0
        self.is_finished = False
        self.size_wh = (0, 0)
        self.fps = 0.0
        self._stretch = SQUARE
        self.frames_expected: int | None = 1
        self._turn = 0  # degrees, clockwise
        self._is_mirrored = False  # left to right, before it is turned
        self._codec = ""
        self._is_for_pyav = False
        self._duration = 0.0
        self._promised = 0.0
        self._exact: int | None = None  # how many frames there are, where that is known
        if not self.is_image:
            self._look()

    def _look(self) -> None:
        capture = _open(self.path)
        if not capture.isOpened():
            raise not_readable(self.path)
        width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
        stored_wh = (int(capture.get(width)), int(capture.get(height)))
        told = max(capture.get(cv2.CAP_PROP_FPS), 0.0)
        self._turn = int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        across, down = map(capture.get, (cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN))
        self._stretch = stretch_of(across, down, self._turn % 180 != 0)
        self.size_wh = stretched_size(stored_wh, self._stretch)
        self._codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("latin-1")
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        account = account_of(self.path)
        self._is_for_pyav = account.is_for_pyav
        if account.mirrored is not None:
            self._turn, self._is_mirrored = account.mirrored, True
        self.fps = account.rate or told
        if count > 0:
            self.frames_expected = round(count * self.fps / told) if told else count
        else:
            self.frames_expected = None
        if is_gif(self.path):
            self._duration = account.seconds
        elif not is_indexed(self.path):
            self._promised = account.promised if is_cut(self.path) else 0.0
        elif count > 0:
            self._duration = account.seconds
            # An MP4 that was trimmed on the phone still counts the frames that it hides.
            self.frames_expected = min(round(self._duration * self.fps), count)
            self._exact = count if self.frames_expected == count else None

    def __iter__(self) -> Iterator[Frame]:
        self.damaged = 0
        self.end_seconds = 0.0
        self.is_finished = False
        return self._image() if self.is_image else self._video()

    def _image(self) -> Iterator[Frame]:
        # From bytes, because imread cannot open every name; both obey the EXIF orientation.
        with quiet_opencv():
            image = decoded(self.path.read_bytes())
        if image is None:
            raise Undecodable(
                f"{self.path}: no picture could be decoded. It is damaged, "
                "too large, or of a kind that is not read. Save it as PNG."
            )
        yield Frame(image, 0.0, 0, str(self.path))

    def _video(self) -> Iterator[Frame]:
        every, index, failures, seconds = interval(self.fps), 0, 0, 0.0
        with closing(self._pictures()) as pictures:
            while not self._is_over(index, failures):
                decoded = next(pictures, None)
                if decoded is None:
                    failures += 1
                    continue
                image, told = decoded
                before, seconds = seconds, max(told, 0.0)
                if seconds <= before and index:
                    # No time at all (raw H.264), or the clock of a second clip behind the first.
                    seconds = before + every
                lost = failures
                if failures and self._exact is None:
                    # A demuxer that lost its place skips many frames in one failed read.
                    lost = max(failures, round((seconds - before) / every) - 1)
                self.damaged += lost
                index, failures = index + lost, 0
                self.end_seconds = seconds + every
                yield Frame(image, seconds, index, str(self.path))
                index += 1
        if index == 0:
            raise Undecodable(
                f"{self.path}: no frame could be decoded (codec {self._codec}). "
                "If it plays elsewhere, convert it to H.264."
            )
        self._account_for_the_end(index, seconds)
        self.is_finished = True

    def _pictures(self) -> Generator[pyav.Decoded, None, None]:
        """Those of the video; None where one could not be decoded."""
        if self._is_for_pyav:
            for each in pyav.decoded(self.path, self._stretch, self._turn, self._is_mirrored):
                yield each and (rescaled(each[0], self.size_wh), each[1])
            return
        capture = _open(self.path)
        try:
            while True:
                decoded, image = capture.read()
                seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                if decoded:
                    yield stretched(np.asarray(image, np.uint8), self._stretch), seconds
                else:
                    yield None
        finally:
            capture.release()

    def _is_over(self, index: int, failures: int) -> bool:
        is_all = self._exact is not None and index + failures >= self._exact
        return is_all or failures >= FAILURES_AT_THE_END

    def _account_for_the_end(self, index: int, seconds: float) -> None:
        if self._exact is not None:
            self.damaged += max(self._exact - index, 0)
        elif self._promised > self.end_seconds + ROUNDED:
            self.damaged += round((self._promised - self.end_seconds) * self.fps)
        if self._duration > seconds:
            self.end_seconds = self._duration


def _open(path: Path) -> cv2.VideoCapture:
    with quiet_opencv():
        # An absolute name: FFmpeg takes what stands before a colon for a protocol.
        return cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
