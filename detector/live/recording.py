"""What the live window saves: recordings and snapshots, under names that are free."""

from pathlib import Path

from detector.boxes import Picture
from detector.interrupt import uninterrupted
from detector.video.background import Behind
from detector.video.writer import Writer
from fmnist.atomic import is_taken


class Recording:
    """An H.264 video of the pictures that are shown, each as long as it was shown.

    It is encoded in another thread. InputError if the disk is full; what fitted can be played.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self.is_written = False
        self._fps = fps
        self._start = 0.0
        self._writer: Writer | None = None
        self._behind = Behind()

    def write(self, picture: Picture, seconds: float) -> None:
        """Add a picture that nobody changes any more; `seconds` on any clock that goes on."""
        if self._writer is None:
            height, width = picture.shape[:2]
            self._writer, self._start = Writer(self.path, (width, height), self._fps), seconds
        self._behind(self._writer.write, picture, seconds - self._start)
        self.is_written = True

    def finish(self) -> None:
        """Write the end: from now on the file can be played. A second call does nothing."""
        with uninterrupted():
            try:
                self._behind.close()
            finally:
                if self._writer:
                    self._writer.finish()


def free_name(suffix: str, folder: Path) -> Path:
    """fmnist-001.png and so on, the first that nobody has or writes."""
    number = 1
    while is_taken(path := folder / f"fmnist-{number:03d}{suffix}"):
        number += 1
    return path
