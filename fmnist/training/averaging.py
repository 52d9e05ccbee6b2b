"""Averaged weights that follow a network inside of a CUDA graph, too."""

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fmnist.recipes import Recipe

FIRST = math.exp(-5)  # the largest share of the final average that the first weights may keep


def ema_decay(recipe: Recipe, epochs: int, images: int) -> float:
    """The recipe's decay per step, or a smaller one where it would outlast a short training.

    One epoch of `best` would end with a third of the average still from its first step: of the
    VGG-like network 10 % of the test images were right, with this 87 %.
    """
    steps = epochs * max(1, images // recipe.batch_size)
    return min(recipe.ema_decay, FIRST ** (1 / steps))


def follow(average: AveragedModel, model: nn.Module) -> None:
    """`average.update_parameters(model)`, in a form that a CUDA graph can record.

    PyTorch's own sends the number of the step to the GPU, which a graph cannot. So the first step
    of an average, which copies the weights, may not be one that is recorded.
    """
    if not is_recorded(model):
        average.update_parameters(model)
        return
    assert average.multi_avg_fn is not None
    pairs = list(zip(_numbers(average.module), _numbers(model), strict=True))
    average.multi_avg_fn([a for a, _ in pairs], [m for _, m in pairs], average.n_averaged)


def _numbers(module: nn.Module) -> list[Tensor]:
    """Weights and statistics, without the counters of batches."""
    state = [*module.parameters(), *module.buffers()]
    return [value.detach() for value in state if value.is_floating_point()]


def is_recorded(model: nn.Module) -> bool:
    """Whether what happens to it now becomes part of a CUDA graph."""
    on_gpu = next(model.parameters()).is_cuda
    return on_gpu and torch.cuda.is_current_stream_capturing()
