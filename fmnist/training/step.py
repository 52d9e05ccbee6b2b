"""What a training is, and its step, which may be recorded as a CUDA graph."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist.classes import TRAINING_SIZE
from fmnist.device import autocast, keep_memory, settle_on
from fmnist.errors import InputError
from fmnist.nothing import with_nothing
from fmnist.recipes import Recipe
from fmnist.training import parallel
from fmnist.training.averaging import ema_decay, follow
from fmnist.training.cuda_graphs import Captured
from fmnist.training.losses import Targets, classification_loss, embedding_loss, soft_targets
from fmnist.training.metric_learning import Embedded
from fmnist.training.optimization import forget, freeze_idle_biases, optimizers, restore
from fmnist.training.teachers import Teachers

VARIANTS = 64  # of networks, sizes of images, rates of dropout and kinds of loss in one process


@dataclass
class Training:
    """All that changes while a network is trained; the state of a resumed run is exactly this."""

    model: nn.Module
    network: nn.Module  # what a step moves: the model, or more around it
    # What a step asks, and of which network: the one or the other is compiled, or neither.
    assess: Callable[..., tuple[Tensor, Tensor]]
    forward: Callable[..., Any]
    average: AveragedModel | None
    optimizers: list[torch.optim.Optimizer]
    recipe: Recipe
    epochs: int
    seed: int
    teachers: Teachers | None = None
    compiled: bool = False
    epoch: int = 0  # epochs done
    captured: Captured | None = None

    def weights(self) -> nn.Module:
        """The network to evaluate and to ship: the averaged one where the recipe averages."""
        return self.average.module if self.average is not None else self.model

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": _inner(self.network).state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "epoch": self.epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        _inner(self.network).load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for optimizer, values in zip(self.optimizers, state["optimizers"], strict=True):
            restore(optimizer, values)
        self.epoch = state["epoch"]
        freeze_idle_biases(self.model)  # of a run that began before they were zero

    def begin_anew(self, fresh: nn.Module, seed: int) -> None:
        """Start over with these weights and this seed, in the memory and CUDA graphs of this."""
        freeze_idle_biases(fresh)
        _inner(self.network).load_state_dict(_around(fresh, self.recipe).state_dict())
        if self.average is not None:
            self.average.module.load_state_dict(fresh.state_dict())
            self.average.n_averaged.zero_()
        for optimizer in self.optimizers:
            forget(optimizer)
        if self.teachers:
            self.teachers.forget()
        self.epoch, self.seed = 0, seed


def start(
    model: nn.Module,
    recipe: Recipe,
    epochs: int,
    seed: int,
    teachers: Sequence[nn.Module] = (),
    compiled: bool = False,
    images: int = TRAINING_SIZE,
) -> Training:
    """Put optimizers and averaged weights around a network that is on its device.

    On a GPU the steps are CUDA graphs; `compiled` has torch.compile fuse network and loss.
    `images` is how many there are in an epoch.
    """
    device = next(model.parameters()).device
    keep_memory()
    settle_on(device)
    model = model.to(memory_format=torch.channels_last)
    freeze_idle_biases(model)
    networks = [teacher.to(memory_format=torch.channels_last) for teacher in teachers]
    asked = Teachers(networks, recipe.temperature, recipe.views) if networks else None
    average = None
    if recipe.ema_decay:
        decay = get_ema_multi_avg_fn(ema_decay(recipe, epochs, images))
        average = AveragedModel(model, multi_avg_fn=decay, use_buffers=True)
    network = _around(model, recipe).to(device)
    moving = optimizers(network, recipe)
    network = parallel.shared(network)
    # Triplets come in numbers that the GPU would have to tell; processes wait for each other.
    is_whole = not recipe.triplet and parallel.world_size() == 1
    assess = _compiled(loss_and_accuracy) if compiled and is_whole else loss_and_accuracy
    forward = _compiled(network) if compiled and not is_whole else network
    training = Training(
        model, network, assess, forward, average, moving, recipe, epochs, seed, asked, compiled
    )
    if device.type == "cuda" and is_whole:
        # A proxy: in a cycle its graphs would keep their memory until Python looks for cycles.
        training.captured = Captured(partial(step, weakref.proxy(training)))
    return training


def _compiled(work: Callable[..., Any]) -> Callable[..., Any]:
    from torch._dynamo import config  # takes seconds

    # Trainings share code, and torch would compile no more than eight variants of that.
    config.recompile_limit = VARIANTS
    done: Callable[..., Any] = torch.compile(work, dynamic=False)
    return done


def _around(model: nn.Module, recipe: Recipe) -> nn.Module:
    """What a step moves: triplets need more than the answers of the model."""
    return Embedded(model) if recipe.triplet else model


def _inner(network: nn.Module) -> nn.Module:
    """Without what shares the gradients between processes."""
    inner: nn.Module = getattr(network, "module", network)
    return inner


def loss_and_accuracy(
    network: Callable[..., Any],
    recipe: Recipe,
    images: Float[Tensor, "batch 1 h w"],
    targets: Targets,
    taught: Float[Tensor, "batch 10"] | None,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Of a step: the loss, in full precision, and the part of the images that is named rightly."""
    answer = network(images)
    with torch.autocast(images.device.type, enabled=False):
        logits, embedding = answer if recipe.triplet else (answer, None)
        logits = logits.float()
        if recipe.nothing:
            logits = with_nothing(logits)
            targets = soft_targets(logits, targets)
        loss = classification_loss(recipe, logits, targets, taught)
        loss = loss + embedding_loss(recipe, embedding, targets)
        shown = targets.argmax(1) if targets.ndim == 2 else targets
        return loss, (logits.argmax(1) == shown).float().mean()


def _assessed(training: Training, *seen: Any) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """`loss_and_accuracy`, compiled or as it is.

    Raises:
        InputError: torch.compile cannot work here.
    """
    if not training.compiled:
        return training.assess(training.forward, training.recipe, *seen)
    from torch._dynamo.exc import ShortenTraceback  # importing it takes seconds

    try:
        return training.assess(training.forward, training.recipe, *seen)
    except ShortenTraceback as error:  # the compiler failed, or there is none for this GPU
        cause = str(error).strip().splitlines()[0]
        raise InputError(
            f"torch.compile does not work here: {cause} Leave it out with --compile off."
        ) from error


def step(
    training: Training,
    images: Float[Tensor, "batch 1 h w"],
    targets: Targets,
    taught: Float[Tensor, "batch 10"] | None,
) -> Float[Tensor, "2"]:
    """Move the weights once; gives loss and accuracy."""
    images = images.contiguous(memory_format=torch.channels_last)
    with autocast(images.device):
        loss, accuracy = _assessed(training, images, targets, taught)
    for optimizer in training.optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in training.optimizers:
        optimizer.step()
    if training.average is not None:
        follow(training.average, training.model)
    return torch.stack([loss.detach(), accuracy])
