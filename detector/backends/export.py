"""A graph into a file that others run, which is kept only if it says what torch says.

It is asked with real frames and the crops in them.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.graphs import Graph, Runner
from detector.backends.runners import current, in_torch, read, write_whole
from fmnist.errors import CheckFailed

Batches = list[UInt8[Tensor, "..."]]  # bytes, as a graph takes them
TOLERANCE = 2e-3  # of a probability, fp32 against fp32
TF32_TOLERANCE = 2e-2  # an engine's numbers have ten bits behind the point instead of 23


@dataclass(frozen=True)
class Agreement:
    """How many inputs were compared, and the largest difference of a probability (0..1)."""

    inputs: int
    largest: float

    def __str__(self) -> str:
        return f"{self.inputs} inputs, no probability differs by more than {self.largest:.1e}"


def export(
    graph: Graph, backend: str, target: Path, device: torch.device, real: Batches
) -> Agreement:
    """Write the graph, compare it with torch on real inputs, and only then put it in its place.

    Raises:
        CheckFailed: it does not say the same; nothing was written.
    """

    def check(file: Path) -> Agreement:
        tolerance = TF32_TOLERANCE if backend == "engine" else TOLERANCE
        return compare(graph, read(file, backend, device, precise=True), real, tolerance)

    with current(device):
        return write_whole(graph, backend, target, check)


def compare(
    graph: Graph,
    run: Runner,
    batches: Sequence[UInt8[Tensor, "..."]],
    tolerance: float = TOLERANCE,
) -> Agreement:
    """Ask both, torch on the CPU in fp32.

    Raises:
        CheckFailed: a probability differs by more than `tolerance`.
    """
    expected = in_torch(copy.deepcopy(graph).cpu(), torch.device("cpu"), precise=True)
    largest, count = 0.0, 0
    for batch in batches:
        theirs, ours = tuple(part.cpu() for part in run(batch)), expected(batch)
        shapes = [[tuple(part.shape) for part in parts] for parts in (theirs, ours)]
        if shapes[0] != shapes[1]:
            raise CheckFailed(f"it gives {shapes[0]}, torch {shapes[1]}")
        for one, other in zip(graph.probabilities(theirs), graph.probabilities(ours), strict=True):
            difference = (one - other).abs().max().item()
            largest = max(largest, difference if np.isfinite(difference) else np.inf)
        count += len(batch)
    if largest > tolerance:
        raise CheckFailed(f"a probability differs by {largest:.4f}, more than {tolerance}")
    return Agreement(count, largest)
