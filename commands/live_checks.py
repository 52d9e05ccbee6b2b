"""What the user asks of `fmnist live`: read, and its mistakes told before anything heavy."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import say
from fmnist.checks import named_mp4
from fmnist.errors import InputError

if TYPE_CHECKING:
    from detector.video.cameras import Camera
    from detector.video.frames import Reader


def check_record(record: Path, source: str | None) -> None:
    named_mp4(record)
    if source and record.resolve() == Path(source).resolve():
        raise InputError(f"{record} is the source and would be lost. Choose another name.")


def check_tls(certificate: Path, key: Path) -> None:
    """InputError where the server would end in a traceback, after the weights were loaded."""
    import ssl

    for path in (certificate, key):
        if not path.is_file():
            raise InputError(f"{path}: no such file. --tls wants a certificate and its key.")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError:  # an SSLError is one
        raise InputError(
            f"{certificate} and {key} are no certificate and its key. "
            "Give two PEM files that belong together."
        ) from None


def print_cameras() -> None:
    from detector.video.cameras import list_cameras

    cameras = list_cameras()
    for index, name in cameras.items():
        print(f"{index}  {name}")
    if not cameras:
        say("no camera was found; a video file, a stream or --web needs none")


def size_wh_of(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", text)
    if not found:
        raise InputError(f"{text} is no size. Give width and height, for example 640x480.")
    return int(found[1]), int(found[2])


def address_of(source: str) -> tuple[str, int] | None:
    """Host and port, where that is what the user wrote in the place of a source."""
    found = re.fullmatch(r"([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})", source)
    if not found or Path(source).exists():
        return None
    host, port = found[1].strip("[]"), int(found[2])
    if port > 65535:
        raise InputError(f"{source}: ports end at 65535. Choose a smaller one, or 0 for any.")
    return host, port


def opened_source(
    source: str, size_wh: tuple[int, int] | None, all_frames: bool
) -> "Reader | Camera":
    """The source, with its mistakes told before torch is loaded."""
    from detector.video.cameras import read_source, source_name
    from detector.video.newest import open_source

    meant = read_source(source)
    if size_wh and not isinstance(meant, int):
        raise InputError(f"{source_name(meant)} has its own size. Leave out --size.")
    if all_frames and not isinstance(meant, Path):
        raise InputError(f"{source_name(meant)} does not wait. Leave out --all-frames.")
    opened = open_source(meant, size_wh)
    if getattr(opened, "is_image", False):
        raise InputError(
            f"{source} is a picture, not a video. Use fmnist detect {source} --show, "
            "or choose it in the page of fmnist live --web."
        )
    return opened


def check_window(
    host: str | None, port: int | None, tls: tuple[Path, Path] | None, source_url: str
) -> None:
    """Raises InputError where something was said that only the page needs."""
    if host or port is not None or tls or source_url:
        raise InputError("--host, --port, --tls and --source-url are for the page. Add --web.")
