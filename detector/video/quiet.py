"""OpenCV and FFmpeg without a word of their own."""

import contextlib
import os
import threading
from collections.abc import Iterator

import cv2

_lock = threading.Lock()
_within: list[int] = []  # the level before, once for each source that is open


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """What OpenCV and FFmpeg would print while a source is opened and read is told by us."""
    # FFmpeg would print every damaged macroblock; we count frames instead.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # Packets of sound count, too: with the 4096 of the beginning a picture that stands for a minute
    # and a half ends its video.
    os.environ.setdefault("OPENCV_FFMPEG_READ_ATTEMPTS", str(10**9))
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # that it has no fonts
    with _lock:  # the first of those that overlap keeps the level, the last gives it back
        _within.append(_within[0] if _within else cv2.utils.logging.getLogLevel())
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        with _lock:
            level = _within.pop()
            if not _within:
                cv2.utils.logging.setLogLevel(level)
