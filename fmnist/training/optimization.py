"""How the weights move: the optimizers of a recipe, and the rate at every point of the schedule."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # that of several GPUs, too

from fmnist.device import product_dtype
from fmnist.models.convolution import Convolution
from fmnist.recipes import Recipe
from fmnist.training.muon import Muon


def optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """One optimizer, or two: Muon takes only the filters of convolutions.

    Biases and the numbers of batch norms have no weight decay.
    """
    device = next(model.parameters()).device
    rate, is_gpu = _rate(recipe.learning_rate, device), device.type == "cuda"
    if recipe.optimizer == "adam":
        adam = torch.optim.Adam(model.parameters(), rate, fused=True, capturable=is_gpu)
        return [_with_peaks(adam)]
    filters = [p for p in model.parameters() if p.ndim == 4 and recipe.optimizer == "muon"]
    taken = {id(p) for p in filters}
    rest = [p for p in model.parameters() if id(p) not in taken]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    first: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        first = torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True, fused=True)
    else:
        first = torch.optim.AdamW(groups, rate, fused=True, capturable=is_gpu)
    dtype, filter_rate = product_dtype(device), _rate(recipe.filter_learning_rate, device)
    muon = [Muon(filters, filter_rate, dtype=dtype)] if filters else []
    return [_with_peaks(optimizer) for optimizer in (first, *muon)]


def freeze_idle_biases(model: nn.Module) -> None:
    """Biases that a batch norm takes away again are not learnt: their gradient is zero.

    To sum it up all the same costs a GPU a tenth of the VGG-like's step, to add them a twentieth:
    a `Convolution` gives them to the norm. Done twice, nothing more happens.
    """
    for layers in model.modules():
        if isinstance(layers, nn.Sequential):
            for layer, following in pairwise(layers):
                is_convolution = isinstance(layer, nn.Conv2d) and layer.bias is not None
                if not (is_convolution and isinstance(following, _BatchNorm)):
                    continue
                layer.bias.requires_grad_(False)
                if isinstance(layer, Convolution):
                    layer.give_bias_to(following)


def _rate(peak: float, device: torch.device) -> float | Tensor:
    """On a GPU a tensor, which a CUDA graph reads anew in every step."""
    return torch.tensor(peak, device=device) if device.type == "cuda" else peak


def _with_peaks(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    for group in optimizer.param_groups:
        group["initial_lr"] = float(group["lr"])
    return optimizer


def restore(optimizer: torch.optim.Optimizer, values: dict[str, Any]) -> None:
    """`load_state_dict`, but what depends on the device stays: a run may go on on another one."""
    own = [
        {name: group[name] for name in ("lr", "fused", "capturable") if name in group}
        for group in optimizer.param_groups
    ]
    groups = [{**there, **here} for there, here in zip(values["param_groups"], own, strict=True)]
    optimizer.load_state_dict({**values, "param_groups": groups})


def forget(optimizer: torch.optim.Optimizer) -> None:
    """Back to before its first step, in the memory that it has."""
    for state in optimizer.state.values():
        for value in state.values():
            value.zero_()
    if isinstance(optimizer, Muon):
        optimizer.begin()


def set_rate(optimizers: list[torch.optim.Optimizer], factor: float) -> None:
    """All learning rates to this fraction of their peaks."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            rate = group["initial_lr"] * factor
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate


def rate_factor(recipe: Recipe, progress: float) -> float:
    """The learning rate as a fraction of its peak; `progress` in 0..1 over all steps."""
    if recipe.schedule == "constant":
        return 1.0
    if progress < recipe.warmup:
        return 0.05 + 0.95 * progress / recipe.warmup
    left = (1 - progress) / (1 - recipe.warmup)
    return left if recipe.schedule == "triangle" else (1 - math.cos(math.pi * left)) / 2


def side_at(recipe: Recipe, progress: float) -> int:
    """The edge length of the training images at this point of the schedule."""
    return next((size for until, size in recipe.sizes if progress < until), recipe.sizes[-1][1])
