"""Progress: few lines in a log, one that is rewritten on a terminal, none when quiet."""

import fcntl
import io
import pty
import struct
import termios
from contextlib import redirect_stderr

import pytest

from commands.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_the_last_step_and_no_line_for_each() -> None:
    with redirect_stderr(io.StringIO()) as log, Progress() as progress:
        for step in range(1, 1001):
            progress("clip.mp4", step, 1000)
    assert log.getvalue() == "clip.mp4: 1000 of 1000\n"


def test_a_terminal_gets_one_line_that_is_empty_in_the_end() -> None:
    with redirect_stderr(Terminal()) as terminal, Progress() as progress:
        progress("clip.mp4", 5, 5)
    bar = "clip.mp4 [########################] 5/5"
    assert terminal.getvalue() == f"\r{bar}\r{' ' * len(bar)}\r"


def test_a_line_that_stays_does_not_share_the_line_of_the_bar() -> None:
    with redirect_stderr(Terminal()) as terminal, Progress() as progress:
        progress("epoch 1", 2, 2)
        progress.say("epoch 1: done")
    assert terminal.getvalue().split("\r")[-1] == "epoch 1: done\n"


def test_more_steps_than_were_expected_fill_the_bar_and_no_more() -> None:
    with redirect_stderr(Terminal()) as terminal, Progress() as progress:
        progress.pause = 0
        progress("clip.mkv", 30, 20)
    assert "[########################] 30/20" in terminal.getvalue()


def test_a_long_name_is_cut_to_what_fits_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with redirect_stderr(Terminal()) as terminal, Progress() as progress:
        progress("/a/folder/whose/name/is/long/clip.mp4", 5, 5)
    bar = "…whose/name/is/long/clip.mp4 [########################] 5/5"
    assert len(bar) == 59
    assert terminal.getvalue() == f"\r{bar}\r{' ' * len(bar)}\r"


def test_the_terminal_counts_that_the_line_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("4H", 24, 50, 0, 0))
    terminal = Terminal()
    terminal.fileno = lambda: there  # type: ignore[method-assign]
    with redirect_stderr(terminal), Progress() as progress:
        progress("/a/folder/whose/name/is/long/clip.mp4", 5, 5)
    assert len(terminal.getvalue().split("\r")[1]) == 49


def test_quiet_is_silent() -> None:
    with redirect_stderr(io.StringIO()) as log, Progress(quiet=True) as progress:
        progress("clip.mp4", 10, 10)
        progress.say("done")
    assert log.getvalue() == ""
