"""A classifier of fmnist as the detector's head: what is in each box of a frame."""

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from detector.backends.graphs import HeadGraph
from detector.backends.runnable import Runnable
from detector.boxes import Picture
from detector.pictures import shrunk
from fmnist.checkpoint import load_model
from fmnist.classes import CLASSES
from fmnist.nothing import garment_probability

SIZE = 28  # of Fashion-MNIST
LARGEST = 4096  # side of a square in pixels: that around a strip has the square of its length


class Verdict(NamedTuple):
    """What the head says of each box: is it a garment at all, and which, if it is one; in 0..1."""

    garment: Float32[np.ndarray, " n"]
    probabilities: Float32[np.ndarray, "n 10"]


class Head(Runnable):
    """A classifier that looks at boxes: square gray crops of the frame as the camera gave it."""

    def __init__(self, model: nn.Module, device: torch.device, rejects: bool = False) -> None:
        """Take over a classifier: its batch normalisation is folded into its convolutions.

        One that `rejects` was trained with crops of nothing; any other takes every box for a
        garment.
        """
        model = model.to(device).eval()
        self.parameters = sum(p.numel() for p in model.parameters())
        _fold_batch_norm(model)
        self.rejects = rejects
        super().__init__(HeadGraph(model.to(memory_format=torch.channels_last)), device)

    @staticmethod
    def load(path: Path, device: torch.device) -> "Head":
        """Read NAME.safetensors and its card NAME.json.

        Raises:
            InputError: the files are missing, damaged, or not those of a classifier.
        """
        model, facts = load_model(path, device)
        return Head(model, device, rejects=facts.get("recipe", {}).get("nothing", 0) > 0)

    def facts(self) -> dict[str, Any]:
        """For the card of an export."""
        return self.graph.facts() | {"rejects": self.rejects}

    def __call__(self, frame: Picture, xyxy: Float32[np.ndarray, "n 4"]) -> Verdict:
        """Judge each box (pixels of the BGR frame), in one batch."""
        return self.classify(square_crops(frame, xyxy))

    @torch.inference_mode()
    def classify(self, crops: UInt8[np.ndarray, "n 28 28"]) -> Verdict:
        """Judge what `square_crops` cut out."""
        if len(crops) == 0:
            return Verdict(np.zeros(0, np.float32), np.zeros((0, len(CLASSES)), np.float32))
        (logits,) = self._run(torch.from_numpy(crops))
        garment = garment_probability(logits) if self.rejects else torch.ones_like(logits[:, 0])
        return Verdict(garment.cpu().numpy(), logits.softmax(1).cpu().numpy())


def square_crops(frame: Picture, xyxy: Float32[np.ndarray, "n 4"]) -> UInt8[np.ndarray, "n 28 28"]:
    """The `square_crop` of each box."""
    crops = [square_crop(frame, box) for box in xyxy]
    return np.stack(crops) if crops else np.zeros((0, SIZE, SIZE), np.uint8)


def square_crop(frame: Picture, box: Float32[np.ndarray, " 4"]) -> UInt8[np.ndarray, "28 28"]:
    """The square around a box, its side the longer one of the box, in gray at 28x28.

    No margin: a margin of 6 % on each side costs 2 to 4 points of mAP50. What lies outside of
    the frame repeats its edge.
    """
    left, top, right, bottom = box.tolist()
    side = max(1, round(max(right - left, bottom - top)))
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    height, width = frame.shape[:2]
    first_x, first_y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    last_x, last_y = max(min(x + side, width), first_x + 1), max(min(y + side, height), first_y + 1)
    gray = cv2.cvtColor(frame[first_y:last_y, first_x:last_x], cv2.COLOR_BGR2GRAY)
    margins = [first_y - y, y + side - last_y, first_x - x, x + side - last_x]
    if side > LARGEST:
        factor = LARGEST / side
        gray = shrunk(gray, max(1, round(factor * max(gray.shape))))
        margins = [round(factor * margin) for margin in margins]
    if any(margins):
        above, below, before, behind = (max(0, margin) for margin in margins)
        gray = cv2.copyMakeBorder(gray, above, below, before, behind, cv2.BORDER_REPLICATE)
    shrinks = side > SIZE
    return cv2.resize(
        gray, (SIZE, SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )


def _fold_batch_norm(model: nn.Module) -> None:
    """Replace each convolution that a batch normalisation follows by one that does both."""
    for sequence in [m for m in model.modules() if isinstance(m, nn.Sequential)]:
        for i, (layer, following) in enumerate(zip(sequence, sequence[1:], strict=False)):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                sequence[i] = fuse_conv_bn_eval(layer, following)
                sequence[i + 1] = nn.Identity()
