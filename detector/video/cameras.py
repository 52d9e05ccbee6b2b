"""Cameras and streams: opened with a time-out, tried again when they stop, told by name."""

import math
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from detector.video.frames import Frame
from detector.video.own_speed import HELD_UP, OwnSpeed
from detector.video.quiet import quiet_opencv
from detector.video.sources import check_source
from fmnist.errors import InputError

Source = Path | int | str  # a file, the index of a camera, the URL of a stream
PROTOCOLS = ("rtsp", "rtsps", "rtmp", "http", "https", "srt", "udp", "tcp")
TIME_OUT_MS = 5000  # of opening a stream, and of every frame of it
# Seconds before each further try, from the last frame on; after the last one it is given up.
BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0)
# RTSP over UDP loses packets without a word; what waits in buffers is latency. A recording would
# lose its beginning without them.
STREAM_OPTIONS = "rtsp_transport;tcp|flags;low_delay"
UNBUFFERED = "|fflags;nobuffer"
V4L = Path("/sys/class/video4linux")
# A recording that stops after so much of the frames it tells of has ended: their number is an
# estimate.
WHOLE = 0.5
JUMP = 10.0  # seconds from one frame of HLS to the next: its clock began anew
LAST_CAMERA = 2**31 - 1  # that OpenCV takes: some systems count from a thousand on
PROBED = 5  # cameras that are tried where the system has no list of them


def read_source(text: str) -> Source:
    """What the user means: 0 is a camera, rtsp://... a stream, anything else a file.

    Raises:
        InputError: the file cannot be read, or nobody knows the camera or the protocol. Nothing is
            opened.
    """
    if text.isdecimal():
        if int(text) > LAST_CAMERA:
            raise InputError(f"{text}: no camera has such a number. The first is 0.")
        return int(text)
    protocol, separator, _ = text.partition("://")
    if not separator:
        check_source(Path(text))
        return Path(text)
    if protocol.lower() not in PROTOCOLS:
        raise InputError(f"{protocol}: no such protocol. Choose from: {', '.join(PROTOCOLS)}.")
    return text


def source_name(source: Source) -> str:
    """The source in a message; of a URL only protocol, host and port.

    Cameras want their password before the host, in the path or behind it, and with any sign in
    it. Where an @ behind the host lets it begin anywhere, the host is not told either.
    """
    if isinstance(source, int):
        return f"camera {source}"
    if isinstance(source, Path):
        return str(source)
    protocol, _, rest = source.partition("://")
    place, *behind = re.split(r"[/?#]", rest, maxsplit=1)
    if any("@" in text for text in behind):
        return f"{protocol}://..."
    return f"{protocol}://{place.rpartition('@')[2]}"


