"""The detector as a whole: the grid says where a garment is, the head says which it is."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from detector.boxes import Detections
from detector.grid import Boxes, Grid
from detector.head import Head
from detector.memory import Memory
from weights import WEIGHTS

GRID = WEIGHTS / "grid.safetensors"
HEAD = WEIGHTS / "vgg-crops.safetensors"


@dataclass(frozen=True)
class Detector:
    """A function from a BGR frame to the garments in it, the most confident one first."""

    grid: Grid
    head: Head | Memory
    confidence: float = 0.25  # a box below it is dropped

    @staticmethod
    def load(
        device: torch.device, grid: Path = GRID, head: Path = HEAD, confidence: float = 0.25
    ) -> "Detector":
        """The shipped weights, or others.

        Raises:
            InputError: weights are missing, damaged, or not those of a grid and a classifier.
        """
        return Detector(Grid.load(grid, device), Head.load(head, device), confidence)

    def __call__(self, frame: UInt8[np.ndarray, "height width 3"]) -> Detections:
        found = judge(self.head, frame, self.grid(frame, self.confidence))
        return found.select(found.confidence >= self.confidence)


def watch(detector: Detector) -> Detector:
    """One for the frames of a single video, in their order: its head has a `Memory`."""
    head = detector.head
    return replace(detector, head=Memory(head) if isinstance(head, Head) else head)


def judge(
    head: Head | Memory, frame: UInt8[np.ndarray, "height width 3"], boxes: Boxes
) -> Detections:
    """What the head says of the grid's boxes, the most confident one first.

    A box is a garment as likely as grid and head both say so: their confidences are multiplied.
    """
    xyxy, confidence = boxes
    garment, probabilities = head(frame, xyxy)
    confidence = confidence * garment
    order = np.argsort(-confidence, kind="stable")
    return Detections(xyxy[order], confidence[order], probabilities[order])
