"""Which backend is the fastest here: measured once for this machine, and remembered."""

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import torch

from detector.backends.graphs import Graph, Runner
from detector.backends.names import AUTO, BACKENDS, version_of
from detector.backends.runnable import Runnable
from detector.backends.runners import runner_of
from fmnist.cards import Facts, read_json, write_json
from fmnist.device import describe
from fmnist.errors import InputError
from fmnist.files import cache_folder

ROUNDS = 15
Times = dict[str, float]  # milliseconds of each backend


def candidates(device: torch.device) -> list[str]:
    """The backends that are installed and run on the device, torch first."""
    return [n for n, b in BACKENDS.items() if device.type in b.devices and not b.missing]


def run_with(
    backend: str,
    parts: Sequence[Runnable],
    size_hw: tuple[int, int],
    say: Callable[[str], None] = lambda line: None,
) -> str:
    """Have these run with a backend; with `auto` the fastest for all of them together.

    `size_hw` is that of what the grid reads of a usual frame. Returns the backend. `say` tells the
    user of a measurement.
    """
    if backend == AUTO:
        backend = fastest([part.graph for part in parts], size_hw, parts[0].device, say)
    for part in parts:
        part.use(backend)
    return backend


def fastest(
    graphs: Sequence[Graph],
    size_hw: tuple[int, int],
    device: torch.device,
    say: Callable[[str], None],
) -> str:
    """The backend that needs the least time for all of these. With torch alone none is measured."""
    names = candidates(device)
    if len(names) == 1:
        return names[0]
    file = cache_folder() / "fastest" / f"{_situation(graphs, size_hw, names, device)}.json"
    times = _remembered(file, names)
    if not times:
        say(f"measuring once which backend is the fastest here: {', '.join(names)}")
        times = measured(names, graphs, size_hw, device)
        failed = [name for name in names if name not in times]
        told = [f"{name} {ms:.1f} ms" for name, ms in times.items()]
        say(", ".join([*told, *(f"{name} failed" for name in failed)]))
        if not failed:  # it may work the next time
            _remember(file, times)
    return min(times, key=lambda name: times[name])


def measured(
    names: Iterable[str], graphs: Sequence[Graph], size_hw: tuple[int, int], device: torch.device
) -> Times:
    """Median milliseconds for the graphs' part of one frame; the backends in turn.

    One that cannot run here, as of a broken installation, or not with frames of that size, is left
    out; but torch, whose errors are raised.
    """
    batches = [graph.typical(size_hw) for graph in graphs]
    runners: dict[str, list[Runner]] = {}
    seconds: dict[str, list[float]] = {}
    for name in names:
        with suppress(Exception) if name != "torch" else nullcontext():  # each raises its own
            its = [runner_of(graph, device, name) for graph in graphs]
            seconds[name] = [sum(map(_timed, its, batches))]
            runners[name] = its
    for _ in range(ROUNDS - 1):
        for name, its in runners.items():
            seconds[name].append(sum(map(_timed, its, batches)))
    return {name: 1000 * statistics.median(seconds[name][3:]) for name in runners}


def _timed(run: Runner, batch: torch.Tensor) -> float:
    before = time.perf_counter()
    for part in run(batch):
        part.cpu()  # waits for a GPU
    return time.perf_counter() - before


def _situation(
    graphs: Sequence[Graph], size_hw: tuple[int, int], names: list[str], device: torch.device
) -> str:
    """A name for all that decides which is the fastest."""
    here = describe(device)
    modules = {module for name in names for module in BACKENDS[name].modules}
    facts = {
        "graphs": [graph.digest() for graph in graphs],
        "frame": size_hw,
        "here": [here[name] for name in ("device", "cores", "threads", "precision", "torch")],
        "versions": [f"{name} {version_of(name)}" for name in sorted(modules)],
        "names": names,
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _remembered(file: Path, names: Iterable[str]) -> Facts:
    """The times of these; nothing where they are not there, or damaged."""
    try:
        times = read_json(file)
    except (OSError, InputError):
        return {}
    return times if times.keys() == set(names) else {}


def _remember(file: Path, times: Times) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, times)
    except OSError:
        return  # a home that cannot be written: measured again next time
