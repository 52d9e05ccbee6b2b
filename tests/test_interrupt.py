"""Two signals at once, as of a terminal and of `make`: no lock stays taken, nothing hangs."""

import signal
import subprocess
import sys
import threading

import pytest

from detector.interrupt import ends_call, interrupt_between_frames
from tests.command import ROOT

# The second signal strikes where the handler of the first one has just taken the event's lock.
WITHIN_THE_LOCK = """
import signal, threading
from detector.interrupt import interrupt_between_frames

of_threading = {"__name__": "threading", "signal": signal, "strikes": [signal.SIGINT]}
exec('''
def take(self):
    taken = self._lock.__enter__()
    if strikes:
        signal.raise_signal(strikes.pop())
    return taken
''', of_threading)

with interrupt_between_frames() as stop:
    threading.Condition.__enter__ = of_threading["take"]
    signal.raise_signal(signal.SIGINT)
    assert stop.is_set() and not of_threading["strikes"]
    stop.set()  # the lock is free
print("ended")
"""


def test_a_second_signal_within_the_handler_of_the_first_does_not_hang() -> None:
    command = [sys.executable, "-c", WITHIN_THE_LOCK]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "ended\n", ended.stderr


class Dies:
    """Signals in its destructor, out of which nothing can be raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_second_signal_within_a_destructor_is_lost_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with interrupt_between_frames() as stop:
        signal.raise_signal(signal.SIGINT)
        Dies()
        assert stop.is_set() and not told
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert sys.unraisablehook == told.append


def test_a_second_signal_strikes_where_threads_are_waited_for() -> None:
    done, here = threading.Event(), threading.get_ident()
    soon = threading.Timer(0.2, lambda: signal.pthread_kill(here, signal.SIGINT))
    with interrupt_between_frames() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            soon.start()
            done.wait(30)
    done.set()  # its lock is free


def test_a_handler_that_is_not_of_python_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program that embeds Python, or while Python ends."""
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", lambda number, handler: pytest.fail("it was replaced"))
    with ends_call(lambda number, frame: None):
        pass
