"""The texts beside photos: what the numbers of masks and boxes mean, boxes as ultralytics has them.

All raise InputError, with the file, where one is missing or wrong.
"""

from collections.abc import Iterable
from pathlib import Path

import yaml

from detector.photos.names import meaning
from fmnist.errors import InputError

SLACK = 0.01  # of a label's numbers beyond 0..1, from rounding


def meanings_of(place: Path, names: Iterable[str]) -> list[int]:
    try:
        return [meaning(name) for name in names]
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def names_in(file: Path) -> list[str]:
    """What the numbers of a mask mean: that of a pixel is the number of a line, from 0 on."""
    names = [line.strip() for line in _text(file).rstrip().splitlines()]
    if "" in names:
        raise InputError(f"{file}: line {names.index('') + 1} is blank. Name it, or write null.")
    return names


def lines_of(file: Path) -> list[str]:
    """Those that are not blank."""
    return [line for line in _text(file).splitlines() if line.strip()]


def _text(file: Path) -> str:
    if not file.is_file():
        raise InputError(f"{file}: no such file. It names the labels.")
    try:
        return file.read_text("utf-8-sig")  # Windows marks its text files
    except UnicodeDecodeError:
        raise InputError(f"{file} is no text in UTF-8. Write it anew.") from None


def yolo_names(folder: Path) -> tuple[Path, dict[int, str]]:
    """The file that tells them, and what each number means."""
    file = folder / "data.yaml"
    if not file.exists() and (folder.parent / "data.yaml").exists():
        file = folder.parent / "data.yaml"
    try:
        names = yaml.safe_load("\n".join(lines_of(file)))["names"]
        numbered = names.items() if isinstance(names, dict) else enumerate(names)
        # In YAML null is not text, but no value.
        return file, {int(n): "null" if name is None else str(name) for n, name in numbered}
    except (yaml.YAMLError, TypeError, KeyError, ValueError, OverflowError, RecursionError):
        raise InputError(f"{file} has no list `names`. Write one: names: [dress, coat].") from None


def yolo_row(path: Path, row: list[str], meanings: dict[int, int]) -> tuple[int, list[float]]:
    """Class and box (parts of the width and height); of a polygon, the box around it."""
    try:
        number, sides = int(row[0]), [float(part) for part in row[1:]]
        if not all(-SLACK <= side <= 1 + SLACK for side in sides):
            raise ValueError("out of range")
        if len(sides) == 4:
            x, y, width, height = sides
            box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        elif len(sides) >= 6 and len(sides) % 2 == 0:
            across, down = sides[::2], sides[1::2]
            box = [min(across), min(down), max(across), max(down)]
        else:  # with a confidence behind it, for example
            raise ValueError("neither box nor polygon")
        return meanings[number], box
    except KeyError:
        raise InputError(f"{path}: data.yaml has no name for class {row[0]}. Add it.") from None
    except (ValueError, IndexError):
        raise InputError(
            f"{path}: {' '.join(row)!r} is no label. Write: class x y width height, in 0..1."
        ) from None
