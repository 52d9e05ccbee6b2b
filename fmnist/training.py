"""The training step and the epoch. Data lives on the device; a step augments its own batch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist.augment import crop_flip, listing1, random_erasing, resize
from fmnist.data import Split
from fmnist.device import autocast
from fmnist.muon import Muon
from fmnist.nothing import with_nothing
from fmnist.recipes import Recipe


class NotFinite(ArithmeticError):
    """The loss became NaN or infinite."""


@dataclass
class Training:
    """All that changes while a network is trained; the state of a resumed run is exactly this."""

    model: nn.Module
    average: AveragedModel | None
    optimizers: list[torch.optim.Optimizer]
    recipe: Recipe
    epochs: int
    seed: int
    epoch: int = 0  # epochs done

    def weights(self) -> nn.Module:
        """The network to evaluate and to ship: the averaged one where the recipe averages."""
        return self.average.module if self.average is not None else self.model

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "epoch": self.epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for optimizer, values in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.epoch = state["epoch"]


def start(model: nn.Module, recipe: Recipe, epochs: int, seed: int) -> Training:
    """Put optimizers and averaged weights around a network that is on its device."""
    model = model.to(memory_format=torch.channels_last)
    average = None
    if recipe.ema_decay:
        decay = get_ema_multi_avg_fn(recipe.ema_decay)
        average = AveragedModel(model, multi_avg_fn=decay, use_buffers=True)
    return Training(model, average, _optimizers(model, recipe), recipe, epochs, seed)


def _optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    if recipe.optimizer == "adam":
        return [torch.optim.Adam(model.parameters(), recipe.learning_rate)]
    filters = [p for p in model.parameters() if p.ndim == 4 and recipe.optimizer == "muon"]
    taken = {id(p) for p in filters}
    rest = [p for p in model.parameters() if id(p) not in taken]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, recipe.learning_rate)]
    if filters:
        optimizers.append(Muon(filters, recipe.filter_learning_rate))
    return optimizers


def rate_factor(recipe: Recipe, progress: float) -> float:
    """The learning rate as a fraction of its peak; `progress` in 0..1 over all steps."""
    if recipe.schedule == "constant":
        return 1.0
    if progress < recipe.warmup:
        return 0.05 + 0.95 * progress / recipe.warmup
    return (1 - progress) / (1 - recipe.warmup)


def image_size(recipe: Recipe, progress: float) -> int:
    """The edge length of the training images at this point of the schedule."""
    return next((size for until, size in recipe.sizes if progress < until), recipe.sizes[-1][1])


def epoch_generator(seed: int, epoch: int, device: torch.device) -> Generator:
    """The randomness of one epoch; it depends on nothing else, so that a run can be resumed."""
    torch.manual_seed(seed * 100_003 + epoch)  # dropout draws from the global generator
    return Generator(device).manual_seed(seed * 100_003 + epoch)


def augment(
    recipe: Recipe, images: UInt8[Tensor, "batch 28 28"], generator: Generator
) -> Float[Tensor, "batch 1 28 28"]:
    """A batch as the recipe wants it seen, in 0..1."""
    batch = images.unsqueeze(1).float() / 255
    if recipe.augmentation == "listing1":
        batch = listing1(batch, generator)
    else:
        batch = crop_flip(batch, generator)
    return random_erasing(batch, generator, recipe.erasing) if recipe.erasing else batch


def train_one_epoch(
    training: Training, split: Split, on_step: Callable[[int, int], None] = lambda done, all: None
) -> dict[str, float]:
    """One pass in random order; the incomplete last batch is left out.

    `on_step` is called after each step with the steps done and the steps of an epoch.

    Returns the mean training loss and accuracy on the augmented images, and the last rate.

    Raises:
        NotFinite: the loss is NaN or infinite; looked at once, after the epoch's last step.
    """
    recipe, model = training.recipe, training.model
    device = split.images.device
    generator = epoch_generator(training.seed, training.epoch, device)
    batch_size = min(recipe.batch_size, len(split))
    batches = torch.randperm(len(split), generator=generator, device=device).split(batch_size)
    batches = batches[: len(split) // batch_size]
    peaks = [group["initial_lr"] for group in _groups(training)]
    total_loss = torch.zeros((), device=device)
    total_right = torch.zeros((), device=device)
    factor = 1.0
    model.train()
    for step, index in enumerate(batches):
        progress = (training.epoch + step / len(batches)) / training.epochs
        factor = rate_factor(recipe, progress)
        for group, peak in zip(_groups(training), peaks, strict=True):
            group["lr"] = peak * factor
        images = augment(recipe, split.images[index], generator)
        images = resize(images, image_size(recipe, progress))
        images = images.contiguous(memory_format=torch.channels_last)
        labels = split.labels[index]
        with autocast(device):
            logits = model(images)
        logits = with_nothing(logits.float()) if recipe.nothing else logits.float()
        loss = cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
        for optimizer in training.optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in training.optimizers:
            optimizer.step()
        if training.average is not None:
            training.average.update_parameters(model)
        total_loss += loss.detach()
        total_right += (logits.argmax(1) == labels).sum()
        on_step(step + 1, len(batches))
    training.epoch += 1
    mean_loss = total_loss.item() / len(batches)
    if not math.isfinite(mean_loss):
        raise NotFinite(f"the training loss is {mean_loss} in epoch {training.epoch}")
    accuracy = total_right.item() / (len(batches) * batch_size)
    rate = recipe.learning_rate * factor
    return {"lr": rate, "train_loss": mean_loss, "train_accuracy": accuracy}


def _groups(training: Training) -> list[dict[str, Any]]:
    groups = [group for optimizer in training.optimizers for group in optimizer.param_groups]
    for group in groups:
        group.setdefault("initial_lr", group["lr"])
    return groups
