"""What the grid is trained on, step by step: the batch of every step."""

import signal
from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from detector.letterbox import letterbox
from detector.scene import Scene
from detector.training.schedule import Schedule

# A frame of the wanted width and height from a random generator. Where it is made by worker
# processes on systems that do not fork, it has to be picklable.
SceneMaker = Callable[[np.random.Generator, tuple[int, int]], Scene]

ASPECTS = ((16, 9), (16, 9), (4, 3), (1, 1), (3, 4), (9, 16))  # width to height


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


def loader(data: SceneBatches, first: int, workers: int) -> Iterator[dict[str, Tensor]]:
    """The batches from step `first` on, made by `workers` processes in the order of the steps."""
    made = DataLoader(
        data,
        batch_size=None,
        sampler=range(first, len(data)),
        num_workers=workers,
        collate_fn=_as_arrays,  # type: ignore[arg-type]  # torch types it for lists of samples
        worker_init_fn=start_worker,
        prefetch_factor=4 if workers else None,
    )
    for batch in made:
        yield {name: torch.from_numpy(array) for name, array in batch.items()}


def _as_arrays(batch: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Tensors would come through /dev/shm; where that is full, as in a container, for ever."""
    return {name: tensor.numpy() for name, tensor in batch.items()}


def start_worker(_: int) -> None:
    """In a forked process that makes frames."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process to handle
    cv2.setNumThreads(0)  # OpenCV's own threads do not survive a fork
