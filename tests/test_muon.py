"""Muon: orthogonal steps on weights of constant length."""

import pytest
import torch
from torch import nn

from fmnist.training import muon
from fmnist.training.muon import Muon, orthogonalizers


def orthogonalized(matrix: torch.Tensor) -> torch.Tensor:
    (factor,) = orthogonalizers([matrix])
    return factor @ matrix if len(matrix) <= matrix.shape[1] else matrix @ factor


@pytest.mark.parametrize("shape", [(8, 72), (32, 9), (16, 16)])
def test_the_step_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    before, after = torch.linalg.svdvals(matrix), torch.linalg.svdvals(orthogonalized(matrix))
    assert after.max() < 1.3
    assert after[before > before.norm() / 8].min() > 0.6


def test_the_step_keeps_the_singular_vectors() -> None:
    matrix = torch.randn(6, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    core = u.mT @ orthogonalized(matrix) @ vh.mT
    torch.testing.assert_close(core, torch.diag(core.diagonal()), atol=1e-8, rtol=0)


def test_all_at_once_as_on_a_gpu_is_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    matrices = [torch.randn(shape, generator=random) for shape in [(8, 72), (32, 9), (8, 27)]]
    alone = [orthogonalizers([matrix])[0] for matrix in matrices]
    monkeypatch.setattr(muon, "_batches", lambda all_of_them: [[*range(len(all_of_them))]])
    for one, other in zip(alone, orthogonalizers(matrices), strict=True):
        torch.testing.assert_close(one, other)


def test_the_order_in_memory_changes_nothing() -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(4, 8, 3), nn.Conv2d(4, 8, 3).to(memory_format=torch.channels_last)]
    layers[1].load_state_dict(layers[0].state_dict())
    gradient = torch.randn_like(layers[0].weight)
    for layer in layers:
        layer.weight.grad = gradient.clone()  # not channels last in either
        Muon([*layer.parameters()][:1], lr=0.1).step()
    torch.testing.assert_close(layers[0].weight, layers[1].weight)


def test_a_step_of_rough_numbers_goes_where_one_of_exact_numbers_goes() -> None:
    """Of a gradient that has mostly one direction, as the first ones of a training."""
    torch.manual_seed(0)
    start = torch.randn(64, 64, 3, 3)
    gradient = torch.outer(torch.randn(64), torch.randn(576)) + 0.1 * torch.randn(64, 576)
    moves = []
    for dtype in (torch.float32, torch.bfloat16):
        weight = nn.Parameter(start.clone())
        optimizer = Muon([weight], lr=0.1, dtype=dtype)
        weight.grad = gradient.view_as(weight)
        optimizer.step()
        assert weight.dtype == torch.float32
        moves.append(weight.detach().flatten() - start.flatten() / start.norm() * 64**0.5)
    exact, rough = moves
    assert 0 < (rough - exact).norm() < 0.03 * exact.norm()


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


@pytest.mark.parametrize(("filters", "inputs", "length"), [(4, 2, 2.0), (64, 1, 3.0)])
def test_a_step_is_as_long_as_the_rate_says(filters: int, inputs: int, length: float) -> None:
    """Relative to weights whose length is the root of their smaller side from the first step on."""
    torch.manual_seed(0)
    layer = nn.Conv2d(inputs, filters, 3, bias=False)
    before = layer.weight.detach() / layer.weight.detach().norm() * length
    layer.weight.grad = torch.randn_like(layer.weight)
    Muon(list(layer.parameters()), lr=0.01).step()
    moved = (layer.weight.detach() - before).norm() / length
    assert layer.weight.norm().item() == pytest.approx(length, rel=1e-4)
    assert 0.007 < moved < 0.012


def test_the_momentum_is_nesterovs() -> None:
    """A second gradient at right angles to the first; the step is one row, so only scaled."""
    weight = nn.Parameter(torch.tensor([1.0, 0, 0]).view(1, 1, 1, 3))
    optimizer = Muon([weight], lr=0.01)
    places = []
    for gradient in ([0.0, 1, 0], [0.0, 0, 1]):
        weight.grad = torch.tensor(gradient).view_as(weight)
        optimizer.step()
        place = weight.detach().flatten()
        places.append(place / place[0])  # the length is set after the step
    _, old, new = places[1] - places[0]
    first, second = 0.9 * 0.9 * 0.1, 0.1 + 0.9 * 0.1
    assert new / old == pytest.approx(second / first, rel=1e-3)


def test_four_steps_bring_all_but_the_smallest_singular_values_near_one() -> None:
    for value in (0.01, 0.02, 0.05, 0.1, 0.5):
        matrix = torch.tensor([value, (1 - value**2) ** 0.5]).diag()
        after = orthogonalized(matrix).diagonal()
        assert 0.65 < after.min() < after.max() < 1.25, value
