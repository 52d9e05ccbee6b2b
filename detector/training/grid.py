"""Train the grid on the data set and on the user's photos, in a run folder of its own."""

from collections.abc import Callable
from pathlib import Path

import torch

from detector.frame_sets import training_scenes, validation_photos, validation_sets
from detector.training.loop import train
from detector.training.run import Task, saved_run
from fmnist.data import hold_out, load
from fmnist.provenance import provenance
from fmnist.training.run_folder import claimed


def train_grid(
    task: Task,
    folder: Path,
    run_dir: Path,
    device: torch.device,
    *,
    workers: int,
    max_minutes: float | None,
    resume: bool,
    say: Callable[[str], None] = lambda line: None,
) -> Path | None:
    """Train the grid on the data set in `folder`; the weights, or None where time ended it.

    Raises:
        InputError: as `detector.training.loop.train`, or another process trains in `run_dir`.
    """
    if resume:  # with other settings: told before minutes of reading photos
        saved_run(run_dir, task)
    kept, validation = hold_out(load(folder, "train"))
    watched = validation_sets(validation, task.seed, validation_photos(task.photos))
    make = training_scenes(kept, task.seed, task.backgrounds, task.photos, say)
    run_dir.mkdir(parents=True, exist_ok=True)
    with claimed(run_dir):
        return train(
            task,
            make,
            watched,
            run_dir,
            device,
            workers=workers,
            max_minutes=max_minutes,
            resume=resume,
            facts=provenance(device),
            say=say,
        )
