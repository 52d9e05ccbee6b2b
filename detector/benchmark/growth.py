"""How the cost of a frame grows: with its boxes, with its size, with the streams beside it.

`python -m detector.benchmark.growth CLIP IMAGE_SIZE DEVICE BACKEND` prints it as JSON.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from detector.boxes import Picture
from detector.cores import leave_a_core
from detector.head import Head
from detector.pipeline import Detector
from detector.video.frames import read

BOXES = (1, 3, 10, 30, 100)
SIZES_WH = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
STREAMS = (1, 4, 16, 64)
SECONDS = 1.5  # of each point
ROUNDS = 5  # at least


def measure(frame: Picture, detector: Detector) -> dict[str, Any]:
    """Median milliseconds of every point.

    Head: on so many boxes of a 720p frame. Sizes: a whole frame of that size, looked at without
    memory or tracks. Streams: the grid on one frame of each, together; for one of them.
    """
    wide = _resized(frame, SIZES_WH["720p"])
    head = detector.head
    assert isinstance(head, Head)
    rng = np.random.default_rng(0)
    boxes = {n: _boxes(rng, n, SIZES_WH["720p"]) for n in BOXES}
    frames = {name: _resized(frame, size) for name, size in SIZES_WH.items()}
    return {
        "head_ms_of_boxes": {n: _median_ms(head, wide, its) for n, its in boxes.items()},
        "frame_ms_of_size": {n: _median_ms(detector, its) for n, its in frames.items()},
        "grid_ms_a_frame_of_streams": {
            n: _median_ms(detector.grid.batch, [wide] * n) / n for n in STREAMS
        },
    }


def _boxes(rng: np.random.Generator, count: int, size_wh: tuple[int, int]) -> np.ndarray:
    """Garments of 100 to 300 pixels anywhere in a frame."""
    sides = rng.uniform(100, 300, (count, 2))
    corner = rng.uniform(0, 1, (count, 2)) * (np.array(size_wh) - sides)
    return np.concatenate([corner, corner + sides], 1).astype(np.float32)


def _resized(frame: UInt8[np.ndarray, "_ _ 3"], size_wh: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _median_ms(work: Callable[..., object], *given: object) -> float:
    work(*given)
    work(*given)
    seconds: list[float] = []
    while len(seconds) < ROUNDS or sum(seconds) < SECONDS:
        before = time.perf_counter()
        work(*given)
        seconds.append(time.perf_counter() - before)
    return 1000 * statistics.median(seconds)


def main(clip: str, image_size: str, device: str, backend: str) -> None:
    leave_a_core()
    detector = Detector.load(device, image_size=int(image_size), backend=backend)
    frame = next(read(Path(clip))).image
    facts = measure(frame, detector)
    print(json.dumps({"backend": backend, **facts, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
