"""The protocol: what the grid is trained on, watched by, and what every detector is judged on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from detector.evaluation import from_detections
from detector.grid import Grid
from detector.grid_training import Schedule, train
from detector.head import Head
from detector.pipeline import judge
from detector.synthesis.backgrounds import TRAIN, Background, from_folder, mixture, procedural
from detector.synthesis.clip import clip
from detector.synthesis.garments import Garments, from_split
from detector.synthesis.scenes import FAIR, TRAINING, Scene, held_out, render
from detector.video.writer import Writer
from fmnist.data import Split, hold_out, load
from fmnist.provenance import provenance

JUDGED_SEED = 2020  # of the one set of frames that every figure of this project uses
HARD_SHARE = 0.3  # of the grid's training frames; the others are fair
LEAST_CONFIDENCE = 0.01  # average precision wants the unlikely boxes too
CLIP_SIZE_WH = (1280, 720)
CLIP_FPS = 25.0


@dataclass(frozen=True)
class TrainingScenes:
    """Makes one frame after another, most of them fair ones, some harder.

    Picklable, because worker processes call it.
    """

    garments: Garments
    background: Background

    def __call__(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        style = TRAINING if rng.random() < HARD_SHARE else FAIR
        return render(rng, self.garments, size_wh, self.background, style)


def training_scenes(split: Split, seed: int, photos: Path | None = None) -> TrainingScenes:
    """Frames of the split's images; half of them over the user's own photos where there are some.

    Raises:
        InputError: the folder of photos is missing or holds none that can be read.
    """
    painted: Background = procedural(TRAIN, np.random.default_rng(seed), pool_size=240)
    background = mixture([painted, from_folder(photos)], [1, 1]) if photos else painted
    return TrainingScenes(from_split(split), background)


def watched_scenes(validation: Split, seed: int, count: int = 200) -> list[Scene]:
    """Frames to watch a training by: held-out garments, backgrounds of the training's kinds."""
    make = training_scenes(validation, seed + 1)
    return [make(np.random.default_rng((seed, number)), (640, 480)) for number in range(count)]


def judged_scenes(test: Split, count: int) -> list[Scene]:
    """The fixed frames of test images that every detector is judged on; no choice is made on them.

    Their backgrounds are of other kinds than those of training.
    """
    return list(held_out(from_split(test), count, JUDGED_SEED))


def train_grid(
    folder: Path,
    run_dir: Path,
    schedule: Schedule,
    device: torch.device,
    *,
    photos: Path | None,
    seed: int,
    workers: int,
    max_minutes: float | None,
    resume: bool,
    init: Path | None,
    report: Callable[[str], None],
) -> Path | None:
    """Train the grid on the data set in `folder`; the weights, or None where time ended it."""
    kept, validation = hold_out(load(folder, "train"))
    return train(
        schedule,
        training_scenes(kept, seed, photos),
        watched_scenes(validation, seed),
        run_dir,
        device,
        seed=seed,
        workers=workers,
        max_minutes=max_minutes,
        resume=resume,
        init=init,
        backgrounds=str(photos or ""),
        facts=provenance(device),
        report=report,
    )


def compare_heads(
    grid: Grid, heads: Sequence[Head], scenes: Sequence[Scene]
) -> list[dict[str, Any]]:
    """The figures of every head on the boxes of one grid, in the order of the heads."""
    boxes = [grid(scene.frame, LEAST_CONFIDENCE) for scene in scenes]
    rows = []
    for head in heads:
        found = [judge(head, s.frame, its) for its, s in zip(boxes, scenes, strict=True)]
        rows.append(from_detections(found, scenes).to_dict())
    return rows


def write_clip(path: Path, test: Split, seed: int, seconds: float) -> None:
    """Render the demo clip from test images: 1280x720, 25 frames a second."""
    frames = clip(from_split(test), seed, seconds, CLIP_FPS, CLIP_SIZE_WH)
    with Writer(path, CLIP_SIZE_WH, CLIP_FPS) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, number / CLIP_FPS)
