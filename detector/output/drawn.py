"""The drawn frames of one source on disk: a video, an image, or nothing."""

from collections.abc import Callable
from pathlib import Path

from detector.boxes import Picture
from detector.interrupt import uninterrupted
from detector.pictures import write_image
from detector.video.background import Behind
from detector.video.frames import Reader, Undecodable
from detector.video.writer import LARGEST_SIDE, Writer


class DrawnFrames:
    """Where the drawn pictures of one source go: a video, an image, or nowhere."""

    def __init__(self, path: Path | None, reader: Reader, written: list[Path]) -> None:
        self._path = path
        self._written = written  # it adds what is whole
        self._reader = reader
        self._writer: Writer | None = None
        self._behind = Behind()
        if path and not reader.is_image:
            if max(reader.size_wh) > LARGEST_SIDE:
                raise Undecodable(
                    f"{reader.path} is larger than H.264 can be, {LARGEST_SIDE} pixels a side. "
                    "Make it smaller, or look at it with --no-video."
                )
            self._writer = Writer(path, reader.size_wh, reader.fps, reader.path)
        self.is_written = False
        self.is_whole = False  # every frame of the source is in it

    def write(self, picture: Callable[[], Picture], seconds: float) -> None:
        """Make the picture and write it, that of a video while the next frame is looked at."""
        if writer := self._writer:
            self._behind(lambda: writer.write(picture(), seconds))
        elif self._path:
            write_image(self._path, picture())
        self.is_written = True

    def __enter__(self) -> "DrawnFrames":
        return self

    def __exit__(self, *_: object) -> None:
        with uninterrupted():
            self._finish()

    def _finish(self) -> None:
        try:
            self._behind.close()
        finally:
            try:
                if self._writer:
                    self._writer.finish(self._reader.end_seconds if self.is_whole else None)
            finally:
                if self._path and self.is_written and self._path.exists():
                    self._written.append(self._path)
