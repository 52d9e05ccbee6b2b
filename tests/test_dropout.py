"""Dropout keeps what it says it keeps, laid out as it was."""

import pytest
import torch

from fmnist.models.dropout import Dropout


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.04, 0.4, 0.5])
def test_a_part_is_kept_and_the_sum_stays(rate: float, kind: torch.dtype) -> None:
    torch.manual_seed(0)
    seen = Dropout(rate)(torch.ones(64, 40, 25, 25, dtype=kind)).float()
    kept = seen > 0
    assert seen[kept].unique().tolist() == pytest.approx([1 / (1 - rate)], rel=4e-3)
    assert 1 - kept.float().mean().item() == pytest.approx(rate, abs=0.002)


def test_neighbours_know_nothing_of_each_other() -> None:
    """Four values share a random number: none of its four parts follows from another."""
    torch.manual_seed(1)
    kept = (Dropout(0.4)(torch.ones(400_000)) > 0).float().view(-1, 4)
    apart = torch.corrcoef(kept.T) - torch.eye(4)
    assert apart.abs().max() < 0.015  # 4.7 standard deviations


def test_nothing_happens_outside_of_training_and_at_rate_zero() -> None:
    values = torch.rand(2, 3)
    assert torch.equal(Dropout(0.4).eval()(values), values)
    assert torch.equal(Dropout(0.0)(values), values)
    assert not Dropout(1.0)(values).any()
    assert not Dropout(0.999999)(values).any()


@pytest.mark.parametrize("last", ["channels", "dense", "gaps"])
def test_the_layout_in_memory_stays_and_gradients_go_through_what_is_kept(last: str) -> None:
    torch.manual_seed(2)
    values = torch.rand(4, 6, 5, 5) + 1
    values = values.to(memory_format=torch.channels_last) if last == "channels" else values
    values = values[:, ::2] if last == "gaps" else values
    values.requires_grad_()
    seen = Dropout(0.5)(values)
    assert last == "gaps" or seen.stride() == values.stride()
    seen.sum().backward()
    torch.testing.assert_close(values.grad, 2.0 * (seen > 0))


def test_a_seed_gives_the_same_with_any_number_of_threads() -> None:
    values = torch.ones(3, 100_001)
    seen = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch.manual_seed(3)
            seen.append(Dropout(0.3)(values))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*seen)
