"""How fast a classifier answers, and what memory that takes.

As `python -m fmnist.benchmark.inference MODEL DEVICE` it prints the JSON of one measurement: in a
process of its own, the peak of the memory is that of this network alone.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fmnist.benchmark.program import peak_mb, run
from fmnist.cards import Facts
from fmnist.device import autocast, describe, wait_for
from fmnist.evaluation import at_once
from fmnist.models import build

SINGLES = 200  # images one by one
SECONDS = 2.0  # of batches


def measured(model: str, device: torch.device) -> Facts:
    """Images per second in batches, milliseconds for one image, the peak of the memory.

    The weights are fresh ones: they do not change the arithmetic.
    """
    command = [sys.executable, "-P", "-m", "fmnist.benchmark.inference", model, str(device)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # as many as here
    facts: Facts = json.loads(run(command, threads).lines[-1][1])
    return facts


def measure(network: nn.Module, device: torch.device) -> dict[str, Any]:
    """The figures of `measured`, of a network on that device, in this process."""
    count = at_once(network)
    network = network.eval().to(memory_format=torch.channels_last)
    with torch.inference_mode(), autocast(device):
        batch = torch.rand(count, 1, 28, 28, device=device)
        seconds = _timed(network, batch, at_least=SECONDS, rounds=3)
        one = batch[:1]
        single = sorted(_timed(network, one, at_least=0.0, rounds=SINGLES))
    return {
        "images_per_second": count / statistics.median(seconds),
        "batch": count,
        "latency_ms": {
            "n": SINGLES,
            "median": 1000 * statistics.median(single),
            "p95": 1000 * single[int(0.95 * len(single))],
        },
        "peak_memory_mb": _peak_memory_mb(device),
    }


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


def _peak_memory_mb(device: torch.device) -> float:
    """Of tensors on a GPU; on a CPU of the whole process, with Python and torch in it.

    Linux keeps the peak of getrusage from the process that started this one: it is read elsewhere.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    status = Path("/proc/self/status")
    if status.exists():
        return peak_mb(status)
    unit = 1 if sys.platform == "darwin" else 2**10  # of ru_maxrss, in bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    where = torch.device(sys.argv[2])
    print(json.dumps({**measure(build(sys.argv[1]).to(where), where), "machine": describe(where)}))
