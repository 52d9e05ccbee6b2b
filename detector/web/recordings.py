"""What `fmnist live --web --record` keeps: visits, and the server's own source, as videos."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from detector.boxes import Detections, Picture
from detector.live.recording import Recording
from detector.output.draw import draw, texts_of
from detector.pictures import shrunk
from detector.video.rate import RATE
from detector.web.pictures import LONGEST
from fmnist.atomic import is_taken
from fmnist.errors import InputError


class Recordings:
    """A video for each visit: x.mp4, x-2.mp4 and so on. Without `path` nothing is kept.

    `say` is told why a video ended before its visit. `written` are the videos that are complete.
    Only the video at `path` itself may replace one, and only with `overwrite`.
    """

    def __init__(
        self,
        path: Path | None = None,
        say: Callable[[str], None] = lambda line: None,
        overwrite: bool = False,
    ) -> None:
        self._names = _names(path, overwrite) if path else None
        self._say = say
        self._running: set[Recorder] = set()
        self.written: list[Path] = []

    def __bool__(self) -> bool:
        return self._names is not None

    def begin(self, label_confidence: float) -> "Recorder | None":
        """For a visit that begins."""
        if self._names is None:
            return None
        recorder = Recorder(self._names, label_confidence, self._ended)
        self._running.add(recorder)
        return recorder

    def finish(self) -> None:
        """End all that still run."""
        for recorder in list(self._running):
            recorder.finish()

    def _ended(self, recorder: "Recorder", path: Path | None, why: str) -> None:
        self._running.discard(recorder)
        if path:
            self.written.append(path)
        if why:
            self._say(why)


class Recorder:
    """The video of one visit, from its first picture to `finish`.

    Pictures come from the detector's thread, the end from any.
    """

    def __init__(
        self,
        names: Iterator[Path],
        label_confidence: float,
        ended: "Callable[[Recorder, Path | None, str], None]",
    ) -> None:
        self._names = names
        self._label_confidence = label_confidence
        self._ended = ended
        self._recording: Recording | None = None
        self._is_over = False
        self._lock = threading.Lock()

    def write(self, image: Picture, seen: Detections) -> None:
        """Add the BGR picture with its boxes, at the time of this call."""
        with self._lock:
            if self._is_over:
                return
            try:
                if self._recording is None:
                    # Of the last picture; every other one lasts until the next one came.
                    self._recording = Recording(next(self._names), RATE)
                picture = draw(image, seen, texts_of(seen, self._label_confidence))
                self._recording.write(shrunk(picture, LONGEST), time.monotonic())
            except Exception as error:  # of the disk or the encoder: the visit goes on without
                self._end(_why(error))

    def finish(self) -> None:
        """Write the end: from now on the video can be played. A second call does nothing."""
        with self._lock:
            if not self._is_over:
                self._end()

    def _end(self, why: str = "") -> None:
        self._is_over = True
        recording, self._recording = self._recording, None
        if recording is None:
            self._ended(self, None, why)
            return
        try:
            recording.finish()
        except Exception as error:  # of a full disk what fitted can be played
            why = why or _why(error)
        finally:  # Ctrl-C strikes when it is whole
            is_there = recording.is_written and recording.path.exists()
            self._ended(self, recording.path if is_there else None, why)


def _why(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    return f"A recording ended: {error}. Visitors are served without it."


def _names(path: Path, overwrite: bool) -> Iterator[Path]:
    """The path itself, if it may be written, then numbered ones that are free."""
    if overwrite or not is_taken(path):
        yield path
    number = 1
    while True:
        number += 1
        numbered = path.with_stem(f"{path.stem}-{number}")
        if not is_taken(numbered):
            yield numbered
