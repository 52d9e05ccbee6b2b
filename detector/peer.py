"""What a user would otherwise train: a detector of ultralytics, judged as ours is."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from detector.boxes import Detections
from detector.network import prepare_environment
from detector.photos.names import NO_GARMENT, meaning
from fmnist.classes import CLASSES, FOOTWEAR, NOTHING, SHOES
from fmnist.errors import InputError

SAME = 0.6  # IoU from which two of its boxes tell of the same garment, as for our grid


class Peer:
    """A function from a BGR frame to the garments in it; boxes of no garment are left out.

    Its classes may have any names that `detector.photos.names` knows. Of a box only the likeliest
    class is told, and how likely it is: it stands for the class with probability 1.
    """

    def __init__(self, weights: Path, image_size: int | None, device: torch.device) -> None:
        """Load a .pt file that `yolo detect train` wrote; other `image_size` than its own, or None.

        Raises:
            InputError: it is missing, no detector, or one of its classes has no known meaning.
        """
        prepare_environment()
        from ultralytics import YOLO

        if not weights.is_file():
            raise InputError(f"{weights}: no such file. Train one with yolo detect train.")
        try:
            self._model: Any = YOLO(weights, task="detect")
            names: dict[int, str] = self._model.names
        except Exception as error:  # ultralytics documents none
            raise InputError(
                f"{weights} cannot be read ({error}). Give a .pt file of yolo detect train."
            ) from None
        self._rows = np.stack([_one_hot(meaning(names[i])) for i in sorted(names)])
        self._size: dict[str, Any] = {"imgsz": image_size} if image_size else {}
        self.device = device
        network: Any = self._model.model
        self.parameters = sum(p.numel() for p in network.parameters())
        self.name = weights.stem

    def __call__(
        self, frame: UInt8[np.ndarray, "height width 3"], confidence: float = 0.01
    ) -> Detections:
        (found,) = self._model.predict(
            frame,
            conf=confidence,
            iou=SAME,
            agnostic_nms=True,
            device=self.device,
            verbose=False,
            **self._size,
        )
        boxes = found.boxes.cpu().numpy()
        rows = self._rows[boxes.cls.astype(int)]
        detections = Detections(
            boxes.xyxy.astype(np.float32).reshape(-1, 4), boxes.conf.astype(np.float32), rows
        )
        return detections.select(rows.sum(1) > 0)


def _one_hot(label: int) -> Float32[np.ndarray, "10"]:
    """The probabilities of a class; zeros where it is none of the ten."""
    row = np.zeros(len(CLASSES), np.float32)
    if label == FOOTWEAR:
        row[list(SHOES)] = 1 / len(SHOES)
    elif label not in (NOTHING, NO_GARMENT):
        row[label] = 1
    return row
