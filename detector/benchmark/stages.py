"""Milliseconds of every stage of a frame, one after another in one thread of ours.

`python -m detector.benchmark.stages CLIP IMAGE_SIZE DEVICE BACKEND` prints them as JSON: in a
process of its own, with the threads that `fmnist detect` has.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from detector.cores import leave_a_core
from detector.defaults import LABEL_CONFIDENCE
from detector.head import Head
from detector.output.draw import draw, texts_of
from detector.pipeline import Detector, fuse
from detector.tracking.cached_head import CachedHead
from detector.tracking.tracks import Tracks, least_of
from detector.video.frames import Reader
from detector.video.writer import Writer

FRAMES = 200
WARM_UP = 10
Clock = Callable[[str], AbstractContextManager[None]]


def measure(clip: Path, detector: Detector) -> dict[str, Any]:
    """The medians over a clip's first frames."""
    times: dict[str, list[float]] = {}

    @contextmanager
    def clock(stage: str) -> Any:
        before = time.perf_counter()
        yield
        times.setdefault(stage, []).append(time.perf_counter() - before)

    boxes = _follow(clip, detector, clock)
    warm_up = min(WARM_UP, len(boxes) // 2)
    medians = {name: 1000 * statistics.median(its[warm_up:]) for name, its in times.items()}
    means = {name: 1000 * statistics.fmean(its[warm_up:]) for name, its in times.items()}
    return {
        "frames": len(boxes),
        "boxes_a_frame": statistics.fmean(boxes),
        "median_ms": medians,
        "mean_ms": means,
        "sum_of_means_ms": sum(means.values()),
    }


def _follow(clip: Path, detector: Detector, clock: Clock) -> list[int]:
    """Go through the clip as `fmnist detect` does; how many boxes each frame has."""
    reader = Reader(clip)
    frames = islice(reader, FRAMES)
    assert isinstance(detector.head, Head)
    head, tracks = CachedHead(detector.head), Tracks(reader.fps, detector.confidence)
    boxes: list[int] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Writer(Path(folder) / "clip.mp4", reader.size_wh, reader.fps) as writer,
    ):
        while True:
            with clock("decode"):
                frame = next(frames, None)
            if frame is None:
                return boxes
            with clock("grid"):
                found = detector.grid(frame.image, least_of(detector.confidence))
            with clock("crops and head"):
                seen = fuse(head, frame.image, found)
            with clock("tracks"):
                shown = tracks(frame.image, seen)
            with clock("draw"):
                picture = draw(frame.image, shown, texts_of(shown, LABEL_CONFIDENCE))
            with clock("encode"):
                writer.write(picture, frame.seconds)
            boxes.append(len(shown))


def main(clip: str, image_size: str, device: str, backend: str) -> None:
    leave_a_core()
    detector = Detector.load(device, image_size=int(image_size), backend=backend)
    facts = {
        "backend": backend,
        **measure(Path(clip), detector),
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
