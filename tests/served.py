"""The live page's server, running in a thread, with a detector that sees the same always."""

import contextlib
import json
import socket as sockets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from websockets.sync.client import ClientConnection, connect

from detector.adjustable import Adjustable
from detector.boxes import AnyDetector, Detections, Picture
from detector.live.figures import Figures
from detector.video.cameras import Camera
from detector.video.frames import Reader
from detector.web.app import Site
from detector.web.guard import Guard
from detector.web.recordings import Recordings
from detector.web.server import bind, server_of
from tests import clips
from tests.display import SECONDS, wait_until
from tests.live_window import two_garments


@dataclass(frozen=True)
class Served:
    """A running server: its address without the scheme, and its figures."""

    address: str
    figures: Figures

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://{self.address}/"

    def socket(self, path: str = "frames", origin: str | None = None) -> ClientConnection:
        """A visitor's connection."""
        headers = {"Origin": origin} if origin else {}
        url = f"ws://{self.address}/{path}"
        return connect(url, additional_headers=headers, max_size=None, compression=None)

    def narrow(self) -> sockets.socket:
        """A connection that takes little before somebody reads."""
        host, port = self.address.split(":")
        connection = sockets.socket()
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 2048)
        connection.connect((host, int(port)))
        return connection


def failing_while(broken: threading.Event) -> Callable[[float], AnyDetector]:
    """For `served`: a detector that fails as long as that is set."""

    def detector(frame: Picture) -> Detections:
        if broken.is_set():
            raise RuntimeError("CUDA error")
        return two_garments(frame)

    return lambda least: detector


@contextlib.contextmanager
def served(
    watch: Callable[[float], AnyDetector] = lambda _: two_garments,
    clip: Path | None = None,
    token: str = "",
    silence: float = SECONDS,
    recordings: Recordings | None = None,
    camera: Camera | None = None,
    source_url: str = "",
    tls: tuple[Path, Path] | None = None,
) -> Iterator[Served]:
    """Serve the page on a port that is free; `clip` or `camera` is the server's own source."""
    listening = bind("127.0.0.1", 0)
    figures = Figures()
    site = Site(
        lambda: Adjustable(watch, 0.25),
        Guard(token),
        figures,
        opened=Reader(clip) if clip else camera,
        silence=silence,
        source_url=source_url,
        recordings=recordings or Recordings(),
    )
    server = server_of(site.app(), tls)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield Served(f"127.0.0.1:{listening.getsockname()[1]}", figures)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def jpeg(number: int = 5, size_wh: tuple[int, int] = clips.SIZE_WH) -> bytes:
    """A numbered picture as the page sends it."""
    return cv2.imencode(".jpg", clips.numbered(number, size_wh))[1].tobytes()


def answer(socket: ClientConnection) -> dict[str, Any]:
    """The next JSON message."""
    message = socket.recv(timeout=SECONDS)
    assert isinstance(message, str)
    told: dict[str, Any] = json.loads(message)
    return told
