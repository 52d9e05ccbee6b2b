"""Muon: orthogonal steps on weights of constant length."""

import pytest
import torch
from torch import nn

from fmnist.muon import Muon, orthogonalize


@pytest.mark.parametrize("shape", [(8, 72), (32, 9), (16, 16)])
def test_the_step_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    before, after = torch.linalg.svdvals(matrix), torch.linalg.svdvals(orthogonalize(matrix))
    assert after.max() < 1.3
    assert after[before > before.norm() / 8].min() > 0.6


def test_the_step_keeps_the_singular_vectors() -> None:
    matrix = torch.randn(6, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    core = u.mT @ orthogonalize(matrix) @ vh.mT
    torch.testing.assert_close(core, torch.diag(core.diagonal()), atol=1e-8, rtol=0)


def test_the_filters_keep_their_length_and_fit_a_target() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 4, 3, bias=False)
    target = nn.Conv2d(2, 4, 3, bias=False)
    with torch.no_grad():
        target.weight.mul_(2 / target.weight.norm())
    optimizer = Muon(list(layer.parameters()), lr=0.1)
    images = torch.randn(64, 2, 8, 8)
    losses = []
    for _ in range(60):
        loss = (layer(images) - target(images)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert layer.weight.norm().item() == pytest.approx(2.0, rel=1e-4)  # sqrt of four filters
    assert losses[-1] < losses[0] / 10
