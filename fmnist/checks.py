"""What can be told before the work begins: a mistyped name, a device, results in the way."""

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from fmnist.atomic import place_of
from fmnist.errors import InputError


def known(name: str, choices: Iterable[str], kind: str) -> str:
    """The name if it is one of the choices, else an InputError that names the nearest."""
    names = list(choices)
    if name in names:
        return name
    near = get_close_matches(name, names, 1)
    if near:
        raise InputError(f"{name}: no such {kind}. Did you mean {near[0]}?")
    raise InputError(f"{name}: no such {kind}. Choose from: {', '.join(names) or 'none are here'}.")


def device_name(name: str) -> str:
    """The name if it is that of a device; whether the device is there only torch can tell."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise InputError(f"{name} is no device. Choose auto, cpu, cuda or cuda:N.")
    return name


LONGEST_NAME = 230  # bytes, of 255: .NAME.json.PID.part, while a card is written, has 19 more


def free(path: Path, overwrite: bool) -> Path:
    """The path if a result can be written there.

    Raises:
        InputError: it exists and is not to be overwritten, is a folder, its name is too long, or
            its folder bars it.
    """
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise InputError(f"{path}: this name is too long. Choose one of {LONGEST_NAME} bytes.")
    if path.is_dir():
        raise InputError(f"{path} is a folder. Name a file in it.")
    if path.exists() and not path.is_file():  # a device or pipe: nothing to lose
        if not os.access(path, os.W_OK):
            raise InputError(f"{path} cannot be written. Choose another.")
        return path
    if path.is_file() and not overwrite:
        raise InputError(f"{path} exists. Add --overwrite, or choose another name.")
    folder = place_of(path).parent
    if folder.is_file():
        raise InputError(f"{folder} is a file, not a folder. Choose another.")
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Make it, or choose another.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be written. Choose another folder.")
    return path


def named_png(path: Path | None) -> None:
    """Raises InputError where a figure that is to be drawn has the name of something else."""
    if path and path.suffix.lower() != ".png":
        raise InputError(f"{path}: figures are PNG files. Name it {path.stem}.png.")


def named_mp4(path: Path) -> None:
    """Raises InputError where a video that is to be written has the name of something else."""
    if path.suffix.lower() != ".mp4":
        raise InputError(f"{path}: video is written as MP4. Name it {path.stem}.mp4.")


def free_folder(folder: Path, overwrite: bool) -> Path:
    """The folder if results can be written into it; it need not exist.

    Raises:
        InputError: it holds something that is not to be overwritten, or it cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise InputError(f"{folder} is not empty. Add --overwrite, or choose another folder.")
    return writable_folder(folder)


def writable_folder(folder: Path) -> Path:
    """The folder if it can be written, or made where it is missing; else an InputError."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise InputError(f"{nearest} is a file, not a folder. Choose another folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"{nearest} cannot be written. Choose another folder.")
    return folder


def made(folder: Path) -> Path:
    """The folder, which is made where it is missing; an InputError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}. Choose another folder."
        ) from error
    return folder


def all_free(overwrite: bool, *targets: Path | str | None) -> None:
    """Check each target as `free` does; nothing and the text "-" (stdout) are always free.

    Raises:
        InputError: as `free`, or two of them are one.
    """
    taken: set[Path] = set()
    for target in (Path(target) for target in targets if target and target != "-"):
        free(target, overwrite)
        place = place_of(target).absolute()
        if place in taken:
            raise InputError(f"{target} would be written twice. Choose another name.")
        if target.is_file() or not target.exists():  # a device takes any number
            taken.add(place)
