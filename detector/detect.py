"""The loop of `fmnist detect`: read, detect, draw, write, and a JSON line for every frame."""

import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from detector.boxes import AnyDetector, Detections, Picture
from detector.defaults import CONFIDENCE, LABEL_CONFIDENCE
from detector.display import check_display
from detector.interrupt import interrupt_between_frames
from detector.output.draw import draw, texts_of
from detector.output.drawn import DrawnFrames
from detector.output.lines import JsonLines, header_of, line_of
from detector.output.screen import Screen
from detector.output.sheet import Sheet
from detector.output.summary import Interrupted, Summary
from detector.plan import Plan
from detector.video.background import ahead
from detector.video.frames import Frame, Reader, Undecodable
from fmnist.errors import InputError

Seen = Callable[[], Detections]


@runtime_checkable
class InSteps(Protocol):
    """A detector whose first step knows nothing of other frames.

    It is called in another thread, for later frames while `classify` has an earlier one.
    """

    def locate(self, frame: Picture, /) -> Any:
        """What `classify` wants of the frame."""

    def classify(self, frame: Picture, located: Any, /) -> Detections:
        """The garments of the frame; called in the order of the frames."""


@dataclass(frozen=True)
class Settings:
    """What counts as a garment, and which frames are looked at.

    A box needs this `confidence`; under `label_confidence` its class is unknown; `classes` keeps
    only boxes of these names (empty: all, the unknown ones too). Every `every`-th frame is
    detected, those between show the last boxes again; `max_frames` ends each source. `track`
    follows the garments of a video over time.
    """

    confidence: float = CONFIDENCE
    label_confidence: float = LABEL_CONFIDENCE
    classes: tuple[str, ...] = ()
    every: int = 1
    max_frames: int | None = None
    track: bool = True


def detect(
    plan: Plan,
    watch: Callable[[float, bool], AnyDetector],
    settings: Settings | None = None,
    weights: Mapping[str, Any] | None = None,
    show: bool = False,
    on_frame: Callable[[str, int, int | None], None] | None = None,
) -> Summary:
    """Run a detector over every source of the plan; `watch` gives one for the frames of each.

    However the run ends, the files that it wrote are complete in themselves. Of several sources
    those that cannot be read or drawn are left out, and told in the summary.

    Args:
        watch: gives the detector of one source, called with the frames a second that this will
            see (0 for an image) and whether to `track`. One that is `InSteps` is called in its
            two steps.
        weights: facts for the header of the JSON lines.
        show: open a window; q, Escape or its close button ends the run.
        on_frame: called with the source, its frames done, and all, if known.

    Raises:
        Interrupted: after Ctrl-C.
        InputError: no source can be decoded, or the disk is full.
    """
    if show:
        check_display()
    settings = settings or Settings()
    start = time.monotonic()
    with interrupt_between_frames() as stop:
        is_all = not (any(plan.outputs) or plan.sheet or show)
        lines = JsonLines(plan.json, header_of(asdict(settings), weights or {}), is_all)
        run = _Run(watch, settings, lines, Sheet(plan.sheet), show, on_frame, stop)
        run.failed += plan.failed
        try:
            with run.lines, run.sheet:
                for path, output in zip(plan.sources, plan.outputs, strict=True):
                    try:
                        run.source(path, output)
                    except Undecodable as error:
                        run.failed.append(str(error))
        except KeyboardInterrupt:
            stop.set()
    summary = run.summary(time.monotonic() - start)
    if stop.is_set():
        raise Interrupted(summary)
    if not summary.frames_read and summary.failed:
        raise InputError(" ".join(summary.failed))
    return summary


@dataclass
class _Run:
    """One run over some sources: where their frames go, and what was counted."""

    watch: Callable[[float, bool], AnyDetector]
    settings: Settings
    lines: JsonLines
    sheet: Sheet
    show: bool
    on_frame: Callable[[str, int, int | None], None] | None
    stop: threading.Event
    read: int = 0
    detected: int = 0
    damaged: int = 0
    boxes: int = 0
    screen: Screen = field(default_factory=Screen)
    is_closed: bool = False  # the window
    written: list[Path] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def source(self, path: Path, output: Path | None) -> None:
        """Read one source to its end, to `max_frames`, or until someone wants to stop."""
        if self.stop.is_set() or self.is_closed:
            return
        if output:
            output.parent.mkdir(exist_ok=True)
        try:
            reader = Reader(path)
        except InputError as error:  # it is gone since it was planned
            raise Undecodable(str(error)) from error
        try:
            self._source(reader, output)
        finally:  # of a second Ctrl-C, too, which strikes when the video is whole
            self.damaged += reader.damaged

    def _source(self, reader: Reader, output: Path | None) -> None:
        with (
            DrawnFrames(output, reader, self.written) as sink,
            closing(self._seen(reader)) as frames,
        ):
            for frame, seen in frames:
                labels = texts_of(seen, self.settings.label_confidence)
                self.sheet.add(frame.image, seen, labels)
                picture = partial(draw, frame.image, seen, labels)
                if output:
                    sink.write(picture, frame.seconds)
                stays = reader.is_image and self.stop
                self.is_closed = self.show and self.screen.ends(picture(), stays or None)
                if self.on_frame:
                    self.on_frame(frame.source, frame.index + 1, reader.frames_expected)
                if self.stop.is_set() or self.is_closed:
                    break
            else:
                sink.is_whole = reader.is_finished

    def _seen(self, reader: Reader) -> Generator[tuple[Frame, Detections], None, None]:
        seen = Detections.empty()
        detector = self.watch(reader.fps / self.settings.every, self.settings.track)
        wanted = itertools.islice(reader, self.settings.max_frames)
        with (
            closing(ahead(wanted)) as frames,
            closing(ahead(self._looks(frames, detector))) as all_,
        ):
            for frame, look in all_:
                self.read += 1
                if look:
                    seen = keep(look(), self.settings)
                    self.detected += 1
                    self.boxes += len(seen)
                    self.lines.write(line_of(frame, seen, self.settings.label_confidence))
                yield frame, seen

    def _looks(
        self, frames: Iterable[Frame], detector: AnyDetector
    ) -> Iterator[tuple[Frame, Seen | None]]:
        """Each frame, and what remains to be done to see what is on it; None: it is skipped."""
        for number, frame in enumerate(frames):
            if number % self.settings.every:
                yield frame, None
            elif isinstance(detector, InSteps):
                located = detector.locate(frame.image)
                yield frame, partial(detector.classify, frame.image, located)
            else:
                yield frame, partial(detector, frame.image)

    def summary(self, seconds: float) -> Summary:
        """What was counted."""
        sinks = [sink.path for sink in (self.lines, self.sheet) if sink.is_written and sink.path]
        written, failed = (*self.written, *sinks), tuple(self.failed)
        return Summary(self.read, self.detected, self.damaged, self.boxes, seconds, written, failed)


def keep(detections: Detections, settings: Settings) -> Detections:
    """The boxes that the settings ask for."""
    wanted = detections.confidence >= settings.confidence
    if settings.classes:
        names = detections.names(settings.label_confidence)
        wanted &= np.array([name in settings.classes for name in names], np.bool_)
    return detections.select(wanted)
