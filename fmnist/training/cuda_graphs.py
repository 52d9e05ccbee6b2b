"""CUDA graphs: what a GPU does in a step, recorded once and launched at once from then on.

A step of a small network is some hundred kernels of a few microseconds each, less than Python
takes to launch one of them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

WARM_UP = 3  # calls with a shape before it is recorded: they choose kernels and make momentum
STREAMS = 8  # that small kernels are spread over
Work = Callable[..., Tensor]
Thing = TypeVar("Thing")


class Captured:
    """A function of tensors on a GPU, as one CUDA graph for each combination of their shapes.

    The function must not wait for the GPU, and all that it changes must stay where it is in
    memory. Numbers that change from call to call have to be tensors: others are recorded, too.
    The result is overwritten by the next call.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._graphs: dict[object, _Graph] = {}
        self._calls: Counter[object] = Counter()
        self._stream = torch.cuda.Stream()
        self._pool: Any = torch.cuda.graph_pool_handle()

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        key = _shapes(inputs)
        if key not in self._graphs:
            if self._calls[key] < WARM_UP:
                return self.as_it_is(*inputs)
            self._graphs[key] = _Graph(self._work, inputs, self._pool)
        return self._graphs[key](*inputs)

    def as_it_is(self, *inputs: Tensor | None) -> Tensor:
        """Without a graph, on another stream than the default, as capturing demands."""
        self._calls[_shapes(inputs)] += 1
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            result = self._work(*inputs)
        torch.cuda.current_stream().wait_stream(self._stream)
        return result


def _shapes(inputs: Sequence[Tensor | None]) -> object:
    return tuple(None if one is None else (one.shape, one.dtype) for one in inputs)


class _Graph:
    """One recording, with the memory that its inputs are read from."""

    def __init__(self, work: Work, inputs: Sequence[Tensor | None], pool: Any) -> None:
        self._inputs = [None if one is None else one.clone() for one in inputs]
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool):
            self._result = work(*self._inputs)

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        for place, value in zip(self._inputs, inputs, strict=True):
            if place is not None and value is not None:
                place.copy_(value)
        self._graph.replay()
        return self._result


def side_by_side(
    work: Callable[[Thing], None], things: Sequence[Thing], device: torch.device
) -> None:
    """Work on each; on a GPU on several streams, since small kernels leave most of it idle."""
    if device.type != "cuda":
        for thing in things:
            work(thing)
        return
    here = torch.cuda.current_stream(device)
    streams = _streams(device)[: len(things)]
    for stream in streams:
        stream.wait_stream(here)
    for number, thing in enumerate(things):
        with torch.cuda.stream(streams[number % len(streams)]):
            work(thing)
    for stream in streams:
        here.wait_stream(stream)


_kept: dict[torch.device, list[torch.cuda.Stream]] = {}


def _streams(device: torch.device) -> list[torch.cuda.Stream]:
    if device not in _kept:
        _kept[device] = [torch.cuda.Stream(device) for _ in range(STREAMS)]
    return _kept[device]
