"""Which files are meant, and the mistakes that can be told before any of them is decoded."""

import contextlib
import difflib
import glob
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.heif import is_heif
from fmnist.errors import InputError

IMAGES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)
JPEGS = frozenset({".mjpeg", ".mjpg"})  # one behind the other: they begin like an image
VIDEOS = JPEGS | frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".3gp", ".wmv", ".flv", ".ogv", ".gif", ".y4m"}
)
# How files of these formats begin; the suffix is only a name.
IMAGE_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*")
MARK = ".fmnist"  # of our own results: clip.mp4 becomes clip.fmnist.mp4
# Looking for a misspelt file may not become a walk over the whole disk.
LOOKED_AT = 5000


def expand(source: str) -> list[Path]:
    """The files that `source` names: a file, the videos and images in a folder, or a glob.

    Folders and globs come in natural order (clip2 before clip10); a folder's own folders and
    earlier results are left alone. InputError if there is nothing to read.
    """
    if not source:
        raise InputError("One of the sources has no name. Name a video, an image or a folder.")
    path = Path(source)
    protocol, is_url, _ = source.partition("://")
    if is_url and not path.exists():  # the rest may hold a password
        raise InputError(f"{protocol}://... is no file. Look at a stream with fmnist live.")
    if not path.exists():
        with contextlib.suppress(RuntimeError):  # ~backup.mp4: nobody of that name lives here
            path = path.expanduser()
    if path.is_dir():
        found = [entry for entry in path.iterdir() if _is_wanted(entry)]
        if not found:
            raise InputError(f"{source}: no video or image in this folder. Name another one.")
    elif not path.exists() and glob.has_magic(source):
        names = glob.glob(str(path), recursive=True)
        found = [Path(name) for name in names if Path(name).is_file()]
        if not found:
            raise InputError(f"{source}: no file matches. Is the pattern right?")
        if MARK not in path.name:
            found = [path for path in found if not is_result(path)] or found
    else:
        found = [path]
    return sorted(found, key=_natural)


def check_source(path: Path) -> None:
    """InputError if the file is missing, unreadable, empty, text, or an MP4 without its index.

    Reads a few kilobytes and decodes nothing.
    """
    try:
        str(path.absolute()).encode()  # else OpenCV ends the process
    except UnicodeEncodeError:
        name = ascii(str(path.absolute()))
        raise InputError(f"{name}: this name is no UTF-8. Rename it.") from None
    if not path.exists():
        if path.is_symlink():
            gone = path.readlink()
            raise InputError(f"{path} is a link to {gone}, which is not there. Restore that file.")
        if str(path).isdecimal():
            raise InputError(f"{path}: no such file. Look through camera {path} with fmnist live.")
        raise InputError(f"{path}: no such file. {_did_you_mean(path)}")
    if not path.is_file():
        raise InputError(f"{path} is not a file. Name a file.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes).")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except PermissionError:
        raise InputError(f"{path} may not be read. Are its permissions right?") from None
    if _is_text(head):
        raise not_readable(path)
    if _is_mp4(head) and b"moov" not in _boxes(path):
        raise InputError(
            f"{path} is incomplete: its index (moov) is missing."
            " Was the copy or recording interrupted?"
        )


def find_sources(
    sources: Sequence[str],
    failed: list[str],
    check: Callable[[Path], object] = check_source,
) -> list[Path]:
    """The files that the sources name, each of them expanded and checked; nothing is decoded.

    What is wrong with some of the files of a folder or a glob is added to `failed`, and they are
    left out, as is a result that is named beside what it is of (by a shell's *.mp4). InputError
    where a file that is named by itself cannot be read, or none can.
    """
    paths: list[Path] = []
    for source in sources:
        found = expand(source)
        is_named = len(found) == 1 and found[0].name == Path(source).name
        for path in found:
            try:
                check(path)
            except InputError as error:
                if is_named:
                    raise
                failed.append(str(error))
            else:
                paths.append(path)
    failed[:] = dict.fromkeys(failed)  # of a folder that was named twice
    named = {*paths, *(path.with_suffix("") for path in paths)}
    paths = [path for path in paths if not (is_result(path) and _source_of(path) in named)]
    if not paths:
        raise InputError(" ".join(failed))
    return paths


