"""Pictures, decoded, read, shrunk and written."""

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from detector.heif import is_heif
from detector.video.disk import DISK_FULL, disk_full
from detector.video.quiet import quiet_opencv
from fmnist.atomic import write_atomically
from fmnist.errors import InputError


def decoded(data: bytes, flags: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    """The BGR pixels of an encoded picture; None where it is none, or larger than can be read."""
    if is_heif(data[:12]):
        return _decoded_heif(data)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # of nothing at all, of 2^30 pixels
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def _decoded_heif(data: bytes) -> UInt8[np.ndarray, "h w 3"] | None:
    """By Pillow: OpenCV's wheels read no HEIC, and do not turn AVIF upright."""
    import pillow_heif  # takes its time, and few pictures need it

    pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # of half the limit
        try:
            with Image.open(io.BytesIO(data)) as opened:
                upright = ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError):
            return None
    return np.ascontiguousarray(np.asarray(upright)[..., ::-1])


def read_picture(file: Path) -> UInt8[np.ndarray, "h w 3"]:
    """The BGR pixels of a file. Raises InputError where it cannot be read."""
    picture = decoded(file.read_bytes()) if file.is_file() else None
    if picture is None:
        raise _unreadable(file)
    return picture


def read_mask(file: Path) -> UInt8[np.ndarray, "h w"]:
    """The number that each pixel of a file is: where it has a palette the index, not the colour.

    Raises InputError where it cannot be read, is huge, or has colours or numbers above 255.
    """
    try:
        with Image.open(file) as opened:  # OpenCV would turn indices into colours
            mask = np.asarray(opened)
    except Image.DecompressionBombError:
        raise InputError(f"{file} has more pixels than are read of a mask. Shrink it.") from None
    except (OSError, SyntaxError, ValueError):
        raise _unreadable(file) from None
    if mask.ndim == 3 and (mask == mask[..., :1]).all():
        mask = mask[..., 0]  # gray, written as colours
    if mask.ndim != 2 or mask.dtype.kind not in "bui" or mask.min() < 0 or mask.max() > 255:
        raise InputError(
            f"{file} is no mask: its pixels are no numbers from 0 to 255. Save it in gray."
        )
    return mask.astype(np.uint8)


def _unreadable(file: Path) -> InputError:
    return InputError(f"{file} is not an image that can be read. Remove or replace it.")


def shrunk(picture: np.ndarray, longest: int, method: int = cv2.INTER_AREA) -> np.ndarray:
    """The picture with no side longer than so many pixels, as it is where it has fewer."""
    factor = longest / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size_wh = [max(1, round(side * factor)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size_wh, interpolation=method)


def can_write_image(path: Path) -> bool:
    """Whether `write_image` knows the format that the suffix names."""
    if not (path.suffix and cv2.haveImageWriter(f"x{path.suffix}")):
        return False
    with quiet_opencv():  # some take no colours
        return cv2.imencode(path.suffix, np.zeros((64, 64, 3), np.uint8))[0]


def write_image(path: Path, image: UInt8[np.ndarray, "h w 3"]) -> None:
    """Write a BGR picture in the format of its suffix, whole or not at all.

    Raises:
        InputError: the disk is full, or the format holds no picture that large.
    """
    with quiet_opencv():
        encoded, data = cv2.imencode(path.suffix, image)
    if not encoded:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise InputError(f"{path}: no {path.suffix} holds a picture of {size}. Choose .png.")
    try:
        write_atomically(path, data.tobytes())
    except OSError as error:
        if error.errno in DISK_FULL:
            raise disk_full(path, kept=False) from None
        raise
