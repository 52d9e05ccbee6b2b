"""The server's own camera or file, seen once for everybody who watches it."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
from starlette.websockets import WebSocket

from detector.adjustable import Adjustable
from detector.boxes import Picture
from detector.live.figures import Figures
from detector.output.lines import boxes_as_json
from detector.pictures import shrunk
from detector.video.cameras import Camera
from detector.video.frames import Frame, Reader
from detector.video.newest import Newest
from detector.web.messages import (
    INTERNAL,
    Incoming,
    LeftError,
    note_shown,
    sent,
    told_in,
    wished,
)
from detector.web.pictures import LONGEST
from detector.web.recordings import Recorder, Recordings
from fmnist.errors import InputError

QUALITY = 80
PATIENCE = 0.2  # seconds without a frame after which the viewers are looked at
STANDS = 10.0  # seconds after which a file's picture is sent again: nobody is to think it stopped


@dataclass(frozen=True)
class Shown:
    """A frame as it is sent: JSON about it, and a JPEG."""

    told: str
    jpeg: bytes = b""
    model_seconds: float = 0.0


class Feed:
    """Frames of a file (again and again) or camera with their boxes, while somebody watches."""

    def __init__(
        self,
        opened: Reader | Camera,
        adjustable: Callable[[], Adjustable],
        thread: Executor,
        figures: Figures,
        label_confidence: float,
        recordings: Recordings,
    ) -> None:
        self._opened = opened
        self._adjustable = adjustable
        self._detector: Adjustable | None = None
        self._thread = thread
        self._figures = figures
        self._label_confidence = label_confidence
        self._recordings = recordings
        self._recorder: Recorder | None = None
        self._newest: Newest | None = None
        self._wishes: dict[int, float | None] = {}  # of every viewer: the least confidence
        self._number = 0
        self._shown: Shown | None = None
        self._changed = asyncio.Condition()
        self._worker: asyncio.Task[None] | None = None

    async def show(self, socket: WebSocket, silence: float) -> None:
        """Send the newest frame for every message that asks for one.

        LeftError as `Incoming`, and if no frame comes or none is taken for so many seconds.
        """
        # What was shown to those before us is over, a mistake most of all.
        incoming, seen, shown = Incoming(socket, silence), self._number, None
        viewer = id(socket)
        self._wishes[viewer] = None
        try:
            while True:
                told = told_in(str(await incoming.next()))
                self._wishes[viewer] = wished(told, self._wishes[viewer])
                if shown:
                    note_shown(told, self._figures, shown.model_seconds)
                seen, shown = await self._later_than(seen, silence)
                await sent(socket.send_text(shown.told), silence)
                if shown.jpeg:
                    await sent(socket.send_bytes(shown.jpeg), silence)
        finally:
            del self._wishes[viewer]

    def close(self) -> None:
        """Stop reading the source; a camera is let go."""
        newest, self._newest = self._newest, None
        if newest:
            newest.close()

    async def _later_than(self, seen: int, seconds: float) -> tuple[int, Shown]:
        """The newest frame and its number, which is not `seen`. LeftError if none comes."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                while self._number == seen:
                    if self._worker is None:  # it ends with the last viewer, and with a mistake
                        self._worker = asyncio.create_task(self._work())
                    await self._changed.wait()
        except TimeoutError:
            raise LeftError(f"no picture came for {seconds:.0f} seconds") from None
        assert self._shown is not None
        return self._number, self._shown

    async def _work(self) -> None:
        self._recorder = self._recordings.begin(self._label_confidence)
        last, at = None, time.monotonic()
        try:
            while self._wishes:
                shown = await self._next()
                if isinstance(self._opened, Reader) and time.monotonic() - at > STANDS:
                    shown = shown or last
                if shown:
                    await self._publish(shown)
                    last, at = shown, time.monotonic()
        except InputError as error:
            await self._publish(Shown(json.dumps({"error": str(error)})))
        except Exception:
            logging.getLogger(__name__).exception("the server's own source is not shown")
            await self._publish(Shown(json.dumps({"error": INTERNAL})))
        finally:
            recorder, self._recorder = self._recorder, None
            await asyncio.shield(asyncio.to_thread(self.close))
            self._worker = None
            async with self._changed:
                self._changed.notify_all()  # who came meanwhile begins anew
            if recorder:  # beside the loop: the end of a long video is written anew
                await asyncio.shield(asyncio.to_thread(recorder.finish))

    async def _publish(self, shown: Shown) -> None:
        async with self._changed:
            self._number, self._shown = self._number + 1, shown
            self._changed.notify_all()

    async def _next(self) -> Shown | None:
        if self._newest is None or self._newest.is_over:
            self._newest = Newest.of(self._opened)
        taken = await asyncio.to_thread(self._newest.take, PATIENCE)
        if taken is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, *taken)

    def _look(self, frame: Frame, arrived: float) -> Shown:
        """In the detector's thread."""
        start = time.monotonic()
        if self._detector is None:
            self._detector = self._adjustable()
        if wishes := [wish for wish in self._wishes.copy().values() if wish is not None]:
            self._detector.confidence = min(wishes)  # each page hides what its viewer does not want
        seen = self._detector(frame.image)
        model_seconds = time.monotonic() - start
        if self._recorder:
            self._recorder.write(frame.image, seen)
        jpeg = jpeg_of(frame.image)
        height, width = frame.image.shape[:2]
        told = {
            "boxes": boxes_as_json(seen, self._label_confidence),
            "size_wh": [width, height],
            "model_ms": round(1000 * model_seconds, 1),
            "age_ms": round(1000 * (time.monotonic() - arrived), 1),
        }
        return Shown(json.dumps(told), jpeg, model_seconds)


def jpeg_of(image: Picture) -> bytes:
    """The BGR picture as a JPEG, shrunk where it is large."""
    _, data = cv2.imencode(".jpg", shrunk(image, LONGEST), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()
