"""A step as a CUDA graph: when it is recorded; and with a GPU, that it is the same step."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from fmnist.choices import recipe_for
from fmnist.classes import FOOTWEAR
from fmnist.data import Split
from fmnist.models import build
from fmnist.training import cuda_graphs
from fmnist.training.cuda_graphs import WARM_UP, Captured, side_by_side
from fmnist.training.epoch import train_one_epoch
from fmnist.training.step import Training, start

CPU = torch.device("cpu")


def test_side_by_side_reaches_everything() -> None:
    seen: list[int] = []
    side_by_side(seen.append, range(20), CPU)
    assert seen == list(range(20))


def test_a_graph_is_recorded_for_each_shape_after_the_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the step as it is in the place of the graph, which needs a GPU."""
    recorded: list[torch.Size] = []

    class Recorded:
        def __init__(
            self, work: cuda_graphs.Work, inputs: list[torch.Tensor], pool: object
        ) -> None:
            self._work = work
            recorded.append(inputs[0].shape)

        def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self._work(*inputs)

    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name in ("Stream", "current_stream", "graph_pool_handle"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    monkeypatch.setattr(cuda_graphs, "_Graph", Recorded)
    twice = Captured(lambda x: 2 * x)
    small, large = torch.ones(2), torch.ones(3)
    twice.as_it_is(small)  # counts, too
    for _ in range(WARM_UP - 1):
        twice(small)
    assert recorded == []
    assert twice(small).tolist() == [2, 2]
    twice(small)
    assert recorded == [small.shape]
    for _ in range(WARM_UP + 1):
        twice(large)
    assert recorded == [small.shape, large.shape]


class AsItIs(Captured):
    """The same augmentation and streams, but nothing is recorded."""

    def __call__(self, *inputs: torch.Tensor | None) -> torch.Tensor:
        return self.as_it_is(*inputs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("changes", [("dropout=0.5",), ("optimizer=sgd",), ("nothing",)])
def test_with_graphs_a_training_ends_where_it_does_without(
    changes: tuple[str, ...], tiny_split: Split
) -> None:
    """And where one ends that was stopped half-way."""
    nothing = float("nothing" in changes)  # an eleventh answer, without the crops that have it
    others = [change for change in changes if change != "nothing"]
    recipe = recipe_for("best", "vgg", ["ema_decay=0.5", *others])
    recipe = replace(recipe, nothing=nothing, batch_size=16, sizes=((0.5, 20), (1.0, 28)))
    labels = tiny_split.labels.clone()
    if recipe.nothing:
        labels[::7] = FOOTWEAR
    split = Split(tiny_split.images, labels).to(torch.device("cuda"))

    def begun() -> Training:
        torch.manual_seed(0)
        return start(build("vgg", recipe.dropout).cuda(), recipe, 4, 0)

    def trained(training: Training, epochs: int) -> Training:
        for _ in range(epochs):
            train_one_epoch(training, split)
        return training

    with_graphs = trained(begun(), 4)
    assert with_graphs.captured and len(with_graphs.captured._graphs) == 2
    without = begun()
    assert without.captured
    without.captured.__class__ = AsItIs
    trained(without, 4)
    resumed = begun()
    resumed.load_state_dict(trained(begun(), 2).state_dict())
    trained(resumed, 2)
    for other in (without, resumed):
        for name, value in with_graphs.weights().named_parameters():
            wanted = other.weights().get_parameter(name)
            torch.testing.assert_close(value, wanted, atol=1e-3, rtol=1e-2)
