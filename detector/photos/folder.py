"""Photos with known garments, from a folder in one of three layouts; which of them validate.

    images/ID.jpg  masks/ID.png  labels.txt     a pixel of a mask is a number of a line (from 0,
                                                the background)
    images/ID.jpg  labels/ID.txt  data.yaml     boxes as ultralytics has them, `names:` in the yaml
    CLASS/*.jpg                                 photos of one garment each

The folder of the images may be called `photos` too. Where there are folders `train` and
`validation` (or `val`, `valid`), each in one of these layouts, they are the split, and one
`data.yaml` above them serves both. Otherwise every eighth photo by its sorted name validates.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np

from detector.photos.labels import lines_of, meanings_of, names_in, yolo_names, yolo_row
from detector.photos.names import NO_GARMENT, meaning
from detector.photos.photo import Photo, from_mask, of_single
from detector.pictures import read_mask, read_picture, shrunk
from detector.video.sources import pictures_in
from fmnist.classes import OTHER
from fmnist.errors import InputError

EVERY = 8  # that photo of a sorted folder is for validation
AT_ONCE = 64  # photos in memory that nobody has asked for yet
LONGEST = 640  # pixels: what is larger is shrunk


@dataclass(frozen=True)
class Listing:
    """The photos of a folder that are yet to be read; `is_single`: of one garment each."""

    folder: Path
    files: tuple[Path, ...]
    read: Callable[[Path], Photo | None]
    is_single: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the files, in the folder."""
        return tuple(str(file.relative_to(self.folder)) for file in self.files)

    def singles(self) -> Iterator[tuple[np.ndarray, int]]:
        """The photos of one garment as they are, and its label; none in the other layouts."""
        for file in self.files if self.is_single else ():
            yield read_image(file), meaning(file.parent.name)

    def photos(self) -> Iterator[Photo]:
        """Read them in their order, on all cores; what cannot be cut out is left out."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for first in range(0, len(self.files), AT_ONCE):
                read = pool.map(self.read, self.files[first : first + AT_ONCE])
                yield from (photo for photo in read if photo is not None)

    def part(self, validation: bool) -> "Listing":
        """Every eighth one, or the others."""
        eighth = self.files[EVERY - 1 :: EVERY]
        others = tuple(file for i, file in enumerate(self.files) if i % EVERY != EVERY - 1)
        return replace(self, files=eighth if validation else others)


def training_part(folder: Path) -> Listing:
    """The photos to learn from.

    Raises InputError where the folder is in none of the layouts, or has half of a split: then it
    would not be sure what validates.
    """
    train, validation = _split(folder)
    if validation and not train:
        raise InputError(f"{folder} has {validation.name} but no train. Add a folder train.")
    return listing(train) if train else listing(folder).part(validation=False)


def validation_part(folder: Path) -> Listing:
    """The photos that are never learnt from. Raises InputError as `training_part`."""
    _, validation = _split(folder)
    return listing(validation) if validation else listing(folder).part(validation=True)


def _split(folder: Path) -> tuple[Path | None, Path | None]:
    """The folders inside for training and validation; the second may stand alone."""
    train, *others = (folder / name for name in ("train", "validation", "val", "valid"))
    validation = next((other for other in others if other.is_dir()), None)
    if not train.is_dir():
        return None, validation
    if not validation:
        raise InputError(f"{folder} has train but no validation. Add a folder validation.")
    return train, validation


def digest_of(folders: Sequence[Path]) -> str:
    """Of the names of all that is learnt from and that validates; without folders nothing."""
    parts = [part(folder).names for folder in folders for part in (training_part, validation_part)]
    return sha256(repr(parts).encode()).hexdigest()[:16] if parts else ""


def check_judged(
    folders: Sequence[Path], *, by_boxes: Sequence[str] = (), want_names: bool = True
) -> None:
    """Raises InputError where nothing validates, no frames with boxes, of which these options
    tell, or no names.
    """
    listings = [validation_part(folder) for folder in folders]
    if not any(listing.names for listing in listings):
        raise InputError(f"{folders[0]}: every eighth photo validates. Give at least 8.")
    if any(listing.names and not listing.is_single for listing in listings):
        return
    for option in by_boxes:
        raise InputError(f"{option} is about boxes, photos of one garment have none. Leave it out.")
    if not want_names:
        raise InputError(
            "Photos of one garment are judged by its name. Add a classifier to --heads."
        )
    labels = {meaning(file.parent.name) for listing in listings for file in listing.files}
    if labels == {OTHER}:
        raise InputError(
            f"{folders[0]} shows no garment of the ten classes. Give others: dress/1.jpg."
        )


def check(folders: Sequence[Path]) -> None:
    """Raises InputError as `training_part` and `validation_part`, before any photo is read."""
    for folder in folders:
        training_part(folder)
        validation_part(folder)


def check_split(folders: Sequence[Path]) -> None:
    """`check`, and InputError where a photo that is learnt from validates, too, as a copy."""
    learnt = [file for folder in folders for file in training_part(folder).files]
    judges = [file for folder in folders for file in validation_part(folder).files]
    sizes = {file.stat().st_size for file in learnt} & {file.stat().st_size for file in judges}
    known = {_digest(file): file for file in learnt if file.stat().st_size in sizes}
    for file in judges:
        if file.stat().st_size not in sizes or not (one := known.get(_digest(file))):
            continue
        if one.samefile(file):
            raise InputError(f"{file} would train and validate. Name no folder within another.")
        raise InputError(f"{file} validates, and {one} is a copy of it. Remove one of them.")


def _digest(file: Path) -> bytes:
    return sha256(file.read_bytes()).digest()


def listing(folder: Path) -> Listing:
    """All photos of the folder, sorted by name.

    Raises:
        InputError: it is missing, in none of the layouts, or a label has no known meaning.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Give a folder of photos (see the README).")
    for images in (folder / "images", folder / "photos"):
        if images.is_dir() and (folder / "masks").is_dir():
            return _with_masks(folder, images)
        if images.is_dir() and (folder / "labels").is_dir():
            return _with_boxes(folder, images)
        if images.is_dir() and pictures_in(images):
            raise InputError(
                f"{images} has neither masks nor labels beside it. "
                "Add a folder masks or labels (see the README)."
            )
    return _of_one_garment(folder)


