"""How often a camera is looked at."""

import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from statistics import median

LIVE_RATE = 12.0  # looks a second that are wanted, and thought to be taken until it is known
RECENT = 31  # looks that tell


class Pace:
    """Looks a second, by the clock: called once at each, it tells from the last ones.

    The median of the times between them, so that a pause says nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks: deque[float] = deque(maxlen=RECENT)

    def __call__(self) -> float:
        self._looks.append(self._clock())
        between = [later - earlier for earlier, later in pairwise(self._looks)]
        known = len(between) >= RECENT // 4
        return 1 / max(median(between), 1e-3) if known else LIVE_RATE
