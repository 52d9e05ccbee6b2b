"""One visitor who sends frames: each is answered with its boxes, or with what is wrong."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from starlette.websockets import WebSocket

from detector.adjustable import Adjustable
from detector.boxes import Detections
from detector.live.figures import Figures
from detector.output.lines import boxes_as_json
from detector.web.messages import (
    Incoming,
    LeftError,
    note_shown,
    sent,
    told_in,
    wished,
)
from detector.web.pictures import BadPictureError, check, decode
from detector.web.recordings import Recorder

BAD_IN_A_ROW = 20


class Visit:
    """A visitor's own video: what the detector remembers of it, and the confidence he chose.

    `thread` is the one in which all visitors have their frames looked at: each has one at most
    that waits there, so that they take turns.
    """

    def __init__(
        self,
        adjustable: Callable[[], Adjustable],
        thread: Executor,
        figures: Figures,
        label_confidence: float,
        recorder: Recorder | None = None,
    ) -> None:
        self._adjustable = adjustable
        self._detector: Adjustable | None = None
        self._confidence: float | None = None
        self._thread = thread
        self._figures = figures
        self._label_confidence = label_confidence
        self._recorder = recorder
        self._model_seconds = 0.0

    async def answer(self, socket: WebSocket, silence: float) -> None:
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
            if self._recorder:  # beside the loop: the end of a long video is written anew
                await asyncio.shield(asyncio.to_thread(self._recorder.finish))

    async def _reply(self, message: str | bytes) -> dict[str, Any] | None:
        if isinstance(message, str):
            self._set(message)
            return None
        check(message)
        loop = asyncio.get_running_loop()
        seen, (height, width) = await loop.run_in_executor(self._thread, self._look, message)
        return {
            "boxes": boxes_as_json(seen, self._label_confidence),
            "size_wh": [width, height],
            "model_ms": round(1000 * self._model_seconds, 1),
        }

    def _set(self, message: str) -> None:
        """Take over what the page tells: {"confidence": 0.3}, {"shown_ms": 80}."""
        told = told_in(message)
        self._confidence = wished(told, self._confidence)
        if self._model_seconds:
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
        self._model_seconds = time.monotonic() - start
        if self._recorder:
            self._recorder.write(image, seen)
        return seen, (image.shape[0], image.shape[1])
