"""How many images a second a classifier names, with every backend that is here."""

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from detector.backends.choice import candidates
from detector.backends.graphs import Graph, Runner
from detector.backends.names import BACKENDS
from detector.backends.runners import in_torch, read, write
from detector.head import Head
from fmnist.benchmark.spread import around_median
from fmnist.evaluation import at_once

BATCHES = {"cpu": 128, "cuda": 8192}  # more would not fit a processor's caches
COMPILED = "torch.compile"
ROUNDS = 5
SECONDS = 1.0  # of one round


def throughput(
    model: nn.Module, device: torch.device, seconds: float = SECONDS, compiled: bool = False
) -> dict[str, Any]:
    """Images a second from bytes to logits, of `ROUNDS` rounds of the backends in turn.

    Batches of `BATCHES` (of fewer where the network enlarges them much), on a GPU already in its
    memory; `compiled` adds a row of torch.compile.
    TensorRT's engines have none: they are built for smaller batches. Batch norms are folded, as
    in the detector's head. What is exported for this is deleted again.
    """
    graph = Head(model, device).graph
    size = at_once(model, BATCHES[device.type])
    images = torch.randint(0, 256, (size, 28, 28), dtype=torch.uint8, device=device)
    with tempfile.TemporaryDirectory() as folder:
        runners = {
            name: _runner(graph, name, Path(folder) / f"model{BACKENDS[name].suffix}", device)
            for name in candidates(device)
            if name != "engine"
        }
        if compiled:
            runners[COMPILED] = in_torch(torch.compile(graph), device)
        found: dict[str, list[float]] = {name: [] for name in runners}
        for _ in range(ROUNDS):
            for name, run in runners.items():
                found[name].append(_rate(run, images, seconds))
    return {"batch": size, **{name: around_median(rates) for name, rates in found.items()}}


def _runner(graph: Graph, backend: str, path: Path, device: torch.device) -> Runner:
    if backend == "torch":
        return in_torch(graph, device)
    write(graph, backend, path)
    return read(path, backend, device)


def _rate(run: Runner, images: UInt8[Tensor, "batch 28 28"], seconds: float) -> float:
    run(images)
    before = time.perf_counter()
    batches = 0
    while (took := time.perf_counter() - before) < seconds or not batches:
        run(images)[0].cpu()  # waits for a GPU
        batches += 1
    return batches * len(images) / took
