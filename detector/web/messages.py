"""What pages send and are sent: as fast as they may, while somebody is there, and why it ends."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket

from detector.defaults import LEAST_ASKED, MOST_ASKED
from detector.live.figures import Figures
from detector.web.pictures import BadPictureError

SILENCE = 60.0  # seconds after which a visitor has left, whatever his browser believes
MOST_A_SECOND = 600  # messages; a page needs two for a frame, and screens show up to 240
LONGEST = 1000  # characters of a message; the page's have 30, and nobody else waits for more
POLICY, BROKEN, TRY_LATER = 1008, 1011, 1013  # why a socket is closed (RFC 6455, 7.4.1)
INTERNAL = "internal error: the server's terminal tells more"


class LeftError(Exception):
    """The visitor is gone, or has to go: its text is what he is told."""


@dataclass
class Incoming:
    """The messages of one visitor, as fast as he may send them."""

    socket: WebSocket
    silence: float
    _times: "deque[float]" = field(default_factory=lambda: deque(maxlen=MOST_A_SECOND))

    async def next(self) -> str | bytes:
        """The next message. LeftError if there is none, or there are too many."""
        try:
            message = await asyncio.wait_for(self.socket.receive(), self.silence)
        except TimeoutError:
            raise LeftError(f"nothing was sent for {self.silence:.0f} seconds") from None
        if message["type"] == "websocket.disconnect":
            raise LeftError
        now = time.monotonic()
        if len(self._times) == MOST_A_SECOND and now - self._times[0] < 1:
            raise LeftError(f"more than {MOST_A_SECOND} messages in a second")
        self._times.append(now)
        content: str | bytes = message.get("bytes") or message.get("text") or ""
        return content


async def sent(sending: Coroutine[Any, Any, None], silence: float) -> None:
    """Wait until a message is on its way. LeftError if nobody takes it for so many seconds."""
    try:
        await asyncio.wait_for(sending, silence)
    except TimeoutError:
        raise LeftError(f"nothing was read for {silence:.0f} seconds") from None


def wished(told: dict[str, float], before: float | None) -> float | None:
    """The least confidence that a page asks for, as far as it may; as before where it does not."""
    confidence = told.get("confidence")
    return before if confidence is None else min(max(confidence, LEAST_ASKED), MOST_ASKED)


def note_shown(told: dict[str, float], figures: Figures, model_seconds: float) -> None:
    """Count the frame that a page says it has shown, if it says so."""
    if (shown_ms := told.get("shown_ms")) is not None:
        figures.add(model_seconds, min(max(shown_ms, 0), 60_000) / 1000)


def told_in(message: str) -> dict[str, float]:
    """The numbers of a JSON object; BadPictureError if it is none."""
    if len(message) > LONGEST:
        raise BadPictureError(f"a message of {len(message)} characters: at most {LONGEST} are read")
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        raise BadPictureError("this message is no JSON") from None
    if not isinstance(told, dict):
        raise BadPictureError("this message is no JSON object")
    numbers = {name: value for name, value in told.items() if type(value) in (int, float)}
    return {name: float(value) for name, value in numbers.items() if abs(value) < 1e9}
