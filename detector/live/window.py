"""The loop of `fmnist live`: the newest frame, its boxes, the window and its keys."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from detector.adjustable import Adjustable
from detector.boxes import Detections, Picture
from detector.defaults import LEAST_ASKED, MOST_ASKED
from detector.detect import Settings, keep
from detector.interrupt import interrupt_between_frames
from detector.live import overlay
from detector.live.figures import Figures
from detector.live.keys import Key, pressed
from detector.live.recording import Recording, free_name
from detector.output.draw import draw, texts_of
from detector.output.screen import Closing
from detector.pictures import write_image
from detector.video.frames import Frame
from detector.video.newest import Newest
from fmnist.checks import free
from fmnist.errors import InputError

TITLE = "fmnist live"
LARGEST_WH = (1280, 960)  # of the window when it opens
PATIENCE = 0.02  # seconds without a frame after which the keys are looked at
STEP = 0.05  # of the confidence, for a key
NOTICE_SECONDS = 2.0


@dataclass(frozen=True)
class _Look:
    """What the detector saw in a frame, when that came (`time.monotonic`), how long it took."""

    frame: Frame
    seen: Detections
    arrived: float
    model_seconds: float


@dataclass
class Window:
    """A live window over a source, from its first frame to q, its close button or Ctrl-C.

    Every file that it wrote is in `written` and complete, however it ends. `record` is a
    recording that begins with the first frame, `duration` ends the run after so many seconds.
    """

    newest: Newest
    detector: Adjustable
    settings: Settings = field(default_factory=Settings)
    mirror: bool = False
    record: Path | None = None
    duration: float | None = None
    folder: Path = field(default_factory=Path)  # of snapshots and recordings
    figures: Figures = field(default_factory=Figures)
    written: list[Path] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "detector"))
    _looking: "Future[_Look] | None" = None
    _recording: Recording | None = None
    _is_closed: Closing = field(default_factory=lambda: Closing(TITLE))
    _paused: bool = False
    _labelled: bool = True
    _helped: bool = False
    _notice: tuple[str, float] = ("", 0.0)
    _frame: Frame | None = None
    _seen: Detections = field(default_factory=Detections.empty)

    def run(self) -> None:
        """Show the source until it ends or someone ends it.

        Raises KeyboardInterrupt after Ctrl-C, when the recording is finished, InputError if the
        source stopped or the disk is full for a recording that `record` asks for or that goes on
        to the end.
        """
        try:
            with interrupt_between_frames() as stop, self._open():
                start = time.monotonic()
                while not stop.is_set() and not self._is_over and self._turn():
                    if self.duration and time.monotonic() - start >= self.duration:
                        break
            if stop.is_set():
                raise KeyboardInterrupt
        finally:
            self.newest.close()
            self._pool.shutdown()

    @property
    def _is_over(self) -> bool:
        return self._looking is None and self.newest.is_over

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.imshow(TITLE, overlay.waiting())
        if self.record:
            self._recording = Recording(self.record, self.newest.fps)
        try:
            yield
        finally:
            try:
                self._end_recording()
            finally:
                cv2.destroyAllWindows()

    def _turn(self) -> bool:
        """A look at the source, the detector and the keys; False: the window was closed."""
        if self._paused:
            self.newest.drop()  # raises where a camera is gone
        elif self._looking is None and (taken := self.newest.take(PATIENCE)):
            self._look(*taken)
        if self._looking and not wait([self._looking], PATIENCE).not_done:
            self._looked(self._looking.result())
        elif self._frame and self._paused:
            self._show()
        key = pressed(cv2.waitKeyEx(round(1000 * PATIENCE) if self._paused else 1))
        if self._is_closed() or key is Key.QUIT:
            return False
        if key:
            self._obey(key)
        return True

    def _look(self, frame: Frame, arrived: float) -> None:
        """Let the detector look, in its own thread: the keys do not wait for it."""
        if self._frame is None:
            cv2.resizeWindow(TITLE, *_fitting(frame.image.shape[1], frame.image.shape[0]))
        if self.mirror:
            frame = replace(frame, image=np.asarray(cv2.flip(frame.image, 1), np.uint8))

        def look() -> _Look:
            start = time.monotonic()
            seen = self.detector(frame.image)
            return _Look(frame, seen, arrived, time.monotonic() - start)

        self._looking = self._pool.submit(look)

    def _looked(self, look: "_Look") -> None:
        self._looking = None
        self._frame, self._seen = look.frame, look.seen
        picture = self._show()
        if self._recording and not self._paused:
            self._record(self._recording, picture, look.frame.seconds)
        self.figures.add(look.model_seconds, time.monotonic() - look.arrived)

    def _record(self, recording: Recording, picture: Picture, seconds: float) -> None:
        """One that a key began may fail; one that was asked for from the start may not."""
        if not recording.is_written and recording.path != self.record:
            recording.path = free_name(".mp4", self.folder)  # another may have taken it meanwhile
        try:
            recording.write(picture, seconds)
        except (OSError, InputError) as error:
            if recording.path == self.record:
                raise
            with contextlib.suppress(OSError, InputError):
                self._end_recording()
            self._tell(str(error))

    def _drawn(self) -> Picture:
        assert self._frame is not None
        seen = keep(self._seen, replace(self.settings, confidence=self.detector.confidence))
        texts = texts_of(seen, self.settings.label_confidence)
        return draw(self._frame.image, seen, texts, write_texts=self._labelled)

    def _show(self) -> Picture:
        """Put the frame with its boxes on the screen; what was drawn, without the status line."""
        drawn = self._drawn()
        picture = drawn.copy()
        words = [f"capture {self.newest.fps:.0f} fps", *self.figures.words]
        words.append(f"confidence {self.detector.confidence:.2f}")
        words.append("paused" if self._paused else "h help")
        overlay.status(picture, words, self._recording is not None)
        if self._helped:
            overlay.keys_help(picture)
        text, until = self._notice
        if time.monotonic() < until:
            overlay.notice(picture, text)
        cv2.imshow(TITLE, picture)
        return drawn

    def _obey(self, key: Key) -> None:
        actions: dict[Key, Callable[[], None]] = {
            Key.PAUSE: self._pause,
            Key.SNAPSHOT: self._snapshot,
            Key.RECORD: self._start_or_end_recording,
            Key.LABELS: self._switch_labels,
            Key.SURER: lambda: self._change_confidence(STEP),
            Key.LESS_SURE: lambda: self._change_confidence(-STEP),
            Key.HELP: self._switch_help,
        }
        try:
            actions[key]()
        except (OSError, InputError) as error:  # of a snapshot or recording; the source goes on
            self._tell(str(error))
        if self._frame:
            self._show()

    def _pause(self) -> None:
        self._paused = not self._paused
        self.newest.pause(self._paused)

    def _snapshot(self) -> None:
        if self._frame:
            path = free(free_name(".png", self.folder), overwrite=False)
            write_image(path, self._drawn())
            self._wrote(path)

    def _start_or_end_recording(self) -> None:
        if self._recording:
            self._end_recording()
        else:
            path = free(free_name(".mp4", self.folder), overwrite=False)
            self._recording = Recording(path, self.newest.fps)

    def _end_recording(self) -> None:
        recording, self._recording = self._recording, None
        if recording:
            try:
                recording.finish()
            finally:  # of a full disk, too, what fitted can be played
                if recording.is_written and recording.path.exists():
                    self._wrote(recording.path)

    def _switch_labels(self) -> None:
        self._labelled = not self._labelled

    def _switch_help(self) -> None:
        self._helped = not self._helped

    def _change_confidence(self, step: float) -> None:
        changed = round(self.detector.confidence + step, 2)
        self.detector.confidence = min(max(changed, LEAST_ASKED), MOST_ASKED)

    def _wrote(self, path: Path) -> None:
        self.written.append(path)
        self._tell(f"written: {path}")

    def _tell(self, text: str) -> None:
        self._notice = text, time.monotonic() + NOTICE_SECONDS


def _fitting(width: int, height: int) -> tuple[int, int]:
    """The size of the window: that of the frame, or less."""
    scale = min(1.0, LARGEST_WH[0] / width, LARGEST_WH[1] / height)
    return round(width * scale), round(height * scale)
