"""One step of a training: forward, loss, backward, weights. It may be recorded as a CUDA graph."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from fmnist.averaging import follow
from fmnist.device import autocast
from fmnist.losses import Targets, answers_loss, places_loss, told
from fmnist.nothing import with_nothing

if TYPE_CHECKING:
    from fmnist.training import Training


def step(
    training: "Training",
    images: Float[Tensor, "batch 1 h w"],
    targets: Targets,
    taught: Float[Tensor, "batch 10"] | None,
) -> Float[Tensor, "2"]:
    """Move the weights once; gives loss and accuracy."""
    recipe = training.recipe
    images = images.contiguous(memory_format=torch.channels_last)
    with autocast(images.device):
        answer = training.forward(images)
    logits, embedding = answer if recipe.triplet else (answer, None)
    logits = logits.float()
    if recipe.nothing:
        logits = with_nothing(logits)
        targets = told(logits, targets)
    loss = answers_loss(recipe, logits, targets, taught)
    loss = loss + places_loss(recipe, embedding, targets)
    for optimizer in training.optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in training.optimizers:
        optimizer.step()
    if training.average is not None:
        follow(training.average, training.model)
    shown = targets.argmax(1) if targets.ndim == 2 else targets
    return torch.stack([loss.detach(), (logits.argmax(1) == shown).float().mean()])
