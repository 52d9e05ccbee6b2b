"""The detector's two networks as graphs with nothing left to do around them: bytes in, logits out.

A grid and a head are exported, compiled and compared in this form.
"""

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from detector.layouts import BINS, CELLS, SAME_GARMENT, STRIDES
from detector.letterbox import GRAY, WIDER, as_input
from fmnist.classes import CLASSES
from fmnist.nothing import garment_probability

# A graph that is ready to run: a batch of bytes on any device -> float32 on that of the backend.
Runner = Callable[[UInt8[Tensor, "batch ..."]], tuple[Float[Tensor, "batch ..."], ...]]

BOXES = 8  # of a frame of ordinary footage
SIDES = 4  # of a box
LETTERBOX = (
    "Scale the frame until its longest side has image_size pixels, or, where it is wider than "
    f"high, image_size times that ratio, at most {WIDER}, rounded down to a multiple of "
    f"{CELLS} but not below image_size; by area where it shrinks, else linear. Fill with "
    f"gray {GRAY} at the right and below, to multiples of {CELLS}."
)
GRIDS_ANSWERS = (
    "The cells of each stride row by row, one stride after another. left, top, right and bottom "
    f"have {BINS} distances each: the mean of 0..{BINS - 1} weighted by their softmax, in strides, "
    "from (column + 0.5, row + 0.5). The sigmoids of the answers are their probabilities; a cell "
    "sees a garment with 1 - the product of (1 - probability), another garment left out. Of boxes "
    f"with an IoU above {SAME_GARMENT} keep the surest; near ones may be averaged. The class is "
    "the likeliest of the ten, each kind of shoe with a third of footwear of untold kind. Divide "
    "boxes by the scale."
)
CROP = (
    "The square around a box of the whole frame, its side the longer one of the box, gray; beyond "
    "the frame its edge repeats. Scaled by area where it shrinks, else linear."
)
HEADS_ANSWERS = (
    "The softmax of the logits says which garment. Of weights that were trained with crops of "
    "nothing (`rejects`) the sigmoid of log(sum(exp(logits))) says whether it is one at all."
)


class Graph(nn.Module):
    """A network from bytes to logits.

    `free` names the dimensions of the input that may change, by their place, `freed` those of the
    outputs; `example` is a small input; `usage` says what is left to do around it.
    """

    source: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]
    free: ClassVar[dict[int, str]]
    freed: ClassVar[dict[int, str]]
    example: UInt8[Tensor, "batch ..."]
    usage: ClassVar[dict[str, Any]]

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def typical(self, size_hw: tuple[int, int]) -> UInt8[Tensor, "batch ..."]:
        """Noise in the amount of a usual frame, which is read with `size_hw` pixels."""
        raise NotImplementedError

    def probabilities(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the outputs say, in 0..1, as the detector reads them."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """For the card of an exported graph: names, types and shapes of what goes in and out."""
        shape = [self.free.get(place, side) for place, side in enumerate(self.example.shape)]
        return {
            "input": {"name": self.source, "type": "uint8", "shape": shape},
            "outputs": [{"name": name, "type": "float32"} for name in self.outputs],
            "meaning": " ".join((self.__doc__ or "").split()),
            **self.usage,
        }

    def digest(self) -> str:
        """A fingerprint of the architecture and the weights."""
        found = hashlib.sha256(str(self).encode())
        for name, value in sorted(self.state_dict().items()):
            found.update(name.encode())
            found.update(value.detach().float().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()[:16]


class GridGraph(Graph):
    """The grid's: BGR frames -> what its cells say.

    uint8 [batch height width 3], sides multiples of 32 -> distances [batch 64 cells], in bins of
    the cell's stride, and logits of the answers [batch 12 cells].
    """

    source = "frames"
    outputs = ("distances", "answers")
    free: ClassVar = {0: "batch", 1: "height", 2: "width"}
    freed: ClassVar = {0: "batch", 2: "cells"}
    example = torch.zeros(2, 64, 96, 3, dtype=torch.uint8)
    usage: ClassVar = {
        "answers": [*CLASSES, "another garment", "footwear of untold kind"],
        "strides": STRIDES,
        "before": LETTERBOX,
        "after": GRIDS_ANSWERS,
    }

    def __init__(self, network: Any) -> None:
        super().__init__(network)
        self.eval()

    def train(self, mode: bool = True) -> "GridGraph":
        """As always, but for the last module: in training it gives its maps as they are."""
        super().train(mode)
        self.network.model[-1].training = True
        return self

    def typical(self, size_hw: tuple[int, int]) -> UInt8[Tensor, "1 height width 3"]:
        return torch.randint(0, 256, (1, *size_hw, 3), dtype=torch.uint8)

    def probabilities(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The bins of each of a box's four sides compete, the answers do not."""
        distances, answers = outputs
        return distances.unflatten(1, (SIDES, -1)).softmax(2), answers.sigmoid()

    def forward(
        self, frames: UInt8[Tensor, "batch height width 3"]
    ) -> tuple[Float[Tensor, "batch distances cells"], Float[Tensor, "batch answers cells"]]:
        maps = self.network(as_input(frames))
        return maps["boxes"], maps["scores"]


class HeadGraph(Graph):
    """The head's: gray crops uint8 [batch 28 28] -> logits of the ten classes [batch 10]."""

    source = "crops"
    outputs = ("logits",)
    free: ClassVar = {0: "batch"}
    freed: ClassVar = {0: "batch"}
    example = torch.zeros(2, 28, 28, dtype=torch.uint8)
    usage: ClassVar = {"answers": CLASSES, "before": CROP, "after": HEADS_ANSWERS}

    def typical(self, size_hw: tuple[int, int]) -> UInt8[Tensor, "boxes 28 28"]:
        return torch.randint(0, 256, (BOXES, 28, 28), dtype=torch.uint8)

    def probabilities(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Of the classes, and of a garment at all."""
        (logits,) = outputs
        return logits.softmax(1), garment_probability(logits)

    def forward(self, crops: UInt8[Tensor, "batch 28 28"]) -> tuple[Float[Tensor, "batch 10"]]:
        return (self.network(crops.float()[:, None] / 255),)
