"""One visitor who sends frames: each is answered with its boxes, or with what is wrong."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket

from detector.adjustable import Adjustable
from detector.boxes import Detections
from detector.defaults import LEAST_ASKED, MOST_ASKED
from detector.live.figures import Figures
from detector.output.lines import boxes_as_json
from detector.web.pictures import BadPictureError, check, decode
from detector.web.recordings import Recorder
from detector.web.turns import Turns

SILENCE = 60.0  # seconds after which a visitor has left, whatever his browser believes
MOST_A_SECOND = 600  # messages; a page needs two for a frame, and screens show up to 240
BAD_IN_A_ROW = 20
LONGEST = 1000  # characters of a message; the page's have 30, and nobody else waits for more
POLICY, BROKEN, TRY_LATER = 1008, 1011, 1013  # why a socket is closed (RFC 6455, 7.4.1)
INTERNAL = "internal error: the server's terminal tells more"


class LeftError(Exception):
    """The visitor is gone, or has to go: its text is what he is told."""


@dataclass
class Incoming:
    """The messages of one visitor, as fast as he may send them."""

    socket: WebSocket
    silence: float = SILENCE
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


class Visit:
    """A visitor's own video: what the detector remembers of it, and the confidence he chose."""

    def __init__(
        self,
        adjustable: Callable[[], Adjustable],
        turns: Turns,
        figures: Figures,
        label_confidence: float,
        recorder: Recorder | None = None,
    ) -> None:
        self._adjustable = adjustable
        self._detector: Adjustable | None = None
        self._confidence: float | None = None
        self._turns = turns
        self._figures = figures
        self._label_confidence = label_confidence
        self._recorder = recorder
        self._frames = 0
        self._model_seconds = 0.0

    async def answer(self, socket: WebSocket, silence: float = SILENCE) -> None:
        """Answer frames until the visitor leaves. LeftError if he has to."""
        incoming, bad = Incoming(socket, silence), 0
        try:
            while True:
                message = await incoming.next()
                try:
                    reply = await self._reply(message)
                    bad = 0
                except BadPictureError as error:
                    bad += 1
                    if bad == BAD_IN_A_ROW:
                        raise LeftError(f"{bad} bad messages: {error}") from None
                    reply = {"error": str(error)}
                if reply:
                    await sent(socket.send_text(json.dumps(reply)), silence)
        finally:
            self._turns.forget(self)
            if self._recorder:  # beside the loop: the end of a long video is written anew
                await asyncio.shield(asyncio.to_thread(self._recorder.finish))

    async def _reply(self, message: str | bytes) -> dict[str, Any] | None:
        if isinstance(message, str):
            self._set(message)
            return None
        check(message)
        seen, (height, width) = await self._turns.ask(self, lambda: self._look(message))
        return {
            "boxes": boxes_as_json(seen, self._label_confidence),
            "size_wh": [width, height],
            "model_ms": round(1000 * self._model_seconds, 1),
        }

    def _set(self, message: str) -> None:
        """Take over what the page tells: {"confidence": 0.3}, {"shown_ms": 80}."""
        told = told_in(message)
        self._confidence = wished(told, self._confidence)
        if self._frames:
            note_shown(told, self._figures, self._model_seconds)

    def _look(self, data: bytes) -> tuple[Detections, tuple[int, int]]:
        """In the detector's thread: the boxes, and the height and width of the picture."""
        start = time.monotonic()
        image = decode(data)
        if self._detector is None:
            self._detector = self._adjustable()
        if self._confidence is not None:
            self._detector.confidence = self._confidence
        seen = self._detector(image)
        self._frames += 1
        self._model_seconds = time.monotonic() - start
        if self._recorder:
            self._recorder.write(image, seen)
        return seen, (image.shape[0], image.shape[1])


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
