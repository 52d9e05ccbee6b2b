"""Boxes that tell of the same garment once more become less sure."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from detector.boxes import Detections, iou

SIGMA = 0.5  # as in the paper


def soft_nms(found: Detections) -> Detections:
    """The same boxes, the most confident one first, each less sure for every surer one on it.

    Gaussian Soft-NMS (Bodla, Singh, Chellappa and Davis, ICCV 2017): the confidence of
    a box is multiplied by exp(-IoU² / SIGMA) of each box that is surer. Theirs looks at one class
    after the other; here a box counts as much as both classes are alike (the cosine of their
    probabilities), so that a coat does not hide the bag before it. No box gains, the surest one
    loses nothing, and what is dropped by its confidence changes none of those that stay.
    """
    lengths = np.linalg.norm(found.probabilities, axis=1, keepdims=True)
    unit = found.probabilities / np.maximum(lengths, np.finfo(np.float32).tiny)
    kept = np.exp(-(iou(found.xyxy, found.xyxy) ** 2) * (unit @ unit.T) / SIGMA)
    confidence = _decayed(found.confidence, kept.astype(np.float32))
    order = np.argsort(-confidence, kind="stable")
    return replace(found, confidence=confidence).select(order)


def _decayed(
    confidence: Float32[np.ndarray, " n"], kept: Float32[np.ndarray, "n n"]
) -> Float32[np.ndarray, " n"]:
    """From the surest box on, each multiplies the confidence of those left by its row of `kept`."""
    left = confidence.copy()
    waiting = np.ones(len(left), np.bool_)
    for _ in range(len(left)):
        surest = int(np.where(waiting, left, -1).argmax())
        waiting[surest] = False
        left[waiting] *= kept[surest, waiting]
    return left
