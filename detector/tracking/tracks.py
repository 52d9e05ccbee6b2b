"""Garments over the frames of a video: every one keeps its id, its label and its box."""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Float64

from detector.boxes import Detections, Picture, iou
from detector.defaults import CONFIDENCE
from detector.tracking.association import Association
from fmnist.classes import CLASSES

LEAST = 0.1  # confidence of a box that may continue a track, as ByteTrack's authors have it
FORGOTTEN = 1.0  # seconds: a track ends; what was said of it then counts a third (1/e)
BRIEF = 0.25  # seconds: a miss or another label that lasts no longer is taken for a mistake
MARGIN = 0.1  # by which another class must be more likely to become the label
FASTEST = 240.0  # looks a second: files that do not know their rate may tell one of thousands
SAME = 0.5  # IoU from which an expected box is thought to be the one that another track found


class Tracks:
    """Makes the detections of one video, frame after frame, those of steady garments.

    A track's `probabilities` are the mean of what was said of its boxes, weighted by their
    confidence, the recent ones more. Its label changes when another class leads by `MARGIN` for
    longer than `BRIEF`. Its `confidence` is a mean, too, in which a miss counts as zero; it is
    shown while that reaches `confidence` and it is not missed for longer than `BRIEF`, its box
    then being where it is expected. A found box is shown as it was found. What the first look at
    a scene did not show is shown when it is seen again, if looks lie no further apart than `BRIEF`;
    else at once, and then one that is missed at its second look counts as gone.
    """

    def __init__(self, rate: float, confidence: float = CONFIDENCE) -> None:
        """For a video that is looked at `rate` times a second."""
        self._associate = association(rate, confidence)
        self._confidence = confidence
        self._tracks: dict[int, _Track] = {}
        self._count = 0  # of those that were shown
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        """From now on there are so many looks a second."""
        rate = min(rate, FASTEST)
        self._associate.wait_for(_patience(rate))
        self._brief = int(BRIEF * rate + 1e-6)  # looks
        self._wait = 2 if self._brief else 1
        self._fade = math.exp(-1 / (FORGOTTEN * rate))

    def __call__(self, frame: Picture, found: Detections) -> Detections:
        """What is shown of this BGR frame, the most confident one first, with ids from 1 on.

        `found` are all boxes of a confidence of `least_of` or more; those below it are ignored.
        """
        seen = self._associate(frame, found)
        assert seen.track_id is not None
        before, self._tracks = self._tracks, {}
        rows = zip(
            seen.track_id.tolist(), seen.xyxy, seen.confidence, seen.probabilities, strict=True
        )
        for key, xyxy, confidence, probabilities in rows:
            track = self._tracks[key] = before.get(key) or _Track(int(probabilities.argmax()))
            track.see(xyxy, float(confidence), probabilities, self._fade, self._brief)
            track.is_confirmed |= self._associate.is_new_scene or track.looks >= self._wait
        shown = [track for track in self._tracks.values() if self._is_sure(track)]
        taken = np.array([track.xyxy for track in shown], np.float32).reshape(-1, 4)
        for key, xyxy in self._associate.expected.items():
            if key in before:
                track = self._tracks[key] = before[key]
                track.miss(xyxy, self._fade)
                if track.misses <= self._brief and self._is_sure(track):
                    shown += [track] if _is_free(xyxy, frame, taken) else []
        return self._detections(shown, frame)

    def _is_sure(self, track: "_Track") -> bool:
        return track.is_confirmed and track.confidence >= self._confidence

    def _detections(self, shown: "list[_Track]", frame: Picture) -> Detections:
        if not shown:
            none = np.zeros(0, np.int64)
            return replace(Detections.empty(), track_id=none, kept_labels=none)
        shown = sorted(shown, key=lambda track: -track.confidence)
        for track in shown:
            if track.id == 0:
                self._count += 1
                track.id = self._count
        limit = np.array([frame.shape[1], frame.shape[0]] * 2, np.float32)
        return Detections(
            np.stack([track.xyxy for track in shown]).clip(0, limit),
            np.array([track.confidence for track in shown], np.float32),
            np.stack([track.probabilities for track in shown]).astype(np.float32),
            np.array([track.id for track in shown], np.int64),
            np.array([track.label for track in shown], np.int64),
        )


def least_of(confidence: float) -> float:
    """The confidence from which boxes are wanted where those of `confidence` begin a track."""
    return min(LEAST, confidence)


def association(rate: float, confidence: float) -> Association:
    """Which box is which garment, as `Tracks` asks: one that is not seen is waited for a while."""
    return Association(confidence, least_of(confidence), _patience(rate))


def _patience(rate: float) -> int:
    return math.ceil(FORGOTTEN * min(rate, FASTEST))


class _Track:
    """What is known of one garment."""

    def __init__(self, label: int) -> None:
        self.id = 0  # none while it was not shown
        self.label = label
        self.is_confirmed = False
        self.looks = 0
        self.misses = 0  # since it was found
        self.xyxy: Float32[np.ndarray, " 4"] = np.zeros(4, np.float32)
        self.confidence = 0.0
        self.probabilities: Float64[np.ndarray, " 10"] = np.zeros(len(CLASSES))
        self._weight = 0.0  # of all that was said, by confidence and age
        self._led = 0  # looks in a row at which another class led clearly

    def see(
        self,
        xyxy: Float32[np.ndarray, " 4"],
        confidence: float,
        probabilities: Float32[np.ndarray, " 10"],
        fade: float,
        brief: int,
    ) -> None:
        """It was found. `fade` is what a look leaves of class and confidence as they were."""
        is_followed = self.misses <= brief and self.looks > 0
        before = fade if is_followed else 0.0  # after a long absence as at first sight
        self.looks, self.misses, self.xyxy = self.looks + 1, 0, xyxy
        self.confidence = before * self.confidence + (1 - before) * confidence
        said = probabilities.astype(np.float64)
        confidence = max(confidence, 1e-6)  # a weight
        self._weight = fade * self._weight + confidence
        self.probabilities += (said / said.sum() - self.probabilities) * confidence / self._weight
        other = int(self.probabilities.argmax())
        leads = self.probabilities[other] - self.probabilities[self.label] >= MARGIN
        self._led = self._led + 1 if leads else 0
        if self._led > brief:
            self.label, self._led = other, 0

    def miss(self, expected: Float32[np.ndarray, " 4"], fade: float) -> None:
        """It was not found; `expected` is where it should be."""
        self.misses += 1
        self.xyxy = expected
        self.confidence *= fade


def _is_free(
    xyxy: Float32[np.ndarray, " 4"],
    frame: Picture,
    taken: Float32[np.ndarray, "n 4"],
) -> bool:
    """Whether a box has its centre in the frame, and no other box in its place.

    What shrank quickly may be expected with less than no height: then it is no box.
    """
    x, y = (xyxy[:2] + xyxy[2:]) / 2
    is_inside = 0 <= x < frame.shape[1] and 0 <= y < frame.shape[0]
    is_box = (xyxy[2:] > xyxy[:2]).all()
    return bool(is_box and is_inside and iou(xyxy[None], taken).max(initial=0) < SAME)
