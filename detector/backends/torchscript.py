"""TorchScript: a traced graph, as libtorch and mobile programs read it."""

import io
import warnings
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.graphs import Graph, Runner


def write(graph: Graph, path: Path) -> None:
    """Trace the graph into a file; its weights ask for no gradients from now on."""
    graph.requires_grad_(False)
    file = io.BytesIO()  # by torch's own writer a full disk would end the process
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # torch calls TorchScript outdated
        torch.jit.save(torch.jit.trace(graph, graph.example, check_trace=False), file)
    path.write_bytes(file.getvalue())


def read(path: Path, device: torch.device, precise: bool = False) -> Runner:
    """Run the file on the device, in fp32; convolutions of a GPU in TF32, unless `precise`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch.jit.load(path, map_location=device)

    @torch.inference_mode()
    def run(batch: UInt8[Tensor, "batch ..."]) -> tuple[Tensor, ...]:
        if not precise:
            return tuple(graph(batch.to(device)))
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return tuple(graph(batch.to(device)))

    return run
