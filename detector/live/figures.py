"""How fast the live window is: lately, for the eye, and over the whole run, for the record."""

import time
from collections import deque
from itertools import islice
from statistics import median, quantiles

LATELY = 30  # frames
KEPT = 100_000  # frames that the figures of a run are from, the last ones: an hour or two


class Figures:
    """Milliseconds of the detector and from capture to screen, and when each frame was shown."""

    def __init__(self) -> None:
        self.frames = 0
        self._model_ms: deque[float] = deque(maxlen=KEPT)
        self._latency_ms: deque[float] = deque(maxlen=KEPT)
        self._shown: deque[float] = deque(maxlen=KEPT)

    def add(self, model_seconds: float, latency_seconds: float) -> None:
        """A frame was shown just now."""
        self.frames += 1
        self._model_ms.append(1000 * model_seconds)
        self._latency_ms.append(1000 * latency_seconds)
        self._shown.append(time.monotonic())

    @property
    def words(self) -> list[str]:
        """The medians of the last frames, for the status line."""
        if not self.frames:
            return []
        model, latency = (
            median(islice(reversed(values), LATELY))
            for values in (self._model_ms, self._latency_ms)
        )
        return [f"model {model:.0f} ms", f"latency {latency:.0f} ms"]

    def __str__(self) -> str:
        if self.frames < 2:
            return f"{self.frames} frames"
        seconds = self._shown[-1] - self._shown[0]
        rate = (len(self._shown) - 1) / max(seconds, 1e-9)
        return (
            f"{self.frames} frames ({rate:.1f}/s), model {median(self._model_ms):.0f} ms, "
            f"latency {median(self._latency_ms):.0f} ms (95 %: {_p95(self._latency_ms):.0f} ms)"
        )


def _p95(values: deque[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]
