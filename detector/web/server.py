"""Where the page is served: an address that is free, until Ctrl-C or for some seconds."""

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from detector.interrupt import ends_call
from detector.web.guard import Guard
from detector.web.pictures import MAX_BYTES
from fmnist.errors import InputError

ANYWHERE = frozenset({"0.0.0.0", "::", ""})
NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
SOMEWHERE = "192.0.2.1"  # of RFC 5737: for documentation, nothing is sent there


def bind(host: str, port: int) -> socket.socket:
    """A socket at this address. InputError if it is taken, or none of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:  # a kernel without IPv6
        raise InputError(_why(host, port, error)) from None
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise InputError(_why(host, port, error)) from None
    return listening


def link(listening: socket.socket, guard: Guard, is_tls: bool) -> str:
    """What the user opens; with the token if one is needed."""
    host, port = listening.getsockname()[:2]
    name = _outer_address() if host in ANYWHERE else host
    name = f"[{name}]" if ":" in name else name
    token = f"?token={guard.token}" if guard.token else ""
    return f"http{'s' if is_tls else ''}://{name}:{port}/{token}"


class Server(uvicorn.Server):
    """Ends at SIGTERM and SIGHUP as at Ctrl-C: visitors are sent home, and files are finished."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals(), ends_call(self.handle_exit):
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(signal.SIGINT, frame)


def server_of(
    app: Starlette, tls: tuple[Path, Path] | None = None, patience: int = 2
) -> uvicorn.Server:
    """A server that is ready to run, over https with a certificate and its key.

    At its end it waits for visits up to `patience` seconds: a video that is recorded may need some.
    """
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        app,
        log_level="error",
        server_header=False,
        ws_max_size=MAX_BYTES,
        ws_per_message_deflate=False,  # JPEG gains nothing, and a small message can unpack large
        timeout_graceful_shutdown=patience,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    return Server(config)


def serve(server: uvicorn.Server, listening: socket.socket, duration: float | None = None) -> None:
    """Serve until Ctrl-C, which is raised when everybody was sent home, or so many seconds."""
    timer = threading.Timer(duration or 0, lambda: setattr(server, "should_exit", True))
    timer.daemon = True
    if duration:
        timer.start()
    try:
        server.run(sockets=[listening])
    finally:
        timer.cancel()
        listening.close()


def _outer_address() -> str:
    """This machine's address in its network; the loopback where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((SOMEWHERE, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _why(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno in NOT_HERE:
        return f"{host} is no address of this machine. Leave it out, or give 0.0.0.0 for all."
    if error.errno == errno.EACCES:
        return f"port {port} needs root. Choose one from 1024 on."
    return f"{host}:{port} is in use. Choose another port, or 0 for any that is free."
