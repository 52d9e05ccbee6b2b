"""Averaged weights, inside of a CUDA graph as outside."""

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist.averaging import follow
from fmnist.models import build


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
