"""How far the work is, on stderr: a line that is rewritten on a terminal, else one now and then."""

import os
import shutil
import sys
import time

from commands.console import to_stderr

EVERY_SECONDS = 0.2  # on a terminal
SELDOM_SECONDS = 5.0  # in a log
BAR = 24  # characters


class Progress:
    """Call it with every step; it prints few of them. Leaving the `with` block ends the line."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.on_terminal = sys.stderr.isatty()
        self.pause = EVERY_SECONDS if self.on_terminal else SELDOM_SECONDS
        self._last = time.monotonic()
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown) steps of `what`; the last of them is always told."""
        now = time.monotonic()
        if self.quiet or (now - self._last < self.pause and done != total):
            return
        self._last = now
        if not self.on_terminal:
            to_stderr(f"{what}: {done}{f' of {total}' if total else ''}")
            return
        filled = min(BAR, BAR * done // total) if total else 0
        bar = f"[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}" if total else str(done)
        room = _columns() - len(bar) - 2  # the last column stays free
        if len(what) > room:
            what = f"…{what[len(what) + 1 - room :]}" if room > 1 else ""
        self._rewrite(f"{what} {bar}")

    def say(self, line: str) -> None:
        """A line that stays."""
        if not self.quiet:
            self.clear()
            to_stderr(line)

    def clear(self) -> None:
        """Leave an empty line on the terminal for what comes next."""
        if self._width:
            self._rewrite("")
            self._width = 0

    def _rewrite(self, line: str) -> None:
        to_stderr(f"\r{line:{self._width}}", end="\r" if not line else "")
        self._width = len(line)


def _columns() -> int:
    """Of the terminal that the line is written to; stdout may go elsewhere."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # it is none, or knows no size
        return shutil.get_terminal_size().columns
