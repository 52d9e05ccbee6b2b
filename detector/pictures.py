"""Pictures of the user's own that something learns from."""

from pathlib import Path

import cv2
import numpy as np

from fmnist.errors import InputError


def read_picture(file: Path, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """The pixels of a file, BGR or gray. Raises InputError where it cannot be read."""
    data = np.frombuffer(file.read_bytes(), np.uint8) if file.is_file() else np.zeros(0, np.uint8)
    picture = cv2.imdecode(data, flags) if data.size else None
    if picture is None:
        raise InputError(f"{file} is not an image that can be read. Remove or replace it.")
    return picture


def shrunk(picture: np.ndarray, longest: int, method: int = cv2.INTER_AREA) -> np.ndarray:
    """The picture with no side longer than so many pixels, as it is where it has fewer."""
    factor = longest / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size_wh = [max(1, round(side * factor)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size_wh, interpolation=method)
