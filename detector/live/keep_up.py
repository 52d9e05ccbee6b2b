"""A grid that keeps up with a camera: a late look is worth less there than a coarse one."""

import time

import numpy as np

from detector.grid import Grid
from detector.tracking.pace import LIVE_RATE

LOOK_SECONDS = 0.36 / LIVE_RATE  # the rest is for the head, the picture and whoever shows it
LEAST_SIZE = 224  # with less hardly a garment is found
STEP = 8
LOOKS = 4  # that are timed; the quickest counts, because others may work on the machine, too
FRAME = np.zeros((480, 640, 3), np.uint8)  # a webcam's


def keep_up(grid: Grid, seconds: float = LOOK_SECONDS) -> bool:
    """Have a grid that needs longer for a webcam's frame look at fewer pixels.

    Time goes as the number of pixels. The size becomes a multiple of `STEP`, `LEAST_SIZE` or more.

    Returns whether it had to.
    """
    times = []
    for _ in range(LOOKS):
        before = time.perf_counter()
        grid(FRAME)
        times.append(time.perf_counter() - before)
    if min(times) <= seconds:
        return False
    own = grid.image_size
    affordable = int(own * (seconds / min(times)) ** 0.5)
    grid.image_size = min(own, max(LEAST_SIZE, affordable // STEP * STEP))
    return grid.image_size < own
