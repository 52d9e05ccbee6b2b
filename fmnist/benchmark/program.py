"""Runs a whole program: when it said what, and the most memory that it held."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

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


class _Peak:
    """The most memory that a process ever held, read while it runs.

    The figure of wait4 would count what this process held when it started the other one.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.mb = 0.0
        self._process = process
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self._process.poll() is None:
            try:
                self.mb = max(self.mb, _peak_mb(self._process.pid))
            except (OSError, psutil.Error):  # it has just ended
                return
            time.sleep(PAUSE)


def _peak_mb(pid: int) -> float:
    """The most memory that a process held so far, as Linux and Windows tell; elsewhere now."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        memory = psutil.Process(pid).memory_info()
        return getattr(memory, "peak_wset", memory.rss) / 2**20
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 2**10
