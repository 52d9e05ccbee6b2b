"""The demo clip: garments that drift, turn and cross before one background."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from detector.boxes import Picture
from detector.synthesis.canvas import Shadow, darken, paint
from detector.synthesis.garments import (
    Cloth,
    Garments,
    Pose,
    from_split,
    make_patch,
    ramp,
    weaves,
)
from detector.synthesis.held_out_textures import street
from detector.video.writer import Writer
from fmnist.data import Split

SIZE_WH, FPS = (1280, 720), 25.0  # as it is written
LANES = 7  # garments in flight at any time
GOLDEN = 0.618034  # of the hue circle, so that neighbours differ in colour


@dataclass(frozen=True)
class _Flight:
    """One garment's way over the frame, from one side to the other. Lengths are parts of it."""

    image: UInt8[np.ndarray, "28 28"]
    mask: Bool[np.ndarray, "28 28"]
    cloth: Cloth
    start: float  # seconds
    seconds: float
    leftward: bool
    lane: float  # mean height of the centre
    length: float  # of the frame's height
    phase: float

    def pose(self, time: float, size_wh: tuple[int, int]) -> tuple[Pose, float, float]:
        """Pose, and the centre x, y in pixels."""
        part = (time - self.start) / self.seconds
        wave = math.sin(2 * math.pi * part + self.phase)
        slow = math.cos(2 * math.pi * 0.7 * part + 2 * self.phase)
        along = -0.16 + 1.32 * (1 - part if self.leftward else part)
        length = size_wh[1] * self.length * (1 + 0.14 * slow)
        x, y = size_wh[0] * along, size_wh[1] * (self.lane + 0.07 * wave)
        pose = Pose(length, degrees=11 * slow, flip=self.leftward, shift=(x % 1, y % 1))
        return pose, x, y


def clip(
    garments: Garments, seed: int, seconds: float, fps: float, size_wh: tuple[int, int]
) -> Iterator[Picture]:
    """BGR frames of garments that enter at one side and leave at the other, all classes in turn.

    The camera drifts slowly over the background. Raises ValueError where there are no garments.
    """
    if not len(garments):
        raise ValueError("clip wants at least one garment")
    rng = np.random.default_rng(seed)
    margin = 1.08
    scenery = street(rng, math.ceil(max(size_wh) * margin))
    flights = _flights(rng, garments, seconds)
    for number in range(round(seconds * fps)):
        time = number / fps
        frame = _view(scenery, time / max(seconds, 1e-6), size_wh)
        for order, flight in enumerate(flights):
            if flight.start <= time < flight.start + flight.seconds:
                _draw(frame, flight, time, np.random.default_rng((seed, order)))
        yield frame


def _flights(rng: np.random.Generator, garments: Garments, seconds: float) -> list[_Flight]:
    """Flights that follow each other on each lane, begun before the clip does."""
    classes = rng.permutation(np.unique(garments.labels))
    flights: list[_Flight] = []
    heights = rng.permutation(np.linspace(0.2, 0.8, LANES))
    for lane in range(LANES):
        duration = rng.uniform(8, 12)
        start = -duration * (lane + rng.uniform(0.3, 0.7)) / LANES
        while start < seconds:
            label = classes[len(flights) % len(classes)]
            which = rng.choice(np.flatnonzero(garments.labels == label))
            flight = _Flight(
                garments.images[which],
                garments.silhouettes[which],
                _cloth(rng, len(flights)),
                start,
                duration,
                leftward=bool(lane % 2),
                lane=float(heights[lane]),
                length=rng.uniform(0.26, 0.44),
                phase=rng.uniform(0, 2 * math.pi),
            )
            flights.append(flight)
            start += duration
    return flights


def _cloth(rng: np.random.Generator, number: int) -> Cloth:
    hue, saturation = (number * GOLDEN) % 1, rng.uniform(0.25, 0.75)
    colours = ramp((hue, saturation, 0.12), ((hue + 0.03) % 1, saturation * 0.55, 1.0))
    weave = weaves()[rng.integers(len(weaves()))] if number % 3 == 2 else None
    return Cloth(colours, contrast=50, shade=(0.08, -0.12), weave=weave, weave_strength=0.12)


def _view(
    scenery: UInt8[np.ndarray, "side side 3"], part: float, size_wh: tuple[int, int]
) -> Picture:
    """The frame's window in the scenery at a moment between 0 and 1."""
    free_x, free_y = len(scenery) - size_wh[0], len(scenery) - size_wh[1]
    x = free_x * (0.5 + 0.5 * math.sin(2 * math.pi * part * 0.5))
    y = free_y * (0.5 + 0.04 * math.cos(2 * math.pi * part * 0.5))
    window = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(scenery, window, size_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _draw(
    frame: Picture,
    flight: _Flight,
    time: float,
    rng: np.random.Generator,
) -> None:
    """`rng` must be new for each frame: it chooses the piece of fabric."""
    height, width = frame.shape[:2]
    pose, x, y = flight.pose(time, (width, height))
    patch = make_patch(rng, flight.image, flight.mask, pose, flight.cloth)
    high, wide = patch.alpha.shape
    corner = (math.floor(x) - wide // 2, math.floor(y) - high // 2)
    reach = int(0.03 * pose.length)
    darken(frame, patch, corner, Shadow((reach, 2 * reach), 1 + 2 * reach, 0.4))
    paint(frame, patch, corner)


def write_clip(path: Path, test: Split, seed: int, seconds: float) -> None:
    """Render the demo clip from test images: 1280x720, 25 frames a second."""
    frames = clip(from_split(test), seed, seconds, FPS, SIZE_WH)
    with Writer(path, SIZE_WH, FPS) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, number / FPS)
