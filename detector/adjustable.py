"""A detector whose least confidence may change while it watches a video."""

from collections.abc import Callable

from detector.boxes import AnyDetector, Detections, Picture


class Adjustable:
    """Finds garments of at least `confidence`, which may be set between two frames.

    `watch` gives a detector with that least confidence for the frames of one video. What it
    remembers of them survives every change but one below the least that was ever asked for.
    """

    def __init__(self, watch: Callable[[float], AnyDetector], confidence: float) -> None:
        self.confidence = confidence
        self._watch = watch
        self._least = confidence
        self._detector = watch(confidence)

    def __call__(self, frame: Picture) -> Detections:
        if self.confidence < self._least:
            self._least = self.confidence
            self._detector = self._watch(self._least)
        found = self._detector(frame)
        return found.select(found.confidence >= self.confidence)
