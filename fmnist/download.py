"""Fetching the four files of Fashion-MNIST: two mirrors, resumed, checked before they are named."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fmnist.errors import InputError
from fmnist.files import FILES, UNREADABLE, locate, md5_of

MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
CHUNK = 1 << 18

Report = Callable[[str, int, int | None], None]


class _MirrorError(Exception):
    """A mirror did not give the file; the text says why."""


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
    if resumed and _intact(part, md5):
        return  # it was stopped between the last byte and its name
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


def _intact(path: Path | None, md5: str) -> bool:
    try:
        return path is not None and md5_of(path) == md5
    except UNREADABLE:
        return False


def _reason(error: Exception) -> str:
    """The text of an error, without the wrapping that urllib puts around it."""
    inner = getattr(error, "reason", None)
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {inner}"
    return getattr(inner or error, "strerror", None) or str(inner or error) or type(error).__name__
