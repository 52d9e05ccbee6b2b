"""Sets of frames: what the grid is trained on, watched by, and what detectors are judged on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.photos import folder as photo_folder
from detector.photos.empty import strips_beside
from detector.photos.photo import Photo
from detector.photos.scenes import FOR_GRID, PhotoScenes
from detector.scene import Scene
from detector.synthesis.backgrounds import Background, from_folder, mixture, procedural
from detector.synthesis.garments import Garments, from_split
from detector.synthesis.scenes import FAIR, TRAINING, held_out, render
from detector.synthesis.training_textures import TRAIN
from detector.training.batches import SceneMaker
from fmnist.data import Split
from fmnist.errors import InputError

JUDGED_SEED = 2020  # of the one set of frames that every figure of this project uses
HARD_SHARE = 0.3  # of the grid's painted training frames; the others are fair
PHOTO_SHARE = 0.8  # of the training frames that show real clothes, where there are photos


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


def training_scenes(
    split: Split,
    seed: int,
    backgrounds: Path | None = None,
    photos: Sequence[Path] = (),
    say: Callable[[str], None] = lambda line: None,
) -> SceneMaker:
    """Frames of the split's images, and of the photos' training parts where there are any.

    Half of what stands behind garments is the user's own `backgrounds` where there are some.

    Raises:
        InputError: a folder is missing or holds nothing that can be read.
    """
    behind = training_background(seed, backgrounds)
    painted = TrainingScenes(from_split(split), behind)
    if not photos:
        return painted
    real = photo_scenes(photos, behind, say=say)
    return mixture([real, painted], [PHOTO_SHARE, 1 - PHOTO_SHARE])


def training_background(seed: int, backgrounds: Path | None = None) -> Background:
    """Painted pictures of the training's families, half and half with the user's own photos."""
    painted: Background = procedural(TRAIN, np.random.default_rng(seed), pool_size=240)
    return mixture([painted, from_folder(backgrounds)], [1, 1]) if backgrounds else painted


def photo_scenes(
    folders: Sequence[Path],
    behind: Background,
    shares: tuple[float, ...] = FOR_GRID,
    say: Callable[[str], None] = lambda line: None,
) -> PhotoScenes:
    """Frames of the training parts of these folders; the streets of the photos join `behind`.

    How many single garments cannot be cut out, and are left out, is reported.

    Raises:
        InputError: a folder is missing, in no known layout, or a photo in it cannot be read, or
            none of them shows a garment.
    """
    people: list[Photo] = []
    garments: list[Photo] = []
    for folder, listing in zip(folders, map(photo_folder.training_part, folders), strict=True):
        photos = list(listing.photos())
        (garments if listing.is_single else people).extend(photos)
        if left_out := len(listing.names) - len(photos):
            told = f"{left_out} of {len(listing.names)} photos cannot be cut out and are left out"
            say(f"{folder}: {told}")
    if not any(len(photo.labels) for photo in people + garments):
        raise InputError(
            f"{', '.join(map(str, folders))}: no garment in any photo. "
            "Give images/ID.jpg its labels/ID.txt, masks whose numbers name clothes, "
            "or single garments that differ from what is behind them."
        )
    streets = strips_beside(people)
    if streets:
        behind = mixture([behind, streets], [1, 1])
    return PhotoScenes(tuple(people), tuple(garments), behind, shares)


def validation_photos(folders: Sequence[Path]) -> list[Scene]:
    """The validation parts of these folders, photo by photo, as frames with known garments."""
    listings = map(photo_folder.validation_part, folders)
    photos = [photo for listing in listings if not listing.is_single for photo in listing.photos()]
    return [Scene(photo.image, photo.xyxy, photo.labels) for photo in photos]


def validation_sets(validation: Split, seed: int, real: list[Scene]) -> dict[str, list[Scene]]:
    """What a grid is chosen by, each set under what its figures are called: painted, and photos."""
    painted = {"": validation_scenes(validation, seed)}
    return painted | ({"photos ": real} if real else {})


def validation_scenes(validation: Split, seed: int, count: int = 200) -> list[Scene]:
    """Frames to watch a training by: held-out garments, backgrounds of the training's kinds."""
    make = TrainingScenes(from_split(validation), training_background(seed + 1))
    return [make(np.random.default_rng((seed, number)), (640, 480)) for number in range(count)]


def test_scenes(test: Split, count: int) -> list[Scene]:
    """The fixed frames of test images that every detector is judged on; no choice is made on them.

    Their backgrounds are of other kinds than those of training.
    """
    return list(held_out(from_split(test), count, JUDGED_SEED))
