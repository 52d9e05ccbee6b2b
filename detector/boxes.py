"""What a detector sees in one frame: boxes, how sure it is of each, and what each one is."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from detector.defaults import LABEL_CONFIDENCE
from fmnist.classes import CLASSES

Picture = UInt8[np.ndarray, "height width 3"]  # BGR


@dataclass(frozen=True, eq=False)
class Detections:
    """The garments of one frame, as parallel arrays that nobody can change afterwards.

    `xyxy` holds left, top, right, bottom in pixels of that frame, with right >= left and
    bottom >= top; the origin is the outer corner of the first pixel. `confidence` is how
    likely the box holds a garment, less where a surer box tells of it, too (`soft_nms`),
    `probabilities` which of the ten classes it is (rows sum to 1); both lie in 0..1.
    `track_id` is the same for one garment over the frames of a video, and `kept_labels` are
    classes that a track holds on to while another is hardly more likely. Rows of another's YOLO
    do not sum to 1 (`detector.evaluation.peer.Peer`).

    Raises:
        ValueError: an array has another shape or type, or values out of their range.
    """

    xyxy: Float32[np.ndarray, "n 4"]
    confidence: Float32[np.ndarray, " n"]
    probabilities: Float32[np.ndarray, "n 10"]
    track_id: Int64[np.ndarray, " n"] | None = None
    kept_labels: Int64[np.ndarray, " n"] | None = None

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        _require("xyxy", self.xyxy, (n, 4), np.float32)
        _require("confidence", self.confidence, (n,), np.float32)
        _require("probabilities", self.probabilities, (n, len(CLASSES)), np.float32)
        if self.track_id is not None:
            _require("track_id", self.track_id, (n,), np.int64)
        if self.kept_labels is not None:
            _require("kept_labels", self.kept_labels, (n,), np.int64)
            if not ((self.kept_labels >= 0) & (self.kept_labels < len(CLASSES))).all():
                raise ValueError(f"kept_labels: wanted values in 0..{len(CLASSES) - 1}")
        if not np.isfinite(self.xyxy).all() or (self.xyxy[:, 2:] < self.xyxy[:, :2]).any():
            raise ValueError("xyxy: wanted finite left, top, right, bottom with right >= left")
        for name in ("confidence", "probabilities"):
            values = getattr(self, name)
            if not ((values >= 0) & (values <= 1 + 1e-5)).all():
                raise ValueError(f"{name}: wanted values in 0..1")
        for field in fields(self):
            array = getattr(self, field.name)
            if array is not None:
                # A copy: an array that someone else may still write to is not read-only.
                frozen = array.copy()
                frozen.setflags(write=False)
                object.__setattr__(self, field.name, frozen)

    @staticmethod
    def empty() -> "Detections":
        """A frame without garments."""
        return Detections(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, len(CLASSES)), np.float32),
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    @property
    def labels(self) -> Int64[np.ndarray, " n"]:
        """The class of each box, an index into `fmnist.classes.CLASSES`: kept, or most likely."""
        if self.kept_labels is not None:
            return self.kept_labels
        return self.probabilities.argmax(axis=1).astype(np.int64)

    @property
    def label_confidence(self) -> Float32[np.ndarray, " n"]:
        """The probability of that class."""
        return self.probabilities[np.arange(len(self)), self.labels]

    def names(self, least: float = LABEL_CONFIDENCE) -> list[str | None]:
        """The name of each box's class; None where that is less likely than `least`."""
        sure = zip(self.labels.tolist(), self.label_confidence.tolist(), strict=True)
        return [CLASSES[label] if confidence >= least else None for label, confidence in sure]

    def select(self, which: np.ndarray) -> "Detections":
        """The boxes under a boolean mask, or those at integer indices, in their order."""
        which = np.asarray(which)
        if which.size == 0 and which.dtype != np.bool_:
            which = which.astype(np.int64)  # np.asarray([]) is float64
        return Detections(
            self.xyxy[which],
            self.confidence[which],
            self.probabilities[which],
            None if self.track_id is None else self.track_id[which],
            None if self.kept_labels is None else self.kept_labels[which],
        )


AnyDetector = Callable[[Picture], Detections]


def iou(a: Float32[np.ndarray, "n 4"], b: Float32[np.ndarray, "m 4"]) -> Float32[np.ndarray, "n m"]:
    """Intersection over union of every pair of boxes; 0 where both have no area."""
    corner_min = np.maximum(a[:, None, :2], b[None, :, :2])
    corner_max = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = (corner_max - corner_min).clip(min=0).prod(axis=2)
    union = area(a)[:, None] + area(b)[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def area(xyxy: Float32[np.ndarray, "n 4"]) -> Float32[np.ndarray, " n"]:
    """Square pixels of each box."""
    return (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])


def _require(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        wanted = f"{np.dtype(dtype).name} {list(shape)}"
        raise ValueError(f"{name}: wanted {wanted}, got {array.dtype} {list(array.shape)}")
