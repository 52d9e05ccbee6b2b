"""What a user would otherwise train: a detector of ultralytics, judged as ours is."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from detector.boxes import Detections, Picture
from detector.layouts import SAME_GARMENT
from detector.letterbox import longest_side
from detector.photos.names import NO_GARMENT, meaning
from detector.ultralytics_weights import all_scores_predictor, load_yolo
from fmnist.classes import CLASSES, FOOTWEAR, OTHER, SHOES
from fmnist.errors import InputError

USUAL_SIZE = 640  # pixels of the longest side, where the weights do not tell


class Peer:
    """A function from a BGR frame to the garments in it; boxes of none of the ten are left out.

    Its classes may have any names that `detector.photos.names` knows; footwear is a third of each
    kind of shoe; of the others (a skirt) nothing is heard. `confidence` times `probabilities` are
    its scores of all ten classes, as ultralytics' own validation counts them: of a box the
    likeliest class has probability 1, so that they do not sum to 1. Boxes are suppressed whatever
    their classes. Of a model without suppression (YOLO26) only that class is told.
    """

    def __init__(self, weights: Path, image_size: int | None, device: torch.device) -> None:
        """Load a .pt file of `yolo detect train`; it looks with the size of its training.

        Or with `image_size`, as our grid does: a wide frame with more (`longest_side`).

        Raises:
            InputError: it is missing, no detector, or one of its classes has no known meaning.
        """
        self.name = str(weights)
        self._model = load_yolo(weights)
        if self._model.task != "detect" or not isinstance(self._model.model, torch.nn.Module):
            raise InputError(
                f"{weights} holds no detector of torch. Give a .pt file of yolo detect train."
            )
        names: dict[int, str] = self._model.names
        try:
            rows = [_probabilities(meaning(names[number])) for number in sorted(names)]
        except InputError as error:
            raise InputError(f"{weights}: {error}") from None
        self._rows = np.stack(rows)
        self._ignored = tuple(np.flatnonzero(self._rows.sum(1) == 0).tolist())
        self.parameters: int = sum(p.numel() for p in self._model.model.parameters())
        self.image_size: int = image_size or self._model.overrides.get("imgsz", USUAL_SIZE)
        self._as_grid = image_size is not None
        self.device = device

    def __call__(self, frame: Picture, confidence: float) -> Detections:
        threads = torch.get_num_threads()
        height, width = frame.shape[:2]
        size = self.image_size
        (found,) = self._model.predict(
            frame,
            conf=confidence,
            iou=SAME_GARMENT,
            predictor=all_scores_predictor(self._ignored),
            imgsz=longest_side(width, height, size) if self._as_grid else size,
            device=self.device,
            verbose=False,
        )
        torch.set_num_threads(threads)  # the first call takes one away, for the whole process
        scores = found.scores.cpu().numpy().astype(np.float32)
        scores[:, self._ignored] = 0  # here, too: YOLO26 tells them
        sure = scores.max(1, initial=0)
        of_ten = (scores @ self._rows / np.maximum(sure, 1e-9)[:, None]).clip(0, 1)
        xyxy = found.boxes.xyxy.cpu().numpy().astype(np.float32).reshape(-1, 4)
        return Detections(xyxy, sure, of_ten).select(sure >= confidence)


def _probabilities(label: int) -> Float32[np.ndarray, "10"]:
    """Of the ten classes for a label; zeros where it is none of them."""
    row = np.zeros(len(CLASSES), np.float32)
    if label == FOOTWEAR:
        row[list(SHOES)] = 1 / len(SHOES)
    elif label not in (OTHER, NO_GARMENT):
        row[label] = 1
    return row
