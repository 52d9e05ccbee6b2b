"""How the weights move: the optimizers of a recipe, and the rate at every point of the schedule."""

import math

import torch
from torch import nn

from fmnist.muon import Muon
from fmnist.recipes import Recipe


def optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """One optimizer, or two: Muon takes only the filters of convolutions.

    Biases and the numbers of batch norms have no weight decay.
    """
    if recipe.optimizer == "adam":
        return [_with_peaks(torch.optim.Adam(model.parameters(), recipe.learning_rate))]
    filters = [p for p in model.parameters() if p.ndim == 4 and recipe.optimizer == "muon"]
    taken = {id(p) for p in filters}
    rest = [p for p in model.parameters() if id(p) not in taken]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate = recipe.learning_rate
    first: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        first = torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True)
    else:
        first = torch.optim.AdamW(groups, rate)
    muon = [Muon(filters, recipe.filter_learning_rate)] if filters else []
    return [_with_peaks(optimizer) for optimizer in (first, *muon)]


def _with_peaks(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer


def set_rate(optimizers: list[torch.optim.Optimizer], factor: float) -> None:
    """All learning rates to this fraction of their peaks."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor


def rate_factor(recipe: Recipe, progress: float) -> float:
    """The learning rate as a fraction of its peak; `progress` in 0..1 over all steps."""
    if recipe.schedule == "constant":
        return 1.0
    if progress < recipe.warmup:
        return 0.05 + 0.95 * progress / recipe.warmup
    left = (1 - progress) / (1 - recipe.warmup)
    return left if recipe.schedule == "triangle" else (1 - math.cos(math.pi * left)) / 2


def image_size(recipe: Recipe, progress: float) -> int:
    """The edge length of the training images at this point of the schedule."""
    return next((size for until, size in recipe.sizes if progress < until), recipe.sizes[-1][1])
