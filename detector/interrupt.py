"""Ctrl-C, or the wish that we end, between two frames, so that every file is finished."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# `kill`, or a service that is stopped; a terminal that was closed (Windows has no such signal).
ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
# Where `threading` waits for others, perhaps for long; elsewhere it may hold a lock.
WAITS = {"wait", "join", "_wait_for_tstate_lock"}


@contextlib.contextmanager
def interrupt_between_frames() -> Iterator[threading.Event]:
    """A signal sets the event instead of striking inside an encoder; a second one strikes.

    One that comes while a lock is taken or given back, be it the event's own, does not: the lock
    would stay taken, and whoever wants it next would wait for ever. In a destructor it is lost
    without a word; the next one strikes.
    """
    stop = threading.Event()
    came = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came += 1
        if came == 1:
            stop.set()  # a second signal may strike in here
        elif not _holds_lock(frame):
            raise KeyboardInterrupt

    with ends_call(note), _lost_in_silence():
        yield stop


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A signal, the first if there are several, strikes after the block, however that ends.

    Inside an encoder it would leave a damaged file.
    """
    came: list[int] = []
    try:
        with ends_call(lambda number, frame: came.append(number)):
            yield
    finally:
        if came:
            signal.raise_signal(signal.Signals(came[0]))


@contextlib.contextmanager
def ends_call(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Ctrl-C and its like call the handler; outside of the main thread nothing changes."""
    if not _is_main():
        yield
        return
    # What is ignored stays so: nohup wants it. None: not Python's, it could not be given back.
    ours = [n for n in ENDS if signal.getsignal(n) is not signal.SIG_IGN]
    given = [n for n in (signal.SIGINT, *ours) if signal.getsignal(n) is not None]
    before = {number: signal.signal(number, handler) for number in given}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def _lost_in_silence() -> Iterator[None]:
    """A KeyboardInterrupt in `__del__` or in a weak reference's callback is not printed.

    Python can raise nothing out of them. Outside of the main thread nothing changes.
    """
    if not _is_main():
        yield
        return
    before = sys.unraisablehook

    def tell(lost: "sys.UnraisableHookArgs") -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            before(lost)

    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = before


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _holds_lock(frame: FrameType | None) -> bool:
    """Whether the code that a signal broke into may be between a lock and its release."""
    if frame is None or frame.f_globals.get("__name__") != threading.__name__:
        return False
    return frame.f_code.co_name not in WAITS
