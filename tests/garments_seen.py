"""Detections by hand, for the tests of what happens over time."""

from collections.abc import Sequence

import numpy as np

from detector.boxes import Detections

BLACK = np.zeros((360, 640, 3), np.uint8)
WHITE = np.full((360, 640, 3), 255, np.uint8)
SIDE = 60.0  # of every box, in pixels
SHIRT, COAT = 6, 4

Seen = tuple[float, float, int, float]  # x and y of the corner, class, confidence


def detections(boxes: Sequence[Seen], sureness: float = 0.8) -> Detections:
    """Square boxes, whose class has the probability `sureness`."""
    n = len(boxes)
    corner = np.array([box[:2] for box in boxes], np.float32).reshape(n, 2)
    probabilities = np.full((n, 10), (1 - sureness) / 9, np.float32)
    probabilities[np.arange(n), [box[2] for box in boxes]] = sureness
    return Detections(
        np.concatenate([corner, corner + np.float32(SIDE)], 1),
        np.array([box[3] for box in boxes], np.float32),
        probabilities,
    )


def shirt(x: float, confidence: float = 0.8, y: float = 100.0) -> Seen:
    return x, y, SHIRT, confidence


def coat(x: float, confidence: float = 0.8, y: float = 100.0) -> Seen:
    return x, y, COAT, confidence
