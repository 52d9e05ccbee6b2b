"""The loss of a step is the same when torch.compile has it, by a backend that makes no code."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from fmnist.augment import cutmix
from fmnist.choices import recipe_for
from fmnist.classes import FOOTWEAR, NOTHING
from fmnist.models import build
from fmnist.training.losses import mean_probabilities, one_hot
from fmnist.training.step import loss_and_accuracy, start

LABELS = torch.tensor([0, 3, 5, 9, 2, 2, 6, 8])
IMAGES = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def told(kind: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """What a step is given: images, targets, what the teachers said."""
    generator = torch.Generator().manual_seed(1)
    if kind == "mixed":
        return *cutmix(IMAGES, one_hot(LABELS), generator, 1.0), None
    if kind == "nothing":
        return IMAGES, torch.tensor([0, 3, NOTHING, 9, FOOTWEAR, 2, 6, 8]), None
    logits = torch.randn(8, 10, generator=generator)
    return IMAGES, LABELS, mean_probabilities([logits], 2.0) if kind == "taught" else None


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("plain", {}),
        ("mixed", {}),
        ("taught", {"distill": 0.9, "temperature": 2.0}),
        ("nothing", {"nothing": 0.4}),
    ],
)
def test_loss_accuracy_and_gradients(kind: str, changes: dict[str, Any]) -> None:
    recipe = replace(recipe_for("best", "vgg"), dropout=0.0, **changes)
    compiled = torch.compile(loss_and_accuracy, backend="aot_eager", dynamic=False)
    found = []
    for work in (loss_and_accuracy, compiled):
        torch.manual_seed(0)
        training = start(build("vgg", 0.0), recipe, 1, 0)
        training.network.train()
        loss, accuracy = work(training.network, recipe, *told(kind))
        loss.backward()
        moved = [p.grad for p in training.network.parameters() if p.grad is not None]
        found.append([loss.detach(), accuracy, *moved])
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=1e-3)


def test_triplets_are_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number changes with every batch, and a compiler would begin anew each time."""
    seen: list[object] = []

    def as_it_is(work: Any, **_: object) -> Any:
        seen.append(work)
        return work

    monkeypatch.setattr(torch, "compile", as_it_is)
    for triplet in (0.0, 0.2):
        recipe = replace(recipe_for("best", "lenet"), triplet=triplet)
        start(build("lenet"), recipe, 1, 0, compiled=True)
    assert seen[0] is loss_and_accuracy
    assert isinstance(seen[1], nn.Module)
