"""Runs a whole program: when it said what, and the most memory that it held."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fmnist.errors import InputError

PAUSE = 0.02  # seconds between two looks at its memory


@dataclass(frozen=True)
class Ended:
    """The lines of a program, each with the seconds since its start, and its peak of memory."""

    lines: tuple[tuple[float, str], ...]
    peak_mb: float


def run(words: Sequence[str], environment: Mapping[str, str] | None = None) -> Ended:
    """Wait for a program; what it writes to either stream counts as its lines.

    Raises:
        InputError: it is missing or fails; the text has its last line.
    """
    start = time.perf_counter()
    try:
        process = subprocess.Popen(
            words,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise InputError(f"{words[0]} cannot be run: {error.strerror}. Install it.") from error
    assert process.stdout
    memory = _Peak(process)
    lines = [(time.perf_counter() - start, line.rstrip("\n")) for line in process.stdout]
    process.wait()
    if process.returncode:
        last = next((line for _, line in reversed(lines) if line), "no text")
        raise InputError(f"{' '.join(words[:4])} failed: {last}")
    return Ended(tuple(lines), memory.mb)


def peak_mb(status: Path) -> float:
    """The most memory that a process of Linux ever held, from its /proc/PID/status; 0: it ended."""
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 2**10


class _Peak:
    """The most memory that a process ever held, read while it runs; 0 where Linux does not tell.

    The figure of wait4 would count what this process held when it started the other one.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.mb = 0.0
        self._process = process
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        status = Path(f"/proc/{self._process.pid}/status")
        while self._process.poll() is None:
            try:
                self.mb = peak_mb(status) or self.mb
            except OSError:  # it has just ended, or this is no Linux
                return
            time.sleep(PAUSE)
