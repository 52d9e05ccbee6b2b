"""What was seen, in words and as JSON lines: a header, then one line for every frame detected."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

from detector.boxes import Detections
from detector.plan import STDOUT
from detector.video.disk import DISK_FULL, disk_full
from detector.video.frames import Frame
from fmnist.atomic import part_of, take_name
from fmnist.classes import CLASSES


def line_of(frame: Frame, detections: Detections, least: float) -> dict[str, Any]:
    """One frame, ready for JSON."""
    height, width = frame.image.shape[:2]
    return {
        "source": frame.source,
        "frame": frame.index,
        "time": round(frame.seconds, 4),
        "size_wh": [width, height],
        "boxes": boxes_as_json(detections, least),
    }


def boxes_as_json(detections: Detections, least: float) -> list[dict[str, Any]]:
    """Boxes, ready for JSON; `xyxy` in pixels of the picture as it is shown, upright and square;
    an untracked `id` is null.
    """
    tracks = detections.track_id
    ids = [None] * len(detections) if tracks is None else tracks.tolist()
    columns = zip(
        detections.xyxy.tolist(),
        detections.confidence.tolist(),
        ids,
        detections.names(least),
        detections.label_confidence.tolist(),
        detections.probabilities.tolist(),
        strict=True,
    )
    return [
        {
            "xyxy": [round(x, 1) for x in xyxy],
            "conf": round(confidence, 4),
            "id": track,
            "label": name,
            "label_conf": round(label_confidence, 4),
            "probs": [round(p, 4) for p in probabilities],
        }
        for xyxy, confidence, track, name, label_confidence, probabilities in columns
    ]


def header_of(settings: Mapping[str, Any], weights: Mapping[str, Any]) -> dict[str, Any]:
    """The first line: which fmnist saw this, with what."""
    try:
        version = metadata.version("fmnist")
    except metadata.PackageNotFoundError:  # run from a source tree
        version = "unknown"
    classes = list(CLASSES)
    return {"fmnist": version, "classes": classes, "weights": weights, "settings": settings}


class JsonLines:
    """JSON lines to a file, which appears under its name when it is closed, or to stdout.

    Without a line after the header no file appears; without a path nothing is written. Where
    nobody reads stdout or a pipe any more, lines are dropped; or, where they are all that is
    wanted (`is_all`), BrokenPipeError ends the run.
    """

    def __init__(self, path: Path | None, header: Mapping[str, Any], is_all: bool = False) -> None:
        self.path = None if path == STDOUT else path
        self.is_written = False
        self._whole = 0  # bytes of whole lines
        self._stream: TextIO | None = sys.stdout if path == STDOUT else None
        self._is_device = bool(self.path and self.path.exists() and not self.path.is_file())
        self._header: Mapping[str, Any] | None = header
        self._is_all = is_all
        self._is_read = True

    def write(self, line: Mapping[str, Any]) -> None:
        """Add a line; it is on its way at once. InputError if the disk is full."""
        try:
            with self._telling_of_a_full_disk():
                if self._is_read:
                    self._write(line)
        except BrokenPipeError:
            self._is_read = False
            if self._is_all:
                raise

    def _write(self, line: Mapping[str, Any]) -> None:
        if self.path and not self._stream:
            # What is no file, like a pipe or /dev/null, is written to as it is.
            target = self.path if self._is_device else part_of(self.path)
            self._stream = target.open("w", encoding="utf-8")
        if not self._stream:
            return
        if self._header is not None:
            self._stream.write(json.dumps(self._header) + "\n")
            self._header = None
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
        if self._stream is not sys.stdout and not self._is_device:
            self._whole = os.fstat(self._stream.fileno()).st_size

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream:
            with self._telling_of_a_full_disk():
                self._settle()

    def _settle(self) -> None:
        """Put the whole lines under their name; a full disk cuts the one after them."""
        stream, self._stream = self._stream, None
        if stream is None or self.path is None or stream is sys.stdout:
            return
        try:
            with contextlib.suppress(BrokenPipeError):  # of the line that nobody read
                stream.close()
            self.is_written = self._is_device and self._is_read
        finally:
            self._take_name()

    def _take_name(self) -> None:
        if self.path is not None and not self._is_device:
            part = part_of(self.path)
            os.truncate(part, self._whole)
            if self._whole:
                take_name(part, self.path)
                self.is_written = True
            else:
                part.unlink()

    @contextlib.contextmanager
    def _telling_of_a_full_disk(self) -> Any:
        try:
            yield
        except OSError as error:
            if self.path is None or error.errno not in DISK_FULL:
                raise
            with contextlib.suppress(OSError):
                self._settle()
            raise disk_full(self.path, kept=self.is_written) from None
