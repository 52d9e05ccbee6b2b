"""How large a classifier is: parameters, and multiply-accumulates for one image."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from fmnist.models import build


@dataclass(frozen=True)
class Size:
    """`macs` counts convolutions and matrix products, as the field does, in one 28x28 image."""

    parameters: int
    macs: int


def size_of(name: str) -> Size:
    """The size of a network by name; nothing is computed."""
    with torch.device("meta"):
        model = build(name).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.rand(1, 1, 28, 28))
    parameters = sum(p.numel() for p in model.parameters())
    return Size(parameters, counter.get_total_flops() // 2)
