"""Ctrl-C, or the wish that we end, between two frames, so that every file is finished."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


# Ctrl-C; `kill`, or a service that is stopped; a terminal that was closed (Windows has none).
SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextlib.contextmanager
def interrupt_between_frames() -> Iterator[threading.Event]:
    """A signal sets the event instead of striking inside an encoder; a second one strikes."""
    stop = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    # What is ignored stays so: nohup wants it.
    ours = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in ours}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
