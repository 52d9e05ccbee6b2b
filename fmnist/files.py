"""The four files of Fashion-MNIST: where they are looked for, checked and read."""

import gzip
import hashlib
import io
import math
import os
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmnist.errors import InputError

# MD5 of the decompressed bytes: packages and mirrors compress the same bytes differently.
FILES = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

UNREADABLE = (OSError, EOFError, zlib.error)


def cache_folder() -> Path:
    """Of what can be had again, by the XDG base directory specification; it need not exist."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        base = Path(os.path.expanduser("~/.cache"))
    if not base.is_absolute():  # who has no home
        base = Path(tempfile.gettempdir())
    return base / "fmnist"


def search_path(data_dir: Path | None = None) -> list[Path]:
    """Folders to look in, first one first; the last one is where a download belongs.

    A folder that the user names (`data_dir`, else $FMNIST_DATA) is the only one, so that a
    mistyped name is never answered with other data.
    """
    if data_dir is not None:
        return [data_dir]
    if named := os.environ.get("FMNIST_DATA"):
        return [Path(os.path.expanduser(named))]  # ~nobody stays as it is
    return [DEBIAN_FOLDER, cache_folder() / "fashion-mnist"]


def locate(path: Path) -> Path | None:
    """`path.gz` or `path` itself, whichever is a file; the .gz one where both are."""
    candidates = (path.with_name(path.name + ".gz"), path)
    return next((candidate for candidate in candidates if os.path.isfile(candidate)), None)


def find(data_dir: Path | None = None) -> Path:
    """The first folder of the search path that holds all four files, .gz or decompressed.

    Raises:
        InputError: no folder does; the text says where it looked, what is missing there, which
            four files are wanted and how to get them.
    """
    folders = search_path(data_dir)
    for folder in folders:
        if all(locate(folder / name) for name in FILES):
            return folder
    looked = "\n".join(f"  {folder}: {_lack(folder)}" for folder in folders)
    wanted = "\n".join(f"  {name}[.gz]  MD5 {md5} (decompressed)" for name, md5 in FILES.items())
    raise InputError(
        f"Fashion-MNIST was not found. Looked in:\n{looked}\n"
        f"The four files are:\n{wanted}\n"
        "Install Debian's package (apt install dataset-fashion-mnist), "
        "run `fmnist data --download`, or name their folder with --data-dir or FMNIST_DATA."
    )


def verify(folder: Path, names: Iterable[str] = tuple(FILES)) -> None:
    """Check the MD5 of the files `names` (keys of FILES) in `folder`.

    Raises:
        InputError: a file is missing, unreadable or damaged; the text names the first one.
    """
    for name in names:
        path = locate(folder / name)
        if path is None:
            raise InputError(f"{folder / name}[.gz]: no such file. Run `fmnist data --download`.")
        try:
            found = md5_of(path)
        except UNREADABLE as error:
            raise _unreadable(path, error) from error
        if found != FILES[name]:
            raise InputError(
                f"{path} is damaged: its MD5 (decompressed) is {found}, not {FILES[name]}. "
                "Delete it and run `fmnist data --download`."
            )


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes, in the shape that its header states.

    `path` may leave out the .gz of a compressed file. The format is at the foot of
    http://yann.lecun.com/exdb/mnist/: two zero bytes, the element type (8: unsigned byte), the
    number of dimensions, each size as a big-endian 32-bit integer, then the elements.

    Raises:
        InputError: the file is missing, unreadable, too short, too long or of another format.
    """
    path = locate(path) or path
    try:
        with _open(path) as stream:
            content = stream.read()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file. Run `fmnist data` to see where it is.") from error
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or content[3] == 0:
        raise InputError(
            f"{path} is not an IDX file of unsigned bytes: it begins with "
            f"{content[:4].hex(' ') or 'nothing'}. Give one of the four files of Fashion-MNIST."
        )
    header = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4)]
    if len(content) != (wanted := header + math.prod(shape)):
        raise InputError(
            f"{path} has {len(content)} bytes (decompressed), its header says {wanted}. "
            "Delete it and run `fmnist data --download`."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


def _open(path: Path) -> io.BufferedIOBase:
    return gzip.open(path) if ".gz" in path.suffixes else path.open("rb")


def md5_of(path: Path) -> str:
    """Of the decompressed bytes; about 0.3 s for the largest of the four files."""
    with _open(path) as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _lack(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    missing = [name for name in FILES if not locate(folder / name)]
    return "none of the four files" if len(missing) == len(FILES) else f"no {', '.join(missing)}"


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} cannot be read: {error}. Delete it and run `fmnist data --download`."
    )
