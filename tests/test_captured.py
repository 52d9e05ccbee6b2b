"""A step as a CUDA graph: its parts without a GPU; with one, that it is the same step."""

from dataclasses import replace

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist.averaging import follow
from fmnist.captured import Captured, side_by_side
from fmnist.data import Split
from fmnist.epoch import train_one_epoch
from fmnist.models import build
from fmnist.optimization import restore, set_rate
from fmnist.recipes import recipe_for
from fmnist.training import Training, start

CPU = torch.device("cpu")


def test_side_by_side_reaches_everything() -> None:
    seen: list[int] = []
    side_by_side(seen.append, range(20), CPU)
    assert seen == list(range(20))


def test_in_a_graph_the_average_moves_as_it_does_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = build("resnet10")  # with running statistics
    averages = [
        AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
        for _ in range(2)
    ]
    for step in range(3):
        for value in model.state_dict().values():
            value.add_(1)
        averages[0].update_parameters(model)
        if step:  # the first one is never in a graph
            monkeypatch.setattr("fmnist.averaging.is_recorded", lambda _: True)
        follow(averages[1], model)
    wanted, got = (average.module.state_dict() for average in averages)
    for name, value in wanted.items():
        if value.is_floating_point():
            torch.testing.assert_close(got[name], value)


def test_a_rate_that_is_a_tensor_is_set_where_it_is() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    rate = torch.tensor(0.5)
    optimizer = torch.optim.SGD([weight], rate)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    set_rate([optimizer], 0.25)
    assert optimizer.param_groups[0]["lr"] is rate and rate.item() == 0.125


def test_a_run_from_another_device_leaves_the_optimizer_as_this_one_needs_it() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    there, here = torch.optim.AdamW([weight], 0.1), torch.optim.AdamW([weight], 0.1, fused=True)
    weight.grad = torch.ones(2)
    there.step()
    here.param_groups[0]["lr"] = torch.tensor(0.1)
    restore(here, there.state_dict())
    group = here.param_groups[0]
    assert group["fused"] is True and isinstance(group["lr"], torch.Tensor)
    torch.testing.assert_close(here.state[weight]["exp_avg"], there.state[weight]["exp_avg"])
    here.step()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("optimizer", ["muon", "sgd"])
def test_with_graphs_a_training_ends_where_it_does_without(
    optimizer: str, tiny_split: Split
) -> None:
    recipe = recipe_for("best", "vgg", [f"optimizer={optimizer}", "dropout=0", "ema_decay=0.5"])
    recipe = replace(recipe, batch_size=16, sizes=((0.5, 20), (1.0, 28)))
    split = tiny_split.to(torch.device("cuda"))

    def trained(graphs: bool) -> Training:
        torch.manual_seed(0)
        training = start(build("vgg", 0.0).cuda(), recipe, 4, 0)
        assert isinstance(training.captured, Captured)
        if not graphs:
            training.captured.__class__ = AsItIs
        for _ in range(4):
            train_one_epoch(training, split)
        return training

    with_graphs, without = trained(True), trained(False)
    for one, other in (
        (with_graphs.model, without.model),
        (with_graphs.weights(), without.weights()),
    ):
        for name, value in one.named_parameters():
            torch.testing.assert_close(other.get_parameter(name), value, atol=1e-3, rtol=1e-2)


class AsItIs(Captured):
    """The same augmentation and streams, but nothing is recorded."""

    def __call__(self, *inputs: torch.Tensor | None) -> torch.Tensor:
        return self.as_it_is(*inputs)
