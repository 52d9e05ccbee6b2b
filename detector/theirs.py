"""Weights of ultralytics, from a file that the user brings."""

from pathlib import Path
from typing import Any

from detector.network import prepare_environment
from fmnist.errors import InputError


def loaded(weights: Path) -> Any:
    """The model of a .pt file of ultralytics, whatever its task.

    Raises:
        InputError: it is missing or cannot be read.
    """
    prepare_environment()
    from ultralytics import YOLO

    if not weights.is_file():
        raise InputError(f"{weights}: no such file. Give a .pt file of ultralytics.")
    try:
        model: Any = YOLO(weights)
    except Exception as error:  # ultralytics documents none
        raise InputError(
            f"{weights} cannot be read ({error}). Give a .pt file of ultralytics."
        ) from None
    return model
