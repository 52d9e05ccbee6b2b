"""A graph into a file that others run, which is kept only if it says what torch says."""

from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.check import TF32_TOLERANCE, TOLERANCE, Agreement, compare
from detector.backends.graphs import Graph
from detector.backends.runners import current, read, write_whole

Batches = list[UInt8[Tensor, "..."]]  # bytes, as a graph takes them


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
