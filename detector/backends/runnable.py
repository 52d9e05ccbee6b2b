"""What the grid and the head have in common: a graph on a device, run by a backend."""

import os
from typing import Any

import torch

from detector.backends.graphs import Graph
from detector.backends.names import runs_on
from detector.backends.runners import runner_of

if hasattr(os, "register_at_fork"):
    # A child lacks its parent's threads; with more than one torch would wait for them for ever.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class Runnable:
    """A graph that can be handed from one backend to another; torch is the first.

    It can be copied, and pickled for other processes, where its backend is opened anew. In one that
    is forked torch has a single thread.
    """

    def __init__(self, graph: Graph, device: torch.device) -> None:
        """Take over a graph that is on the device."""
        self.graph = graph
        self.device = device
        self.use("torch")

    def use(self, backend: str) -> None:
        """Have this one of `detector.backends.names.BACKENDS` run the graph from now on.

        Which is the fastest `detector.backends.choice.run_with` finds out.

        Raises:
            InputError: it is not installed, or does not run on this device; all stays as it was.
        """
        self._run = runner_of(self.graph, self.device, runs_on(backend, self.device.type))
        self.backend = backend

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_run"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.use(self.backend)
