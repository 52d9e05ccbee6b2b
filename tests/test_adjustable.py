"""The least confidence may change on the way, and the detector forgets no more than it must."""

import numpy as np

from detector.adjustable import Adjustable
from detector.boxes import AnyDetector, Detections, Picture

FRAME = np.zeros((10, 10, 3), np.uint8)


def test_the_detector_begins_again_only_below_what_it_was_ever_asked_for() -> None:
    watched = []

    def watch(least: float) -> AnyDetector:
        watched.append(least)

        def detect(frame: Picture) -> Detections:
            confidence = np.array([0.9, 0.6, 0.3, 0.1], np.float32)
            boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))
            found = Detections(boxes, confidence, np.full((4, 10), 0.1, np.float32))
            return found.select(found.confidence >= least)

        return detect

    detector = Adjustable(watch, 0.25)
    counts = []
    for confidence in (0.25, 0.5, 0.3, 0.25, 0.05, 0.25, 0.05):
        detector.confidence = confidence
        counts.append(len(detector(FRAME)))
    assert counts == [3, 2, 3, 3, 4, 3, 4]
    assert watched == [0.25, 0.05]
