"""The newest frame: a source is read in a thread, so that a slow detector never falls behind."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from detector.video.background import ahead
from detector.video.cameras import Camera, Source
from detector.video.frames import Frame, Reader
from detector.video.own_speed import OwnSpeed

RATE_OVER = 30  # frames that the rate is the mean of


class Newest:
    """Reads frames in a thread of its own and keeps only the newest one.

    With `every` none is left out: the thread waits until the one before was taken. What reading
    raises, `take` raises once the last frame was taken.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        every: bool = False,
        running: threading.Event | None = None,
        closed: threading.Event | None = None,
    ) -> None:
        self._camera = frames if isinstance(frames, Camera) else None
        self._running = running or threading.Event()
        self._running.set()
        self._closed = closed or threading.Event()
        self._changed = threading.Condition()
        self._waiting: tuple[Frame, float] | None = None
        self._error: BaseException | None = None
        self._is_read = False
        self._every = every
        self._arrivals: deque[float] = deque(maxlen=RATE_OVER)
        self._thread = threading.Thread(target=self._run, args=(iter(frames),), daemon=True)
        self._thread.start()

    @staticmethod
    def of(opened: Reader | Camera, every: bool = False) -> "Newest":
        """A file at its own speed, or a camera or stream."""
        if isinstance(opened, Camera):
            return Newest(opened, every)
        running, closed = threading.Event(), threading.Event()
        frames = at_own_speed(opened, partial(_end_of, opened), running, closed)
        return Newest(frames, every, running, closed)

    @property
    def is_over(self) -> bool:
        """Whether no frame will come any more, and `take` has nothing to raise either."""
        with self._changed:
            return self._is_read and self._waiting is None and self._error is None

    @property
    def fps(self) -> float:
        """Frames a second that the source gave lately; 0: not known yet."""
        with self._changed:
            times = list(self._arrivals)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def take(self, seconds: float) -> tuple[Frame, float] | None:
        """The newest frame, if it was not taken before, and when it came (`time.monotonic`).

        Waits for it at most `seconds`; None: there is none yet, or `is_over`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_read, seconds)
            taken, self._waiting = self._waiting, None
            self._changed.notify_all()
            if taken is None and self._error is not None:
                error, self._error = self._error, None
                raise error
            return taken

    def pause(self, paused: bool) -> None:
        """Let a file wait, or go on; a camera is read all the time, for its buffers would fill."""
        if paused:
            self._running.clear()
        else:
            self._running.set()

    def drop(self) -> None:
        """Forget a camera's newest frame while nobody wants it; a file waits. Raises as `take`."""
        if self._camera:
            self.take(0)

    def close(self) -> None:
        """Stop reading. Does not wait for a camera that keeps silent."""
        self._closed.set()
        self._running.set()
        if self._camera:
            self._camera.close()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(1.0)

    def _run(self, iterator: Iterator[Frame]) -> None:
        try:
            for frame in iterator:
                if not self._put(frame):
                    break
        except BaseException as error:
            self._error = error
        finally:
            with contextlib.suppress(AttributeError):
                iterator.close()  # type: ignore[attr-defined]  # a generator has it
            with self._changed:
                self._is_read = True
                self._changed.notify_all()

    def _put(self, frame: Frame) -> bool:
        with self._changed:
            if self._every:
                self._changed.wait_for(lambda: self._waiting is None or self._closed.is_set())
            now = time.monotonic()
            self._arrivals.append(now)
            self._waiting = frame, now
            self._changed.notify_all()
            return not self._closed.is_set()


def _end_of(reader: Reader) -> float:
    """When its last picture goes, once it is read: of what is cut off at once."""
    return 0.0 if reader.damaged else reader.end_seconds


def frames_of(opened: Reader | Camera) -> Iterator[Frame]:
    """Every frame of a file; of a camera or stream the newest, each time.

    InputError if it cannot be decoded, or stopped and did not come back.
    """
    if isinstance(opened, Reader):
        yield from ahead(opened)
        return
    newest = Newest.of(opened)
    try:
        while not newest.is_over:
            if taken := newest.take(1.0):
                yield taken[0]
    finally:
        newest.close()


def open_source(source: Source, size_wh: tuple[int, int] | None = None) -> Reader | Camera:
    """A file, or a camera or stream; `size_wh` is asked of a camera. InputError as theirs."""
    return Reader(source) if isinstance(source, Path) else Camera(source, size_wh)


def at_own_speed(
    frames: Iterable[Frame],
    end: Callable[[], float],
    running: threading.Event,
    closed: threading.Event,
) -> Iterator[Frame]:
    """Each frame of a file when its time has come; none while `running` is not set.

    It is over when the last one has had its time, at the `end` (seconds) that is known then, or
    once it is `closed`.
    """
    clock = OwnSpeed(closed)
    for frame in frames:
        if not clock.wait_for(frame.seconds):
            return
        running.wait()
        yield frame
    clock.wait_for(end())
    running.wait()
