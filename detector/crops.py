"""What the head is trained on: the crops of synthetic scenes, as a split like Fashion-MNIST's.

A classifier that has only seen garments on black is at chance on a detector's boxes. Here each
crop comes out of a whole frame, through the same square, gray and resampling as in detection.
"""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from detector.head import SIZE, square_crop
from detector.synthesis.backgrounds import HELD_OUT, TRAIN, Background, procedural
from detector.synthesis.garments import Garments, from_split
from detector.synthesis.scenes import FAIR, TRAINING, render
from detector.synthesis.textures import Painter
from fmnist.data import Split

FRAME = (400, 320)  # width and height: the smallest garment is about as large as a crop
CHUNK = 2_000  # crops that one task renders
JUDGED = 5_000  # crops for validation, and as many for the test
PLAIN_SHARE = 0.2  # of the training split that stays on black
JITTER = 0.05  # of a box's side, standard deviation: the grid's boxes are not exact either


def crop_splits(
    plain: tuple[Split, Split, Split], count: int, seed: int, cache: Path, workers: int = 1
) -> tuple[Split, Split, Split]:
    """Training, validation and test of the head, rendered from those of Fashion-MNIST.

    Training holds `count` crops and a fifth of plain images, so that the head stays a classifier
    of Fashion-MNIST. The test's backgrounds are of families that training never shows. What was
    rendered is kept in `cache` (.npz), for a run that is resumed.
    """
    if not cache.exists():
        plans = zip(plain, (TRAIN, TRAIN, HELD_OUT), (count, JUDGED, JUDGED), strict=True)
        made = [crops(*plan, (seed, part), workers) for part, plan in enumerate(plans)]
        arrays = {f"images{part}": split.images.numpy() for part, split in enumerate(made)}
        arrays |= {f"labels{part}": split.labels.numpy() for part, split in enumerate(made)}
        temporary = cache.with_name(f".{cache.name}")
        np.savez(temporary, allow_pickle=False, **arrays)
        temporary.replace(cache)
    with np.load(cache) as kept:
        training, validation, test = (
            Split(torch.from_numpy(kept[f"images{i}"]), torch.from_numpy(kept[f"labels{i}"]))
            for i in range(3)
        )
    some = torch.randperm(len(plain[0]), generator=torch.Generator().manual_seed(seed))
    some = some[: round(count * PLAIN_SHARE / (1 - PLAIN_SHARE))]
    return training + plain[0].select(some), validation, test


def crops(
    split: Split,
    family: Mapping[str, Painter],
    count: int,
    seed: tuple[int, ...],
    workers: int = 1,
) -> Split:
    """`count` crops of the split's garments over backgrounds of that family, and their labels.

    Half of them are of training's scenes, half of the fair ones that the detector is judged by.
    The same for the same seed, however many `workers` (processes) render it. About 3 ms each.
    """
    task = partial(_chunk, from_split(split), family, seed)
    images, labels = [], []
    starts = range(0, count, CHUNK)
    with ProcessPoolExecutor(workers) as pool:
        for some, their in pool.map(task, starts):
            images.append(some)
            labels.append(their)
    empty = np.zeros((0, SIZE, SIZE), np.uint8)
    return Split(
        torch.from_numpy(np.concatenate([empty, *images])[:count]),
        torch.from_numpy(np.concatenate([np.zeros(0, np.int64), *labels])[:count]),
    )


def _chunk(
    garments: Garments, family: Mapping[str, Painter], seed: tuple[int, ...], start: int
) -> tuple[np.ndarray, np.ndarray]:
    cv2.setNumThreads(0)  # as many processes as cores already
    rng = np.random.default_rng((*seed, start))
    background = procedural(family, rng, pool_size=4 * len(family))
    images: list[np.ndarray] = []
    labels: list[int] = []
    while len(labels) < CHUNK:
        _add_scene(rng, garments, background, images, labels)
    return np.stack(images[:CHUNK]), np.array(labels[:CHUNK], np.int64)


def _add_scene(
    rng: np.random.Generator,
    garments: Garments,
    background: Background,
    images: list[np.ndarray],
    labels: list[int],
) -> None:
    style = TRAINING if rng.random() < 0.5 else FAIR
    scene = render(rng, garments, FRAME, background, style)
    sides = np.tile(scene.xyxy[:, 2:] - scene.xyxy[:, :2], 2)
    boxes = scene.xyxy + rng.normal(0, JITTER, scene.xyxy.shape).clip(-0.12, 0.12) * sides
    images += [square_crop(scene.frame, box) for box in boxes.astype(np.float32)]
    labels += scene.labels.tolist()
