"""How fast a classifier answers, and what memory that takes.

As `python -m fmnist.benchmark.inference MODEL DEVICE` it prints the JSON of one measurement: in a
process of its own, the peak of the memory is that of this network alone.
"""

import json
import statistics
import sys
import time
from typing import Any

import torch
from torch import nn

from fmnist.benchmark.program import run
from fmnist.cards import Facts
from fmnist.device import autocast, describe, wait_for
from fmnist.evaluation import at_once
from fmnist.models import build

SINGLES = 200  # images one by one
SECONDS = 2.0  # of batches


def measured(model: str, device: torch.device) -> Facts:
    """Images per second in batches, milliseconds for one image, the peak of the memory.

    On a GPU that of tensors, on a CPU of the whole process, with Python and torch in it. The
    weights are fresh ones: they do not change the arithmetic.
    """
    command = [sys.executable, "-P", "-m", "fmnist.benchmark.inference", model, str(device)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # as many as here
    ended = run(command, threads)
    return {"peak_memory_mb": ended.peak_mb, **json.loads(ended.lines[-1][1])}


def measure(network: nn.Module, device: torch.device) -> dict[str, Any]:
    """The figures of `measured`, of a network on that device, in this process."""
    count = at_once(network)
    network = network.eval().to(memory_format=torch.channels_last)
    with torch.inference_mode(), autocast(device):
        batch = torch.rand(count, 1, 28, 28, device=device)
        seconds = _timed(network, batch, at_least=SECONDS, rounds=3)
        one = batch[:1]
        single = sorted(_timed(network, one, at_least=0.0, rounds=SINGLES))
    facts = {
        "images_per_second": count / statistics.median(seconds),
        "batch": count,
        "latency_ms": {
            "n": SINGLES,
            "median": 1000 * statistics.median(single),
            "p95": 1000 * single[int(0.95 * len(single))],
        },
    }
    if device.type == "cuda":
        facts["peak_memory_mb"] = torch.cuda.max_memory_allocated(device) / 2**20
    return facts


def _timed(network: nn.Module, images: torch.Tensor, at_least: float, rounds: int) -> list[float]:
    """Seconds of single passes, after three that warm up; `rounds` of them and `at_least` long."""
    for _ in range(3):
        network(images)
    seconds: list[float] = []
    while len(seconds) < rounds or sum(seconds) < at_least:
        wait_for(images.device)
        before = time.perf_counter()
        network(images)
        wait_for(images.device)
        seconds.append(time.perf_counter() - before)
    return seconds


if __name__ == "__main__":
    where = torch.device(sys.argv[2])
    print(json.dumps({**measure(build(sys.argv[1]).to(where), where), "machine": describe(where)}))
