"""From a graph and the name of a backend to something that runs."""

import atexit
import copy
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.graphs import Graph, Runner
from detector.backends.names import BACKENDS, version_of
from detector.layouts import MOST_BOXES
from fmnist.atomic import named_in_errors, place_of
from fmnist.device import autocast
from fmnist.files import cache_folder

T = TypeVar("T")
FORMAT = "1"  # of what `write` writes: another one where that is read otherwise


def runner_of(graph: Graph, device: torch.device, backend: str = "torch") -> Runner:
    """Have a backend of `BACKENDS` run a graph that is on the device.

    What other backends than torch need is exported once and kept in the user's cache.
    """
    if backend == "torch":
        return in_torch(graph, device)
    with current(device):
        path = kept(graph, backend)
        try:
            return read(path, backend, device)
        except (ImportError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # each library raises its own: is the file damaged?
            try:
                write_whole(graph, backend, path, lambda file: _check(file, backend, device))
            except Exception:
                raise error from None
            return read(path, backend, device)


def current(device: torch.device) -> AbstractContextManager[object]:
    """Makes it the device that TensorRT builds engines for."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def in_torch(graph: Runner, device: torch.device, precise: bool = False) -> Runner:
    """Run it in PyTorch: in bf16 where the device gains by it, unless `precise`."""
    mixed = torch.autocast(device.type, enabled=False) if precise else autocast(device)

    @torch.inference_mode()
    def run(batch: UInt8[Tensor, "batch ..."]) -> tuple[Tensor, ...]:
        with mixed:
            found = graph(batch.to(device))
        return tuple(part.float() for part in found)

    return run


def write(graph: Graph, backend: str, path: Path) -> None:
    """Export a graph in fp32 for that backend; `path` ends as its files do."""
    export: Callable[[Graph, Path], None] = import_module(f"detector.backends.{backend}").write
    export(copy.deepcopy(graph).cpu(), path)


def read(path: Path, backend: str, device: torch.device, precise: bool = False) -> Runner:
    """Run what `write` wrote; `precise` in fp32 where the backend would round."""
    open_file: Callable[[Path, torch.device, bool], Runner]
    open_file = import_module(f"detector.backends.{backend}").read
    return open_file(path, device, precise)


def kept(graph: Graph, backend: str) -> Path:
    """The exported graph in the user's cache; written where it is not there yet.

    Where that cannot be written, it is in a folder of this process.
    """
    known = BACKENDS[backend]
    made_by = [FORMAT, *(version_of(name) for name in ("torch", *known.modules))]
    if known.devices == ("cuda",):  # built for this very GPU
        name = torch.cuda.get_device_name(next(graph.parameters()).device)
        made_by.append(re.sub(r"\W+", "-", name))
    within = Path("backends", "-".join([graph.digest(), *made_by]))
    path = cache_folder() / within / f"{graph.source}-{MOST_BOXES}{known.suffix}"
    if path.exists():  # an engine is for so many boxes
        return path
    try:
        _keep(graph, backend, path)
    except OSError:
        path = _own_folder() / within / path.name
        if not path.exists():
            _keep(graph, backend, path)
    return path


def _check(path: Path, backend: str, device: torch.device) -> None:
    """Whether it can be read; it is closed again, because Windows moves no open file."""
    read(path, backend, device)


def _keep(graph: Graph, backend: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(graph, backend, path, lambda file: None)


@cache
def _own_folder() -> Path:
    """Of this process; it goes with it."""
    atexit.register(clear_own_folder)
    return Path(tempfile.mkdtemp(prefix="fmnist-"))


def clear_own_folder() -> None:
    """What was exported for this process alone goes; called at Python's end, or in its place."""
    if _own_folder.cache_info().currsize:
        shutil.rmtree(_own_folder(), ignore_errors=True)


def write_whole(graph: Graph, backend: str, path: Path, check: Callable[[Path], T]) -> T:
    """The same, but a file is there only when it is whole and `check` raised nothing.

    Gives what that found. OSError, with the name of `path`, where it cannot be written.
    """
    with named_in_errors(path):
        place = path if backend == "openvino" else place_of(path)  # of which one file names another
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".export-") as folder:
            half = Path(folder) / place.name
            write(graph, backend, half)
            found = check(half)
            for file in sorted(half.parent.iterdir()):  # .bin before .xml: who sees this has both
                file.replace(place.with_name(file.name))
    return found
