"""Rates and optimizers, on this device and from another one."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from fmnist.recipes import RECIPES
from fmnist.training.optimization import optimizers, rate_factor, restore, set_rate


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


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_weights_decay_and_biases_and_norms_do_not(network: nn.Module, name: str) -> None:
    recipe = replace(RECIPES["best"], optimizer=name, learning_rate=0.1, weight_decay=0.5)
    before = [value.detach().clone() for value in network.parameters()]
    for value in network.parameters():
        value.grad = torch.zeros_like(value)
    (optimizer,) = optimizers(network, recipe)
    optimizer.step()
    part = 0.05 if name == "adamw" else 0.05 * 1.9  # with the momentum of the first step
    for value, was in zip(network.parameters(), before, strict=True):
        expected = was * (1 - part) if value.ndim > 1 else was
        torch.testing.assert_close(value.detach(), expected)


def test_the_momentum_of_sgd_is_nesterovs(network: nn.Module) -> None:
    recipe = replace(RECIPES["best"], optimizer="sgd", learning_rate=0.1, weight_decay=0.0)
    (optimizer,) = optimizers(network, recipe)
    weight = next(network.parameters())
    places = [weight.detach().clone()]
    for _ in range(2):
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        places.append(weight.detach().clone())
    lengths = [before - after for before, after in pairwise(places)]
    torch.testing.assert_close(lengths[0], torch.full_like(weight, 0.1 * 1.9))
    torch.testing.assert_close(lengths[1], torch.full_like(weight, 0.1 * 2.71))


def test_muon_takes_the_filters_and_each_optimizer_its_own_rate(network: nn.Module) -> None:
    recipe = RECIPES["best"]
    adam, muon = optimizers(network, recipe)
    assert [value.ndim for value in muon.param_groups[0]["params"]] == [4]
    taken = [
        value for one in (adam, muon) for group in one.param_groups for value in group["params"]
    ]
    assert len(taken) == len(list(network.parameters()))
    for factor in (1.0, 0.5):
        set_rate([adam, muon], factor)
        rates = [{group["lr"] for group in one.param_groups} for one in (adam, muon)]
        assert rates == [{recipe.learning_rate * factor}, {recipe.filter_learning_rate * factor}]


@pytest.mark.parametrize("schedule", ["triangle", "cosine"])
def test_a_rate_rises_to_its_peak_and_falls_to_nothing(schedule: str) -> None:
    recipe = replace(RECIPES["best"], schedule=schedule, warmup=0.2)
    rates = [rate_factor(recipe, step / 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.05) and rates[20] == pytest.approx(1)
    assert rates[60] == pytest.approx(0.5) and rates[100] == pytest.approx(0)
    assert rates[:21] == sorted(rates[:21]) and rates[20:] == sorted(rates[20:], reverse=True)
    assert (rates[40] > 0.76) == (schedule == "cosine"), "a cosine stays high for longer"


def test_the_rate_of_the_report_is_constant() -> None:
    assert {rate_factor(RECIPES["report"], part / 10) for part in range(11)} == {1.0}
