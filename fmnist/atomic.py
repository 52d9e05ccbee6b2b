"""A file appears under its name whole, or not at all."""

import glob
import os
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader never meets half a file.

    What is no file, like /dev/null, is written to as it is: a rename would take its place.

    Raises:
        OSError: with the name of `path`, which that of a full disk lacks.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        part = part_of(path)
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            with suppress(OSError):
                part.unlink()
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def is_taken(path: Path) -> bool:
    """Whether a file of this name is there, or some process is about to write one."""
    parts = path.parent.glob(f".{glob.escape(path.name)}.*.part")
    return path.exists() or any(parts)


def part_of(path: Path) -> Path:
    """The name under which this process writes a file until it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")
