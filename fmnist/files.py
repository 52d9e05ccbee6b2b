"""The four files of Fashion-MNIST: where they are looked for, checked, read and fetched."""

import gzip
import hashlib
import http.client
import io
import math
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
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
MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

CHUNK = 1 << 18
UNREADABLE = (OSError, EOFError, zlib.error)

Report = Callable[[str, int, int | None], None]


class _MirrorError(Exception):
    """A mirror did not give the file; the text says why."""


def cache_folder() -> Path:
    """The folder of our own cache, by the XDG base directory specification; it need not exist."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "fmnist" / "fashion-mnist"


def search_path(data_dir: Path | None = None) -> list[Path]:
    """Folders to look in, first one first; the last one is where a download belongs.

    A folder that the user names (`data_dir`, else $FMNIST_DATA) is the only one, so that a
    mistyped name is never answered with other data.
    """
    if data_dir is not None:
        return [data_dir]
    if named := os.environ.get("FMNIST_DATA"):
        return [Path(named).expanduser()]
    return [DEBIAN_FOLDER, cache_folder()]


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
            found = _md5(path)
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


def download(
    folder: Path, report: Report, mirrors: Sequence[str] = MIRRORS, timeout: float = 20.0
) -> None:
    """Fetch into `folder`, as .gz, those of the four files that are missing or damaged.

    What was received stays in NAME.gz.part when all mirrors fail or the user interrupts, and the
    next call goes on from there. A file gets its name only when its MD5 is right.

    Args:
        folder: made, with its parents, where it does not exist.
        report: called with the URL, the bytes so far and, where known, the bytes in all.
        mirrors: base URLs that end with "/"; each is tried twice, in turn, for every file.
        timeout: seconds without an answer after which a mirror is given up.

    Raises:
        InputError: no mirror gave a file, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, md5 in FILES.items():
            if not _intact(locate(folder / name), md5):
                _download_one(folder / f"{name}.gz", md5, report, mirrors, timeout)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror or error}. "
            "Choose another folder with --data-dir."
        ) from error


def _download_one(
    path: Path, md5: str, report: Report, mirrors: Sequence[str], timeout: float
) -> None:
    part = path.with_name(path.name + ".part")
    failures = {}
    for mirror in (*mirrors, *mirrors):
        try:
            _obtain(mirror + path.name, part, md5, report, timeout)
        except _MirrorError as failure:
            failures[mirror] = f"  {mirror}: {failure}"
        else:
            os.replace(part, path)
            return
    raise InputError(
        f"{path.name} could not be downloaded:\n" + "\n".join(failures.values()) + "\n"
        "Look at the network and run it again: what was received is kept."
    )


def _obtain(url: str, part: Path, md5: str, report: Report, timeout: float) -> None:
    """Complete `part` from `url`; a sum that is wrong after a resume gets one fresh start."""
    resumed = part.exists()
    _fetch(url, part, report, timeout)
    if _intact(part, md5):
        return
    part.unlink()
    if not resumed:
        raise _MirrorError("the MD5 of what it sent is wrong")
    _obtain(url, part, md5, report, timeout)


def _fetch(url: str, part: Path, report: Report, timeout: float) -> None:
    """Append to `part` what it lacks, or write all of it where the mirror knows no ranges."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "fmnist"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError) and error.code == 416:
            part.unlink()  # longer than the file: of no use to any mirror
        raise _MirrorError(_reason(error)) from error
    with response:
        if response.status != 206:
            have = 0
        total = None if response.length is None else have + response.length
        with part.open("ab" if have else "wb") as file:
            for block in _blocks(response):
                file.write(block)
                have += len(block)
                report(url, have, total)
    if total is not None and have < total:
        raise _MirrorError(f"the connection ended after {have} of {total} bytes")


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body in pieces, with network errors told apart from those of our own disk."""
    while True:
        try:
            block = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _MirrorError(_reason(error)) from error
        if not block:
            return
        yield block


def _open(path: Path) -> io.BufferedIOBase:
    return gzip.open(path) if ".gz" in path.suffixes else path.open("rb")


def _md5(path: Path) -> str:
    """Of the decompressed bytes; about 0.3 s for the largest of the four files."""
    with _open(path) as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _intact(path: Path | None, md5: str) -> bool:
    try:
        return path is not None and _md5(path) == md5
    except UNREADABLE:
        return False


def _lack(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    missing = [name for name in FILES if not locate(folder / name)]
    return "none of the four files" if len(missing) == len(FILES) else f"no {', '.join(missing)}"


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} cannot be read: {_reason(error)}. Delete it and run `fmnist data --download`."
    )


def _reason(error: Exception) -> str:
    """The text of an error, without the wrapping that urllib puts around it."""
    inner = getattr(error, "reason", None)
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {inner}"
    return getattr(inner or error, "strerror", None) or str(inner or error) or type(error).__name__
