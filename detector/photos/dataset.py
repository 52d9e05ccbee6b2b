"""Photos of known garments as a data set for `yolo detect train`, and for ourselves again."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from detector.photos import folder as photo_folder
from detector.photos.photo import Photo
from detector.pictures import write_image
from fmnist.classes import CLASSES
from fmnist.errors import InputError

# Of a photo's labels: the ten classes, a garment of none of them, footwear whose kind nobody told.
NAMES = (*CLASSES, "garment", "footwear")
DIGITS = 6  # of a box's sides as parts of the photo's: a thousandth of a pixel


def write_dataset(folders: Sequence[Path], output: Path) -> dict[str, int]:
    """Write OUTPUT/{train,val}/{images,labels} and OUTPUT/data.yaml; the photos in each part.

    The parts are those of `detector.photos.folder`; the photos at most 640 pixels long. Single
    garments have one box, around what was cut out. The yaml comes last: with it all is there.

    It is made beside what OUTPUT holds of an earlier data set and takes its place at the end.

    Raises:
        InputError: a folder is in no known layout, a photo in it cannot be read, there are too
            few for two parts, or OUTPUT and the photos lie in each other.
    """
    check_apart(folders, output)
    for part in ("train", "val"):
        if (output / part).is_symlink():
            raise InputError(f"{output / part} is a link. Remove it, or choose another -o.")
    parts = {
        "train": [photo_folder.training_part(folder) for folder in folders],
        "val": [photo_folder.validation_part(folder) for folder in folders],
    }
    if not all(any(listing.names for listing in listings) for listings in parts.values()):
        raise InputError(f"{folders[0]} has too few photos for two parts. Give at least 8.")
    output.mkdir(parents=True, exist_ok=True)
    count = dict.fromkeys(parts, 0)
    with TemporaryDirectory(dir=output, prefix=".new-") as new:
        for part, listings in parts.items():
            for folder, listing in zip(folders, listings, strict=True):
                for photo in listing.photos():
                    _write(photo, Path(new) / part, f"{_named(folder)}-{count[part]:05}")
                    count[part] += 1
        if not all(count.values()):
            raise InputError(f"{folders[0]}: too few photos can be cut out. Give more.")
        yaml_file = output / "data.yaml"
        yaml_file.unlink(missing_ok=True)
        for part in parts:
            shutil.rmtree(output / part, ignore_errors=True)
            (Path(new) / part).rename(output / part)
    facts = {**{part: f"{part}/images" for part in parts}, "names": dict(enumerate(NAMES))}
    yaml_file.write_text(yaml.safe_dump(facts, sort_keys=False))
    return count


def check_apart(folders: Sequence[Path], output: Path) -> None:
    """Raises InputError where writing a data set would remove photos that it is made of."""
    target = output.resolve()
    for folder in folders:
        source = folder.resolve()
        if target == source or target in source.parents or source in target.parents:
            raise InputError(
                f"{output} and the photos in {folder} lie in each other. "
                "Choose another folder with -o."
            )


def _named(folder: Path) -> str:
    """The folder's name, without the dot that would hide what is called after it."""
    return folder.resolve().name.lstrip(".") or "photos"


def _write(photo: Photo, folder: Path, name: str) -> None:
    for inner in ("images", "labels"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    write_image(folder / "images" / f"{name}.jpg", photo.image)
    height, width = photo.image.shape[:2]
    lines = []
    for label, (left, top, right, bottom) in zip(photo.labels, photo.xyxy, strict=True):
        centre = (left + right) / 2 / width, (top + bottom) / 2 / height
        size = (right - left) / width, (bottom - top) / height
        lines.append(" ".join([str(label), *(f"{part:.{DIGITS}f}" for part in (*centre, *size))]))
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines))
