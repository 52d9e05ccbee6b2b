"""Real pictures as the two networks read them: what an exported network is checked on."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from detector.backends.export import Batches
from detector.grid import Grid
from detector.head import square_crops
from detector.video.frames import read as read_frames
from detector.video.sources import is_image

FRAMES = 8  # of a video that are looked at
SEEN_FROM = 0.02  # confidence of boxes whose crops are compared


def bundled_photos() -> list[Path]:
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