def pictures_in(folder: Path, deep: bool = False) -> list[Path]:
    """The images of a folder by their suffix, sorted, without hidden ones; `deep`: all below it."""
    entries = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in entries if _is_visible(path, IMAGES))


def is_image(path: Path) -> bool:
    """Whether the file begins like a still image; everything else is tried as a video."""
    if path.suffix.lower() in JPEGS:
        return False
    with path.open("rb") as file:
        head = file.read(16)
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return head.startswith(IMAGE_MAGIC) or is_webp or is_heif(head)


def is_gif(path: Path) -> bool:
    """Whether the file begins like a GIF, which is read as a video."""
    with path.open("rb") as file:
        return file.read(4) == b"GIF8"


def is_indexed(path: Path) -> bool:
    """Whether this is an MP4 whose index holds every frame (fragments have their own)."""
    with path.open("rb") as file:
        head = file.read(16)
    return _is_mp4(head) and b"moof" not in _boxes(path)


def is_cut(path: Path) -> bool:
    """Whether an AVI or a Matroska file is shorter than its beginning says."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        told = int.from_bytes(head[4:8], "little")  # behind this number
        return told != 0xFFFFFFFF and 8 + told > size + 1  # unknown; a byte may fill it up
    if head[:4] == b"\x1a\x45\xdf\xa3":  # EBML (RFC 8794): its own header, then the segment
        start = _end_of_element(head, 0)
        return start is not None and (_end_of_element(head, start) or 0) > size
    return False


def _end_of_element(data: bytes, start: int) -> int | None:
    """Where the element that begins there ends, by its size; None: unknown."""
    at = start + 4  # that of these two ids
    if at >= len(data):
        return None
    length = 9 - data[at].bit_length()  # bytes of the size, by the zeros before its first bit
    told = int.from_bytes(data[at : at + length], "big") & ~(1 << 7 * length)
    return None if told == (1 << 7 * length) - 1 else at + length + told


def not_readable(path: Path) -> InputError:
    """The error for a file that is something else."""
    return InputError(f"{path} is not a video or image that can be read.")


def _is_wanted(path: Path) -> bool:
    return _is_visible(path, IMAGES | VIDEOS) and not is_result(path)


def _source_of(result: Path) -> Path:
    """What a result of that name is of, without its suffix."""
    return result.with_name(result.stem.removesuffix(MARK))


def is_result(path: Path) -> bool:
    """Whether its name is that of a result of ours."""
    return path.stem.endswith(MARK) and path.stem != MARK


def _is_visible(path: Path, suffixes: frozenset[str]) -> bool:
    """A file with one of these suffixes; a Mac leaves hidden ones beside those it copies."""
    return path.suffix.lower() in suffixes and path.name[0] != "." and path.is_file()


def _natural(path: Path) -> list[tuple[int, str]]:
    """A sort key under which numbers count as numbers."""
    parts = re.findall(r"\d+|\D+", str(path).lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _did_you_mean(path: Path) -> str:
    """The same name in a folder nearby, or else the most similar name in the same folder."""
    folder = path.parent if path.parent.is_dir() else Path()
    entries = list(itertools.islice(folder.iterdir(), LOOKED_AT))
    places = [folder, Path(), *(entry for entry in entries if entry.is_dir())]
    near = [place / path.name for place in places if (place / path.name).is_file()]
    if not near and folder == path.parent:
        names = [entry.name for entry in entries]
        near = [folder / name for name in difflib.get_close_matches(path.name, names, n=1)]
    return f"Did you mean {near[0]}?" if near else "Is the name right?"


def _is_text(head: bytes) -> bool:
    """Video and images have control characters in their first bytes, text has none."""
    if head.startswith(b"YUV4MPEG2 "):  # bytes of a bright picture behind a line of text
        return False
    return not any(byte < 32 and byte not in b"\t\n\v\f\r\x1b" for byte in head)


def _is_mp4(head: bytes) -> bool:
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and not is_heif(head)


def _boxes(path: Path) -> set[bytes]:
    """The types of an MP4's outermost boxes (ISO/IEC 14496-12, 4.2)."""
    types = set()
    end = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start + 8 <= end:
            file.seek(start)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            if size >= 8 and start + size > end:
                break  # cut off within this box
            types.add(head[4:8])
            if size < 8:
                break  # 0: the box lasts to the end of the file
            start += size
    return types
