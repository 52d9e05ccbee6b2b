"""The page, its two sockets, and what is said about every answer: nothing from elsewhere."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from detector.adjustable import Adjustable
from detector.defaults import CONFIDENCE, LABEL_CONFIDENCE
from detector.live.figures import Figures
from detector.output.draw import COLOURS, NEUTRAL
from detector.video.cameras import Camera
from detector.video.frames import Reader
from detector.web import source_code
from detector.web.feed import Feed
from detector.web.guard import Guard
from detector.web.messages import BROKEN, INTERNAL, POLICY, SILENCE, TRY_LATER, LeftError
from detector.web.pictures import BadPictureError
from detector.web.recordings import Recordings
from detector.web.visit import Visit

PAGE = Path(__file__).with_name("page")
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
VISITORS = 32  # at once
GOODBYE = 2.0  # seconds for telling a visitor why he has to go
PIECE = 1 << 16  # bytes of the source that wait for a visitor
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Site:
    """What is served: detectors for visitors, the server's own source if it has one."""

    adjustable: Callable[[], Adjustable]
    guard: Guard
    figures: Figures
    confidence: float = CONFIDENCE
    label_confidence: float = LABEL_CONFIDENCE
    opened: Reader | Camera | None = None
    source_url: str = ""  # of the code; empty: the server hands out its own
    silence: float = SILENCE
    recordings: Recordings = field(default_factory=Recordings)

    def app(self) -> Starlette:
        """The application, for one event loop."""
        return _App(self).app


class _App:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.visitors = 0
        self.thread = ThreadPoolExecutor(1, "detector")  # of all visitors' frames
        self.archiving = asyncio.Lock()
        self.feed: Feed | None = None
        routes = [
            Route("/", self.page),
            Route("/page.css", self.page),
            Route("/page.js", self.page),
            Route("/settings", self.settings),
            Route("/source", self.code),
            WebSocketRoute("/frames", self.frames),
            WebSocketRoute("/watch", self.watch),
        ]
        self.app = Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        site = self.site
        if site.opened:
            self.feed = Feed(
                site.opened,
                site.adjustable,
                self.thread,
                site.figures,
                site.label_confidence,
                site.recordings,
            )
        try:
            yield
        finally:
            if self.feed:
                self.feed.close()
            site.recordings.finish()

    def _answer(self, request: Request, content: Callable[[], Response]) -> Response:
        refusal = self.site.guard.refusal(request)
        answer = PlainTextResponse(f"{refusal}\n", 403) if refusal else content()
        answer.headers.update(HEADERS)
        return answer

    async def page(self, request: Request) -> Response:
        # Not `request.url`: it is made of the visitor's own Host header.
        path = PAGE / (request.scope["path"].lstrip("/") or "page.html")

        def content() -> Response:
            return Response(path.read_bytes(), media_type=TYPES[path.suffix])

        if path.suffix == ".html":
            return self._answer(request, content)
        answer = content()  # it tells nothing, and the page asks for it without its token
        answer.headers.update(HEADERS)
        return answer

    async def settings(self, request: Request) -> Response:
        colours = {name: _css(bgr) for name, bgr in COLOURS.items()}
        told: dict[str, Any] = {
            "colours": colours,
            "neutral": _css(NEUTRAL),
            "confidence": self.site.confidence,
            "has_feed": self.feed is not None,
            "source_url": self.site.source_url,
            "records": bool(self.site.recordings),
        }
        return self._answer(request, lambda: JSONResponse(told))

    async def code(self, request: Request) -> Response:
        data = b""
        if not self.site.guard.refusal(request):
            async with self.archiving:
                data = await run_in_threadpool(source_code.archive)
        headers = {
            "Content-Disposition": 'attachment; filename="fmnist-source.zip"',
            "Content-Length": str(len(data)),
        }
        return self._answer(
            request,
            lambda: _Download(_in_pieces(data), 200, headers, "application/zip"),
        )

    async def frames(self, socket: WebSocket) -> None:
        site = self.site

        async def visit() -> None:
            recorder = site.recordings.begin(site.label_confidence)
            visitor = Visit(
                site.adjustable, self.thread, site.figures, site.label_confidence, recorder
            )
            await visitor.answer(socket, site.silence)

        await self._receive(socket, visit)

    async def watch(self, socket: WebSocket) -> None:
        feed = self.feed
        if feed is None:
            await self._receive(socket, self._no_feed)
        else:
            await self._receive(socket, lambda: feed.show(socket, self.site.silence))

    async def _no_feed(self) -> None:
        raise LeftError("the server has no camera or file of its own")

    async def _receive(self, socket: WebSocket, visit: Callable[[], Awaitable[None]]) -> None:
        if refusal := self.site.guard.refusal(socket):
            await socket.close(POLICY, refusal)  # before it is accepted: HTTP 403
            return
        await socket.accept()
        if self.visitors >= VISITORS:
            await socket.close(TRY_LATER, "too many visitors: try again later")
            return
        self.visitors += 1
        try:
            await visit()
        except (LeftError, BadPictureError) as left:
            if str(left):
                await _close(socket, POLICY, str(left))
        except WebSocketDisconnect:
            pass
        except Exception:
            logging.getLogger(__name__).exception("a visitor is not answered")
            await _close(socket, BROKEN, INTERNAL)
        finally:
            self.visitors -= 1


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Hang up, though nobody may listen any more."""
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        await asyncio.wait_for(socket.close(code, reason), GOODBYE)


class _Download(StreamingResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the server ends: no mistake of ours
            await super().__call__(scope, receive, send)


async def _in_pieces(data: bytes) -> AsyncIterator[bytes]:
    """In the event loop: starlette would take a thread for each piece of an iterator."""
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _css(bgr: tuple[int, ...]) -> str:
    return "#" + "".join(f"{value:02x}" for value in reversed(bgr))