def _with_masks(folder: Path, images: Path) -> Listing:
    names = names_in(folder / "labels.txt")
    meanings = meanings_of(folder / "labels.txt", names)
    if not names or meanings[0] != NO_GARMENT:
        raise InputError(
            f"{folder / 'labels.txt'}: the first line names the background. Begin with: null."
        )

    def read(file: Path) -> Photo:
        image = read_picture(file)
        path = _beside(folder / "masks", file, ".png")
        if not path.is_file():
            raise InputError(f"{path}: no such file. Every photo needs its mask.")
        mask = read_mask(path)
        if mask.shape != image.shape[:2]:
            raise InputError(f"{path} is not as large as its photo. Remove or replace it.")
        if mask.max() >= len(names):
            raise InputError(f"{path}: {mask.max()} is no line of labels.txt. Complete it.")
        image, mask = shrunk(image, LONGEST), shrunk(mask, LONGEST, cv2.INTER_NEAREST_EXACT)
        return from_mask(file.stem, image, mask, names)

    return _not_empty(Listing(folder, tuple(pictures_in(images)), read))


def _with_boxes(folder: Path, images: Path) -> Listing:
    told, names = yolo_names(folder)
    meanings = dict(zip(names, meanings_of(told, names.values()), strict=True))

    def read(file: Path) -> Photo:
        image = read_image(file)
        path = _beside(folder / "labels", file, ".txt")
        rows = [line.split() for line in lines_of(path)] if path.exists() else []
        labels, boxes = [], []
        for row in rows:
            label, box = yolo_row(path, row, meanings)
            if label != NO_GARMENT:
                labels.append(label)
                boxes.append(box)
        size = np.array(image.shape[1::-1] * 2, np.float32)
        xyxy = np.array(boxes, np.float32).reshape(-1, 4).clip(0, 1) * size
        shown = (xyxy[:, 2:] - xyxy[:, :2]).min(1) >= 1  # pixel each way
        return Photo(image, xyxy[shown], np.array(labels, np.int64)[shown])

    return _not_empty(Listing(folder, tuple(pictures_in(images)), read))


def _of_one_garment(folder: Path) -> Listing:
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    shown = [path for path in folders if pictures_in(path)]
    meanings = meanings_of(folder, [path.name for path in shown])
    told = zip(shown, meanings, strict=True)
    labels = {path: label for path, label in told if label != NO_GARMENT}
    files = tuple(file for path in labels for file in pictures_in(path))

    def read(file: Path) -> Photo | None:
        photo = of_single(read_image(file), labels[file.parent])
        return photo and replace(photo, kind=file.parent.name)

    return _not_empty(Listing(folder, files, read, is_single=True))


def _not_empty(listing: Listing) -> Listing:
    if not listing.files:
        raise InputError(
            f"{listing.folder} holds no photo in a known layout. The README shows them."
        )
    return listing


def read_image(file: Path) -> np.ndarray:
    """BGR, with no side longer than `LONGEST`. Raises InputError where it cannot be read."""
    return shrunk(read_picture(file), LONGEST)


def _beside(folder: Path, photo: Path, suffix: str) -> Path:
    """The file of that name; its suffix may be in capitals, as that of a photo may."""
    path = folder / f"{photo.stem}{suffix}"
    capital = path.with_name(f"{photo.stem}{suffix.upper()}")
    return capital if capital.is_file() and not path.is_file() else path
