"""A file appears under its name whole, or not at all."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader never meets half a file.

    What is no file, like /dev/null, is written to as it is: a rename would take its place.

    Raises:
        OSError: with the name of `path`, which that of a full disk lacks.
    """
    with named_in_errors(path):
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        part = part_of(path)
        try:
            part.write_bytes(content)
            take_name(part, path)
        finally:
            with suppress(OSError):
                part.unlink()


@contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """An OSError names `path`, not the file beside it, nor none, as that of a full disk does."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def is_taken(path: Path) -> bool:
    """Whether a file of this name is there, or some process is about to write one."""
    place = place_of(path)
    parts = place.parent.glob(f".{glob.escape(place.name)}.*.part")
    return place.exists() or any(parts)


def part_of(path: Path) -> Path:
    """The name under which this process writes a file until it is whole."""
    place = place_of(path)
    return place.with_name(f".{place.name}.{os.getpid()}.part")


def take_name(part: Path, path: Path) -> None:
    """What was written beside it stands under its name now."""
    os.replace(part, place_of(path))


def place_of(path: Path) -> Path:
    """Where a file of this name is or will be; of a link where that leads to, for it stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path
