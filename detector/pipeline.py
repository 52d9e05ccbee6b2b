"""The detector as a whole: the grid says where a garment is, the head says which it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from detector.backends.choice import run_with
from detector.boxes import Detections, Picture
from detector.defaults import CONFIDENCE, GRID_FILE, HEAD_FILE
from detector.grid import Grid
from detector.head import Head
from detector.layouts import CELLS, LARGEST
from detector.soft_nms import soft_nms
from detector.tracking.cached_head import CachedHead
from detector.tracking.pace import LIVE_RATE, Pace
from detector.tracking.tracks import Tracks, least_of
from detector.video.cameras import read_source
from detector.video.frames import Frame, Reader
from detector.video.newest import frames_of, open_source
from fmnist.device import pick_device

LEAST_SHARE = 0.05  # of every class in the grid's opinion: it has seen few of some
# Grid and head are not independent witnesses, and the grid has seen more of what people wear. Of
# the powers with the best labels on validation photos these are well calibrated.
GRIDS_CLASSES, HEADS_CLASSES = 1.0, 0.75
REJECTION = 0.5  # of the head's confidence


@dataclass(frozen=True)
class Detector:
    """A function from a BGR frame to the garments in it, the most confident one first.

    `Detector()` has the shipped weights, on a GPU if there is one. Without a head the grid names
    what it finds by itself.
    """

    grid: Grid = field(default_factory=lambda: Grid.load(GRID_FILE, pick_device()))
    head: Head | CachedHead | None = field(
        default_factory=lambda: Head.load(HEAD_FILE, pick_device())
    )
    confidence: float = CONFIDENCE  # a box below it is dropped

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)

    @staticmethod
    def load(
        device: torch.device | str,
        grid: Path | str = GRID_FILE,
        head: Path | str | None = HEAD_FILE,
        confidence: float = CONFIDENCE,
        image_size: int | None = None,
        backend: str = "torch",
        say: Callable[[str], None] = lambda line: None,
    ) -> "Detector":
        """The shipped weights, or others: files that end in .safetensors. No head: None.

        The device is one of torch's, or as `--device`: auto, cpu, cuda or cuda:N.
        The grid looks with its own `image_size`, or another. The backend is one of
        `detector.backends.names.BACKENDS`, or `auto`: the fastest here, whose first measurement
        is told by `say`.

        Raises:
            InputError: weights are missing, damaged, or not those of a grid and a classifier;
                there is no such device or backend here.
            ValueError: the confidence is not in 0..1, or the size is none that a grid can read.
        """
        _check_confidence(confidence)  # before minutes of measuring backends
        if image_size is not None and not CELLS <= image_size <= LARGEST:
            raise ValueError(f"an image size is {CELLS} to {LARGEST} pixels, not {image_size}")
        device = pick_device(str(device))
        finder = Grid.load(Path(grid), device)
        finder.image_size = image_size or finder.image_size
        namer = None if head is None else Head.load(Path(head), device)
        run_with(backend, (finder, namer) if namer else (finder,), finder.wide_hw, say)
        return Detector(finder, namer, confidence)

    def __call__(self, frame: Picture) -> Detections:
        """The garments of one BGR frame of bytes, of any size; it is left as it is.

        Raises:
            ValueError: it is no such frame: none at all, gray, of floats, or empty.
        """
        return self.classify(frame, self.locate(frame))

    def locate(self, frame: Picture) -> Detections:
        """The first step: where something is."""
        return self.grid(frame, self.confidence)

    def classify(self, frame: Picture, boxes: Detections) -> Detections:
        """The second step: what it is."""
        found = fuse(self.head, frame, boxes)
        return found.select(found.confidence >= self.confidence)

    def stream(self, source: Path | int | str) -> Iterator[tuple[Frame, Detections]]:
        """The frames of a video file, a camera (its index) or a stream (its URL), and what is seen.

        A file gives every frame, as fast as they are looked at; cameras and streams give the
        newest one each time, and are tried again when they stop. Garments are followed (`Tracks`):
        each has an id, a steady label, and a box that is held through short misses; one that comes
        in is there from its second look on.

        Raises:
            InputError: it cannot be opened or decoded, or stopped and did not come back.
        """
        opened = open_source(source if isinstance(source, Path) else read_source(str(source)))
        seen = watch(self, opened.fps if isinstance(opened, Reader) else None)
        for frame in frames_of(opened):
            yield frame, seen(frame.image)


def _check_confidence(confidence: float) -> None:
    if not 0 <= confidence <= 1:
        raise ValueError(f"a confidence is between 0 and 1, not {confidence}")


@dataclass(frozen=True)
class VideoDetector:
    """A detector for the frames of a single video.

    `locate` knows nothing of other frames and may be ahead; `classify` wants them in their order.
    With a `pace` the looks a second are those by the clock.
    """

    detector: Detector
    tracks: Tracks | None
    pace: Pace | None = None

    def __call__(self, frame: Picture) -> Detections:
        return self.classify(frame, self.locate(frame))

    def locate(self, frame: Picture) -> Detections:
        """The first step: where something is."""
        return self.detector.locate(frame)

    def classify(self, frame: Picture, boxes: Detections) -> Detections:
        """The second step: what it is, and which garment of the frames before."""
        found = self.detector.classify(frame, boxes)
        if self.tracks and self.pace:
            self.tracks.set_rate(self.pace())
        return self.tracks(frame, found) if self.tracks else found


def watch(detector: Detector, rate: float | None = 0, track: bool = True) -> VideoDetector:
    """One for the frames of a single video, in their order, `rate` of them a second.

    Its head has a `CachedHead`, and its detections are those of `Tracks`: if `track`, and not at a
    rate of 0, that of images. None: as many as are looked at, by the clock, what is seen live.
    """
    head = detector.head
    fresh = replace(detector, head=CachedHead(head) if isinstance(head, Head) else head)
    if not track or rate == 0:
        return VideoDetector(fresh, None)
    eager = replace(fresh, confidence=least_of(detector.confidence))
    pace = Pace() if rate is None else None
    return VideoDetector(eager, Tracks(rate or LIVE_RATE, detector.confidence), pace)


def fuse(head: Head | CachedHead | None, frame: Picture, boxes: Detections) -> Detections:
    """What grid and head agree on, the most confident box first.

    A box is a garment, and one of a class, as likely as both say so: the product of powers of
    their confidences, and of their probabilities of each class. Without a head the grid decides
    alone. Then boxes on one another lose confidence (`soft_nms`).
    """
    if head is None:
        return soft_nms(boxes)
    garment, probabilities = head(frame, boxes.xyxy)
    confidence = boxes.confidence * garment**REJECTION
    grids = (boxes.probabilities + LEAST_SHARE) ** GRIDS_CLASSES
    probabilities = probabilities**HEADS_CLASSES * grids
    probabilities /= probabilities.sum(1, keepdims=True)
    return soft_nms(Detections(boxes.xyxy, confidence, probabilities))
