"""A recording at its own speed, however fast it could be read."""

import threading
import time

HELD_UP = 0.5  # seconds that it may be late and still catch up


class OwnSpeed:
    """The clock of a recording; it stands at `first` (seconds) now.

    Who is later than `held_up` goes on at the usual speed instead of racing after lost time.
    """

    def __init__(
        self, closed: threading.Event, first: float = 0.0, held_up: float = HELD_UP
    ) -> None:
        self._closed = closed
        self._held_up = held_up
        self._begun = time.monotonic() - first

    def wait_for(self, seconds: float) -> bool:
        """Wait until it is so late in the recording. False: it was closed meanwhile."""
        late = time.monotonic() - self._begun - seconds
        if late > self._held_up:
            self._begun += late
        return not self._closed.wait(max(0.0, -late))
