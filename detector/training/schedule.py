"""What a training of the grid is planned by. No torch here."""

from dataclasses import dataclass
from math import cos, pi

from detector.layouts import CELLS


@dataclass(frozen=True)
class Schedule:
    """How long, on what size, and how fast: everything that a training run is planned by."""

    scenes: int = 60_000
    batch_size: int = 16
    image_size: int = 320
    shares: tuple[float, ...] = (0.8, 0.8, 1.0, 1.0)  # of that size, in equal parts of the time
    learning_rate: float = 1e-3  # of AdamW
    filter_learning_rate: float = 0.012  # of Muon: length of a step relative to the weights
    rate: float = 1.0  # part of both rates: less where the weights are good already
    weight_decay: float = 5e-4
    reports: int = 30

    @property
    def steps(self) -> int:
        return -(-self.scenes // self.batch_size)

    @property
    def period(self) -> int:
        """Steps from one report to the next."""
        return -(-self.steps // self.reports)

    def size_at(self, step: int) -> int:
        """Longest side in pixels; a step at 0.8 of the full size costs two thirds of a full one."""
        share = self.shares[step * len(self.shares) // self.steps]
        return round(self.image_size * share / CELLS) * CELLS

    def rate_at(self, step: int) -> float:
        """Part of the learning rates: up to `rate` for a twentieth of the time, then a cosine
        down to a hundredth of it."""
        warm_up = max(1, self.steps // 20)
        if step < warm_up:
            return self.rate * (step + 1) / warm_up
        done = (step - warm_up) / max(1, self.steps - warm_up)
        return self.rate * (0.01 + 0.99 * (1 + cos(pi * done)) / 2)
