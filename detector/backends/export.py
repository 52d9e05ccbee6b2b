"""A graph into a file that others run, which is kept only if it says what torch says."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.check import TF32_TOLERANCE, TOLERANCE, Agreement, compare
from detector.backends.graphs import Graph
from detector.backends.runners import current, read, write_whole
from detector.grid import Grid
from detector.head import square_crops
from detector.video.frames import read as read_frames
from detector.video.sources import is_image

Batches = list[UInt8[Tensor, "..."]]  # bytes, as a graph takes them
FRAMES = 8  # of a video that are looked at
SEEN_FROM = 0.02  # confidence of boxes whose crops are compared


def photos() -> list[Path]:
    """The photos of people that ultralytics brings along."""
    spec = find_spec("ultralytics")
    assert spec and spec.origin
    return sorted((Path(spec.origin).parent / "assets").glob("*.jpg"))


def real_batches(grid: Grid, sources: Sequence[Path]) -> tuple[Batches, Batches]:
    """For a grid frames as it reads them, each alone and with its mirror image; for a head crops.

    Raises:
        InputError: a source cannot be read.
    """
    frames: Batches = []
    crops: Batches = []
    for source in sources:
        for frame in islice(read_frames(source), 1 if is_image(source) else FRAMES):
            image = grid.input(frame.image)
            both = torch.from_numpy(np.stack([image, image[:, ::-1]]))
            frames += [both[:1], both]
            found = grid(frame.image, SEEN_FROM).xyxy
            if len(found):
                crops.append(torch.from_numpy(square_crops(frame.image, found)))
    return frames, crops


def export(
    graph: Graph, backend: str, target: Path, device: torch.device, real: Batches
) -> Agreement:
    """Write the graph, compare it with torch on real inputs, and only then put it in its place.

    Raises:
        CheckFailed: it does not say the same; nothing was written.
    """
    agreed: list[Agreement] = []

    def check(file: Path) -> None:
        tolerance = TF32_TOLERANCE if backend == "engine" else TOLERANCE
        agreed.append(compare(graph, read(file, backend, device, precise=True), real, tolerance))

    with current(device):
        write_whole(graph, backend, target, check)
    return agreed[0]
