"""What the head is trained on: crops of painted scenes and photos, as a split like Fashion-MNIST's.

A classifier that has only seen garments on black is at chance on a detector's boxes. Here each
crop comes out of a whole frame, through the same square, gray and resampling as in detection.
What the grid takes for a garment and is none is there too, so that the head can reject it.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import torch
from jaxtyping import Float32
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from detector.boxes import iou
from detector.defaults import GRID_FILE
from detector.grid import Grid
from detector.head import SIZE, square_crop
from detector.scene import Scene
from detector.synthesis.backgrounds import procedural
from detector.synthesis.garments import Garments, from_split
from detector.synthesis.held_out_textures import HELD_OUT
from detector.synthesis.scenes import FAIR, TRAINING, render
from detector.synthesis.textures import Painter
from detector.synthesis.training_textures import TRAIN
from detector.training.batches import SceneMaker, start_worker
from fmnist.atomic import write_atomically
from fmnist.classes import NOTHING
from fmnist.data import Split, Splits
from fmnist.errors import InputError

PHOTO_FRAME = (560, 448)  # width and height of frames that are made of photos
FRAME = (400, 320)  # width and height: the smallest garment is about as large as a crop
CHUNK = 2_000  # crops that one task renders
JUDGED = 5_000  # crops for validation, and as many for the test
PLAIN_SHARE = 0.2  # of the garments of the training split that stay on black
MISTAKEN_FROM = 0.05  # confidence of the grid in a box that is no garment
MISTAKEN_IOU = 0.3  # with any garment: a box below it shows none
MISTAKES_PER_FRAME = 4  # the surest
AT_ONCE = 8  # frames of photos that the grid looks at
JITTER = 0.05  # of a box's side, standard deviation: the grid's boxes are not exact either


# Crops of garments, their labels, and crops of nothing.
Chunk = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class CropPlan:
    """How many crops of garments; and for each of them, how many of the mistakes of a grid.

    `of_photos` are garments of frames that are made of photos.
    """

    garments: int
    nothing: float = 0.0
    of_photos: int = 0
    grid: Path = GRID_FILE


def crop_splits(
    plain: Splits,
    plan: CropPlan,
    seed: int,
    kept_in: Path,
    workers: int = 0,
    photos: SceneMaker | None = None,
) -> Splits:
    """Training, validation and test of the head, rendered from those of Fashion-MNIST.

    Training holds what is planned and a quarter as many plain images as painted crops of garments,
    so that the head stays a classifier of Fashion-MNIST. Validation and test hold painted garments
    only, and the test's backgrounds are of families that training never shows. `workers` are the
    processes that render; with 0 it is this one. What was rendered is kept (.npz), and taken as it
    is by a run that is resumed: its settings are the same.
    """
    if not kept_in.exists():
        judged = CropPlan(JUDGED)
        parts = zip(plain, (TRAIN, TRAIN, HELD_OUT), (plan, judged, judged), strict=True)
        made = [crops(*part, (seed, number), workers) for number, part in enumerate(parts)]
        if photos and plan.of_photos:
            made[0] += photo_crops(photos, plan, seed, workers)
        arrays = {f"images{number}": split.images.numpy() for number, split in enumerate(made)}
        arrays |= {f"labels{number}": split.labels.numpy() for number, split in enumerate(made)}
        packed = BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        write_atomically(kept_in, packed.getvalue())
    rendered = _read(kept_in)
    some = torch.randperm(len(plain.training), generator=torch.Generator().manual_seed(seed))
    some = some[: round(plan.garments * PLAIN_SHARE / (1 - PLAIN_SHARE))]
    return rendered._replace(training=rendered.training + plain.training.select(some))


def _read(kept_in: Path) -> Splits:
    try:
        with np.load(kept_in) as kept:
            arrays = {name: torch.from_numpy(kept[name]) for name in kept.files}
        return Splits(*(Split(arrays[f"images{i}"], arrays[f"labels{i}"]) for i in range(3)))
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        raise InputError(f"{kept_in} is damaged. Delete it: it is rendered anew.") from None


def crops(
    split: Split,
    family: Mapping[str, Painter],
    plan: CropPlan,
    seed: tuple[int, ...],
    workers: int = 0,
) -> Split:
    """Crops of the split's garments over backgrounds of that family, and their labels.

    Half of them are of training's scenes, half of the fair ones that the detector is judged by.
    After them come those of nothing; there are fewer where the grid does not err often enough.
    The same for the same seed, however many `workers` (processes) render it. About 3 ms each,
    and 30 for every frame that the grid looks at.
    """
    task = partial(_chunk, from_split(split), family, plan, seed, CHUNK)
    garments, labels, mistakes = [], [], []
    for images, their, wrong in _map(task, range(0, plan.garments, CHUNK), workers):
        garments.append(images)
        labels.append(their)
        mistakes.append(wrong)
    empty = np.zeros((0, SIZE, SIZE), np.uint8)
    images = np.concatenate([empty, *garments])[: plan.garments]
    nothing = np.concatenate([empty, *mistakes])[: round(plan.garments * plan.nothing)]
    named = np.concatenate([np.zeros(0, np.int64), *labels])[: plan.garments]
    return Split(
        torch.from_numpy(np.concatenate([images, nothing])),
        torch.from_numpy(np.concatenate([named, np.full(len(nothing), NOTHING)])),
    )


def photo_crops(make: SceneMaker, plan: CropPlan, seed: int, workers: int = 0) -> Split:
    """Crops of the garments of frames, labels 0..9, `FOOTWEAR` or `NOTHING`.

    Where the grid finds a garment, half of the crops are of its box; the others are of the true
    one, jittered. What it finds and is none joins `NOTHING`, up to `plan.nothing` for a garment.
    The same for the same seed, however many `workers` (processes) make the frames.
    """
    grid = _grid(plan.grid)
    rng = np.random.default_rng((seed, 4))
    images: list[np.ndarray] = []
    labels: list[int] = []
    mistakes: list[np.ndarray] = []
    for scene, found in _looked_at(_frames(make, seed, workers), grid):
        images += _garment_crops(rng, scene, found)
        labels += scene.labels.tolist()
        if len(mistakes) < plan.nothing * len(labels):
            mistakes += _mistakes(scene, found)
        if len(labels) >= plan.of_photos:
            break
    images += mistakes
    labels += [NOTHING] * len(mistakes)
    return Split(torch.from_numpy(np.stack(images)), torch.tensor(labels))


class _Frames(IterableDataset[Scene]):
    def __init__(self, make: SceneMaker, seed: int) -> None:
        self.make = make
        self.seed = seed

    def __iter__(self) -> Iterator[Scene]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for number in count(first, step):
            yield self.make(np.random.default_rng((self.seed, 3, number)), PHOTO_FRAME)


def _frames(make: SceneMaker, seed: int, workers: int) -> Iterator[Scene]:
    """Frames without end, the same for the same seed."""
    data = DataLoader(
        _Frames(make, seed), batch_size=None, num_workers=workers, worker_init_fn=start_worker
    )
    yield from data


def _looked_at(
    frames: Iterator[Scene], grid: Grid
) -> Iterator[tuple[Scene, Float32[np.ndarray, "n 4"]]]:
    """Each frame with the boxes that the grid finds in it: several at once keep all cores busy."""
    while some := list(islice(frames, AT_ONCE)):
        found = grid.batch([scene.frame for scene in some], MISTAKEN_FROM)
        yield from zip(some, (boxes.xyxy for boxes in found), strict=True)


def _map(task: Callable[[int], Chunk], starts: range, workers: int) -> Iterator[Chunk]:
    if not workers:
        yield from map(task, starts)
        return
    # Spawned: OpenCV's and torch's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker) as pool:
        yield from pool.map(task, starts)


def _start_worker() -> None:
    cv2.setNumThreads(0)  # as many processes as cores already
    torch.set_num_threads(1)


def _chunk(
    garments: Garments,
    family: Mapping[str, Painter],
    plan: CropPlan,
    seed: tuple[int, ...],
    size: int,
    start: int,
) -> Chunk:
    grid = _grid(plan.grid) if plan.nothing else None
    rng = np.random.default_rng((*seed, start))
    background = procedural(family, rng, pool_size=4 * len(family))
    images: list[np.ndarray] = []
    labels: list[int] = []
    mistakes: list[np.ndarray] = []
    wanted = round(size * plan.nothing)
    while len(labels) < size:
        style = TRAINING if rng.random() < 0.5 else FAIR
        scene = render(rng, garments, FRAME, background, style)
        images += _garment_crops(rng, scene)
        labels += scene.labels.tolist()
        if grid and len(mistakes) < wanted:
            mistakes += _mistakes(scene, grid(scene.frame, MISTAKEN_FROM).xyxy)
    wrong = np.array(mistakes[:wanted], np.uint8).reshape(-1, SIZE, SIZE)
    return np.stack(images[:size]), np.array(labels[:size], np.int64), wrong


@cache
def _grid(path: Path) -> Grid:
    return Grid.load(path, torch.device("cpu"))


def _garment_crops(
    rng: np.random.Generator, scene: Scene, found: Float32[np.ndarray, "n 4"] | None = None
) -> list[np.ndarray]:
    sides = np.tile(scene.xyxy[:, 2:] - scene.xyxy[:, :2], 2)
    boxes = scene.xyxy + rng.normal(0, JITTER, scene.xyxy.shape).clip(-0.12, 0.12) * sides
    if found is not None and len(found) and len(boxes):
        overlap = iou(scene.xyxy, found)
        taken = (overlap.max(1) >= 0.5) & (rng.random(len(boxes)) < 0.5)
        boxes[taken] = found[overlap.argmax(1)[taken]]
    return [square_crop(scene.frame, box) for box in boxes.astype(np.float32)]


def _mistakes(scene: Scene, xyxy: Float32[np.ndarray, "n 4"]) -> list[np.ndarray]:
    """Crops of the boxes that were found where no garment is."""
    overlap = iou(xyxy, scene.xyxy).max(1, initial=0)
    wrong = xyxy[overlap < MISTAKEN_IOU][:MISTAKES_PER_FRAME]
    return [square_crop(scene.frame, box) for box in wrong]
