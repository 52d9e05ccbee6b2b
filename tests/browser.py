"""Drives a real browser: headless Chromium over its DevTools protocol, with a camera of ours."""

import base64
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import numpy as np
from websockets.sync.client import ClientConnection, connect

from detector.boxes import Picture

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SECONDS = 240  # of patience: other work may share the machine


class Browser:
    """One page of a running Chromium."""

    def __init__(self, socket: ClientConnection, process: "subprocess.Popen[bytes]") -> None:
        self._socket = socket
        self._process = process
        self._number = 0
        self.errors: list[str] = []  # of the page: exceptions, what its policy forbids

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A method of the protocol, and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=SECONDS))
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(told["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(told["entry"]["text"])

    def open(self, url: str, width: int = 1280, height: int = 800, is_phone: bool = False) -> None:
        """Go there, in a window of this size in CSS pixels."""
        for domain in ("Runtime", "Page", "Log"):
            self.call(f"{domain}.enable")
        metrics = {"width": width, "height": height, "mobile": is_phone}
        self.call("Emulation.setDeviceMetricsOverride", deviceScaleFactor=1, **metrics)
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> Any:
        """The value of the expression as soon as it is true."""
        deadline = time.monotonic() + SECONDS
        while not (value := self.value(expression)):
            assert time.monotonic() < deadline, (expression, self.errors)
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        """Press what the selector finds."""
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def kill(self) -> None:
        """End the browser, which has no time to say goodbye to anybody."""
        self._process.kill()
        self._process.wait()

    def screenshot(self) -> Picture:
        """What is to be seen, as BGR."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(image, np.uint8)


@contextlib.contextmanager
def browser(profile: Path, camera: Path | None = None) -> Iterator[Browser]:
    """Chromium with an empty profile, and a camera that plays a clip (.y4m) again and again."""
    assert CHROMIUM
    flags = [*FLAGS, f"--user-data-dir={profile}"]
    if camera:
        flags += [*CAMERA, f"--use-file-for-fake-video-capture={camera}"]
    process = subprocess.Popen(
        [CHROMIUM, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = _when(lambda: _port(profile), process)
        page = _when(lambda: _page(port), process)
        with connect(page, max_size=None) as socket:
            yield Browser(socket, process)
    finally:
        process.terminate()
        process.wait()


def camera_clip(path: Path, images: list[Picture], fps: int = 15) -> Path:
    """A clip as the fake camera reads it: uncompressed YUV 4:2:0 (.y4m)."""
    height, width = images[0].shape[:2]
    with path.open("wb") as out:
        out.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n" % (width, height, fps))
        for image in images:
            out.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def _port(profile: Path) -> str:
    note = profile / "DevToolsActivePort"
    return note.read_text().partition("\n")[0] if note.exists() else ""


def _page(port: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS) as answer:
        targets = json.load(answer)
    pages = [target for target in targets if target["type"] == "page"]
    return pages[0]["webSocketDebuggerUrl"] if pages else ""


def _when(look: Callable[[], str], process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        assert process.poll() is None, "the browser ended"
        assert time.monotonic() < deadline, "the browser does not answer"
        time.sleep(0.1)
    return found
