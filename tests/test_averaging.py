"""Averaged weights, inside of a CUDA graph as outside."""

import math
from dataclasses import replace

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist.choices import recipe_for
from fmnist.data import Split
from fmnist.models import build
from fmnist.recipes import RECIPES
from fmnist.training.averaging import ema_decay, follow
from fmnist.training.epoch import train_one_epoch
from fmnist.training.step import start


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
            monkeypatch.setattr("fmnist.training.averaging.is_recorded", lambda _: True)
        follow(averages[1], model)
    wanted, got = (average.module.state_dict() for average in averages)
    for name, value in wanted.items():
        if value.is_floating_point():
            torch.testing.assert_close(got[name], value)


def test_the_statistics_of_batch_norms_are_averaged_as_the_weights_are(tiny_split: Split) -> None:
    """Those of the last batch would not be those of the averaged weights."""
    torch.manual_seed(0)
    recipe = replace(RECIPES["best"], batch_size=16, ema_decay=0.9)
    training = start(build("resnet10"), recipe, 5, 0)
    train_one_epoch(training, tiny_split)
    now, averaged = (each.state_dict() for each in (training.model, training.weights()))
    for name in (name for name in now if name.endswith(("running_mean", "running_var"))):
        assert not torch.allclose(now[name], averaged[name]), name


def test_a_short_training_forgets_its_first_weights_and_a_long_one_has_its_own_decay() -> None:
    for name in ("best", "gpu", "distill"):
        recipe = recipe_for(name, "vgg")
        assert ema_decay(recipe, recipe.epochs, 55_000) == recipe.ema_decay
        for epochs, images in ((1, 55_000), (4, 2_000), (1, 600)):
            steps = epochs * (images // recipe.batch_size)
            assert ema_decay(recipe, epochs, images) ** steps == pytest.approx(math.exp(-5))
    worn = recipe_for("worn", "vgg")
    assert ema_decay(worn, worn.epochs, 150_000) == worn.ema_decay
