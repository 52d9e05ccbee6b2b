"""Small stand-ins for the four files, in a folder or on a real server of this machine."""

import gzip
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fmnist.files import FILES

CONTENT = {
    name: struct.pack(">HBBI", 0, 8, 1, 40_000) + bytes([index]) + bytes(range(250)) * 160
    for index, name in enumerate(FILES)
}
CONTENT = {name: content[: 8 + 40_000] for name, content in CONTENT.items()}


def place(folder: Path, compressed: bool = True) -> Path:
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


class Mirror(ThreadingHTTPServer):
    """A mirror on this machine; its flaws are attributes, its log holds (path, Range, status)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = {f"/{name}.gz": gzip.compress(body) for name, body in CONTENT.items()}
        self.ranges = True  # answers Range requests
        self.dies_after: int | None = None  # bytes of a body after which the connection ends
        self.hangs = False
        self.log: list[tuple[str, str | None, int]] = []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        mirror, wanted = self.server, self.headers["Range"]
        if mirror.hangs:
            mirror.released.wait(30)
            return
        body, status = mirror.content.get(self.path), 200
        if body is None:
            self._answer(404, b"")
            return
        if wanted and mirror.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < len(body) else 416
            body = body[start:]
        self._answer(status, body)

    def _answer(self, status: int, body: bytes) -> None:
        self.server.log.append((self.path, self.headers["Range"], status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.dies_after])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""
