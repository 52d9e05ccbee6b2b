"""A display without a screen (Xvfb): what it shows as an array, keys pressed on it (xdotool)."""

import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from detector.boxes import Picture
from detector.output.draw import COLOURS

MISSING = next((name for name in ("Xvfb", "xdotool") if not shutil.which(name)), None)
SECONDS = 240  # of patience: other work may share the machine


class Display:
    """A running display: `name` is for the environment of those who draw on it."""

    def __init__(self, name: str, memory: Path, size_wh: tuple[int, int]) -> None:
        self.name = name
        self._memory = memory
        self._size_wh = size_wh

    @property
    def environment(self) -> dict[str, str]:
        """Ours, with this display in it."""
        return {**os.environ, "DISPLAY": self.name}

    def pixels(self) -> Picture:
        """What it shows, BGR."""
        width, height = self._size_wh
        pixels = np.fromfile(self._memory, np.uint8)[-width * height * 4 :]  # after an XWD header
        return pixels.reshape(height, width, 4)[:, :, :3].copy()

    def press(self, *keys: str) -> None:
        """Press keys, one after another, as slowly as a hand.

        They go to the window under the pointer, where no window manager gives the focus.
        """
        self._xdotool("mousemove", "100", "140")
        for key in keys:
            self._xdotool("key", key)
            time.sleep(0.15)

    def close_window(self, title: str) -> None:
        """What its close button does: a window manager asks the program to close it."""
        _ask_to_close(self.name, int(self._windows(title)[0]))

    def has_window(self, title: str) -> bool:
        """Whether there is one with this in its title, painted or not."""
        return bool(self._windows(title))

    def _windows(self, title: str) -> list[str]:
        search = ["xdotool", "search", "--name", title]
        found = subprocess.run(search, env=self.environment, capture_output=True, text=True)
        return found.stdout.split()

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(
            ["xdotool", *arguments], env=self.environment, check=True, stdout=subprocess.DEVNULL
        )


class _ClientMessage(ctypes.Structure):
    """Xlib's XClientMessageEvent, padded to the size of an XEvent."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 24),
    ]


def _ask_to_close(display_name: str, window: int) -> None:
    """Send WM_DELETE_WINDOW (ICCCM, 4.2.8.1)."""
    x11 = ctypes.CDLL("libX11.so.6")  # xdotool brings it
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    server = ctypes.c_void_p(x11.XOpenDisplay(display_name.encode()))
    protocols, delete = (
        x11.XInternAtom(server, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
    )
    client_message, long_format = 33, 32
    event = _ClientMessage(client_message, 0, 1, server, window, protocols, long_format)
    event.data[0] = delete
    x11.XSendEvent(server, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(server)


@contextlib.contextmanager
def display(size_wh: tuple[int, int] = (640, 480)) -> Iterator[Display]:
    """A display of this size, with a memory that we may read."""
    read, write = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        screen = f"{size_wh[0]}x{size_wh[1]}x24"
        # Whenever its last client leaves it would begin anew, and who comes then is not heard.
        command = ["Xvfb", "-noreset", "-displayfd", str(write)]
        command += ["-screen", "0", screen, "-fbdir", folder]
        server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        try:
            yield Display(f":{number}", Path(folder) / "Xvfb_screen0", size_wh)
        finally:
            server.terminate()
            server.wait()


def wait_until(happens: Callable[[], bool], process: "subprocess.Popen[Any] | None" = None) -> None:
    """Wait for it as long as it takes, while the process, if one is given, lives."""
    deadline = time.monotonic() + SECONDS
    while not happens():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def in_colour_of(picture: Picture, name: str) -> Bool[np.ndarray, "h w"]:
    """Which pixels have that of this class: the outline of its box, the plate of its label."""
    return np.asarray(np.abs(picture.astype(int) - COLOURS[name]).max(2) < 12)


def pixels_of(picture: Picture, name: str) -> int:
    """How many they are."""
    return int(in_colour_of(picture, name).sum())
