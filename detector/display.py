"""Whether a window can be opened here, before OpenCV tries."""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from fmnist.errors import InputError


def check_display(instead: str = "Use fmnist live --web, or drop --show.") -> None:
    """InputError without a display: OpenCV would end the whole process (exit 134)."""
    if sys.platform != "linux":
        return
    name = os.environ.get("DISPLAY", "")
    if not (name or (os.environ.get("WAYLAND_DISPLAY") and _speaks_wayland())):
        raise InputError(f"no display. {instead}")
    if name and not _opens(name):
        raise InputError(f"no display at {name}. {instead}")


def _speaks_wayland() -> bool:
    """Whether OpenCV could open a window there: the Qt of its wheels speaks X11 only."""
    found = find_spec("cv2")
    plugins = Path(found.origin if found and found.origin else "").parent / "qt/plugins/platforms"
    return not plugins.is_dir() or any(plugins.glob("*wayland*"))


def _opens(display: str) -> bool:
    """Whether somebody answers there and lets us in; True, too, where Xlib is missing."""
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True
    x11.XOpenDisplay.restype = ctypes.c_void_p
    server = x11.XOpenDisplay(os.fsencode(display))
    if server:
        x11.XCloseDisplay(ctypes.c_void_p(server))
    return bool(server)
