"""What the grid is trained on, step by step: the schedule, and the batch of every step."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from detector.layouts import CELLS
from detector.letterbox import letterbox
from detector.scene import Scene

# A frame of the wanted width and height from a random generator. Where it is made by worker
# processes on systems that do not fork, it has to be picklable.
SceneMaker = Callable[[np.random.Generator, tuple[int, int]], Scene]

ASPECTS = ((16, 9), (16, 9), (4, 3), (1, 1), (3, 4), (9, 16))  # width to height


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


class SceneBatches(Dataset[dict[str, Tensor]]):
    """The batch of every step, made when asked for; the same for the same seed and step."""

    def __init__(self, schedule: Schedule, make: SceneMaker, seed: int) -> None:
        self.schedule = schedule
        self.make = make
        self.seed = seed

    def __len__(self) -> int:
        return self.schedule.steps

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        """Images uint8 [batch height width 3] and the targets as `v8DetectionLoss` wants them.

        The frames of a batch have one shape, and are up to 1.5 times as large as the network
        sees them: it has to know frames that were shrunk.
        """
        rng = np.random.default_rng((self.seed, step))
        size = self.schedule.size_at(step)
        aspect = np.array(ASPECTS[rng.integers(len(ASPECTS))])
        width, height = (aspect / aspect.max() * size * rng.uniform(1, 1.5)).round().astype(int)
        scenes = [
            self.make(rng, (int(width), int(height))) for _ in range(self.schedule.batch_size)
        ]
        images = np.stack([letterbox(scene.frame, size) for scene in scenes])
        canvas = np.array([*images.shape[2:0:-1]] * 2)
        xyxy = np.concatenate(
            [scene.xyxy * (size / max(scene.frame.shape[:2])) for scene in scenes]
        )
        xyxy = xyxy / canvas
        labels = np.concatenate([scene.labels for scene in scenes])
        owner = np.repeat(np.arange(len(scenes)), [len(scene.xyxy) for scene in scenes])
        xywh = np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], 1)
        return {
            "images": torch.from_numpy(images),
            "batch_idx": torch.from_numpy(owner).float(),
            "cls": torch.from_numpy(labels).float()[:, None],
            "bboxes": torch.from_numpy(xywh).float(),
        }


def loader(data: SceneBatches, first: int, workers: int) -> "DataLoader[dict[str, Tensor]]":
    """The batches from step `first` on, made by `workers` processes in the order of the steps."""
    return DataLoader(
        data,
        batch_size=None,
        sampler=range(first, len(data)),
        num_workers=workers,
        worker_init_fn=start_worker,
        prefetch_factor=4 if workers else None,
    )


def start_worker(_: int) -> None:
    """In a forked process that makes frames."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process to handle
    cv2.setNumThreads(0)  # OpenCV's own threads do not survive a fork
