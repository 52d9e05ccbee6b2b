"""Opens the live window on a source, with a detector that sees the same two garments always.

`python -m tests.live_window SOURCE [RECORDING]`; what it wrote comes to stdout, one a line.
"""

import sys
from pathlib import Path

import numpy as np

from detector.adjustable import Adjustable
from detector.boxes import Detections, Picture
from detector.live.window import Window
from detector.video import cameras
from detector.video.cameras import Camera
from detector.video.newest import Newest, open_source

SHIRT, TROUSER = 6, 1
CONFIDENCE = {SHIRT: 0.9, TROUSER: 0.32}
IDS = {SHIRT: 3, TROUSER: 8}


def two_garments(frame: Picture) -> Detections:
    """A shirt at the left and trousers at the right, which are less certain."""
    height, width = frame.shape[:2]
    boxes = np.array([(0.1, 0.3, 0.4, 0.9), (0.6, 0.4, 0.9, 0.8)])
    xyxy = (boxes * [width, height, width, height]).astype(np.float32)
    confidence = np.array([*CONFIDENCE.values()], np.float32)
    probabilities = np.eye(10, dtype=np.float32)[[SHIRT, TROUSER]]
    return Detections(xyxy, confidence, probabilities, np.array([*IDS.values()], np.int64))


def main(source: str, recording: str | None = None) -> None:
    opened = open_source(cameras.read_source(source))
    if isinstance(opened, Camera):
        opened = Camera(source, waits=(0.1,))
    window = Window(
        Newest.of(opened),
        Adjustable(lambda _: two_garments, 0.25),
        record=Path(recording) if recording else None,
    )
    try:
        window.run()
    finally:
        print(*window.written, sep="\n", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