class Camera:
    """A camera or stream that is open; every iteration goes on with the newest frames.

    One that stops is opened again, after longer and longer waits; `waits` are their seconds. A
    recording behind a URL that tells how many frames it has comes at its own speed, and ends. So
    does HLS, which comes in pieces of seconds, and catches up after a pause.
    The seconds of a frame are those from the opening to its arrival, on the clock of this
    machine. Raises InputError if it cannot be opened now, or does not come back later.
    """

    def __init__(
        self,
        source: int | str,
        size_wh: tuple[int, int] | None = None,
        waits: Sequence[float] = BACK_OFF,
    ) -> None:
        self.source = source
        self._asked_wh = size_wh
        self._waits = waits
        self._closed = threading.Event()  # of the newest iteration
        self._in_use = threading.Lock()  # by one that was told to end and still waits for a frame
        self._start = time.monotonic()
        self._capture = _open(source, size_wh)
        if not self._capture.isOpened():
            raise _not_open(source)

    def __iter__(self) -> Iterator[Frame]:
        self._closed = threading.Event()
        return self._run(self._closed)

    def _run(self, closed: threading.Event) -> Iterator[Frame]:
        with self._in_use, quiet_opencv():
            yield from self._frames(closed)

    def _frames(self, closed: threading.Event) -> Iterator[Frame]:
        index, failures = 0, 0
        name = source_name(self.source)
        clock = _StreamClock(closed)
        try:
            while not closed.is_set():
                decoded, image = self._capture.read()
                if decoded:
                    if isinstance(self.source, str):
                        told = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                        clock.wait(told, self._is_recorded(index, told), ".m3u8" in self.source)
                    seconds = time.monotonic() - self._start
                    yield Frame(np.asarray(image, np.uint8), seconds, index, name)
                    index, failures = index + 1, 0
                    continue
                if self._is_past(index, clock.seconds):
                    return
                self._capture.release()
                if failures == len(self._waits):
                    raise InputError(f"{name} stopped, and did not come back. {_hint(self.source)}")
                closed.wait(self._waits[failures])
                failures += 1
                if not closed.is_set():
                    self._capture = _open(self.source, self._asked_wh)
        finally:
            self._capture.release()

    def _is_recorded(self, index: int, seconds: float) -> bool:
        """Whether the frame is of a recording: a camera's MP4 tells of those it began with only."""
        frames = seconds * self._capture.get(cv2.CAP_PROP_FPS)
        return min(index, frames) < self._capture.get(cv2.CAP_PROP_FRAME_COUNT)

    def _is_past(self, index: int, seconds: float) -> bool:
        """Whether enough of a recording was seen, by its frames or by its time."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        seen = max(index, seconds * self._capture.get(cv2.CAP_PROP_FPS))
        return 0 < WHOLE * count <= seen <= count / WHOLE  # far more are a camera's

    def close(self) -> None:
        """Let the iteration end, soon, in whatever thread it runs. Another one opens it again."""
        self._closed.set()


class _StreamClock:
    """Holds the frames of what comes faster than it was taken until their time has come."""

    def __init__(self, closed: threading.Event) -> None:
        self.seconds = 0.0  # of the newest frame, by the stream itself
        self._closed = closed
        self._clock: OwnSpeed | None = None

    def wait(self, seconds: float, is_recorded: bool, is_hls: bool) -> None:
        """For the time of the frame that was read; not for that of a camera's."""
        step, self.seconds = seconds - self.seconds, seconds
        if not (is_recorded or is_hls):
            return
        if self._clock is None or step < 0 or (is_hls and step > JUMP):
            self._clock = OwnSpeed(self._closed, seconds, math.inf if is_hls else HELD_UP)
        self._clock.wait_for(seconds)


def list_cameras() -> dict[int, str]:
    """The cameras of this machine: index and name. Reads the system's list if it has one."""
    if not sys.platform.startswith("linux"):
        found = [i for i in range(PROBED) if _open(i, None).isOpened()]
        return {index: f"camera {index}" for index in found}
    cameras = {}
    for entry in sorted(V4L.glob("video*"), key=lambda path: int(path.name[5:])):
        # A camera has further nodes, for its metadata; the first is that of the pictures.
        index = entry / "index"
        if not index.exists() or index.read_text().strip() == "0":
            cameras[int(entry.name[5:])] = (entry / "name").read_text().strip()
    return cameras


def _open(source: int | str, size_wh: tuple[int, int] | None) -> cv2.VideoCapture:
    if isinstance(source, str):
        return _open_stream(source)
    with quiet_opencv():
        capture = cv2.VideoCapture(source)
        if size_wh and capture.isOpened():
            # Uncompressed, most cameras reach large sizes at a few frames a second only.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_wh[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_wh[1])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture


def _open_stream(url: str) -> cv2.VideoCapture:
    key = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    before = os.environ.get(key)
    if before is None:
        is_web = url.lower().startswith("http")
        os.environ[key] = STREAM_OPTIONS + ("" if is_web else UNBUFFERED)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIME_OUT_MS]
    limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIME_OUT_MS]
    try:
        with quiet_opencv():
            return cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
    finally:
        if before is None:
            del os.environ[key]  # files are opened without


def _not_open(source: int | str) -> InputError:
    if isinstance(source, str):
        return InputError(f"{source_name(source)} cannot be opened. {_hint(source)}")
    found = ", ".join(f"{index} ({name})" for index, name in list_cameras().items()) or "none"
    return InputError(f"camera {source} cannot be opened. Found: {found}. {_hint(source)}")


def _hint(source: int | str) -> str:
    if isinstance(source, str):
        return "Is it on, are address, user and password right?"
    device = Path(f"/dev/video{source}")
    if device.exists() and not os.access(device, os.R_OK | os.W_OK):
        return "You may not use it: sudo usermod -aG video $USER, then log in again."
    if sys.platform == "darwin":
        return "Does this terminal have the right to use it (System Settings, Privacy)?"
    return "Is it plugged in, and free? A video file or fmnist live --web needs none."
