"""The training step and the epoch. Data lives on the device; a step augments its own batch."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist import parallel
from fmnist.augment import crop_flip, cutmix, listing1, random_erasing, resize
from fmnist.data import Split
from fmnist.device import autocast, keep_memory
from fmnist.losses import Targets, answers_loss, opinion, places_loss, shares, told
from fmnist.metric_learning import Embedded
from fmnist.nothing import with_nothing
from fmnist.optimization import image_size, optimizers, rate_factor, set_rate
from fmnist.recipes import Recipe


class NotFinite(ArithmeticError):
    """The loss became NaN or infinite."""


@dataclass
class Training:
    """All that changes while a network is trained; the state of a resumed run is exactly this."""

    model: nn.Module
    network: nn.Module  # what a step runs: the model, or more around it
    average: AveragedModel | None
    optimizers: list[torch.optim.Optimizer]
    recipe: Recipe
    epochs: int
    seed: int
    teachers: Sequence[nn.Module] = ()
    epoch: int = 0  # epochs done
    # What the teachers said, by view and step. Not in the state: asked again, they say the same.
    answers: dict[int, list[Tensor]] = field(default_factory=dict)

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
            optimizer.load_state_dict(values)
        self.epoch = state["epoch"]


def start(
    model: nn.Module, recipe: Recipe, epochs: int, seed: int, teachers: Sequence[nn.Module] = ()
) -> Training:
    """Put optimizers and averaged weights around a network that is on its device."""
    keep_memory()
    model = model.to(memory_format=torch.channels_last)
    teachers = [teacher.to(memory_format=torch.channels_last) for teacher in teachers]
    average = None
    if recipe.ema_decay:
        decay = get_ema_multi_avg_fn(recipe.ema_decay)
        average = AveragedModel(model, multi_avg_fn=decay, use_buffers=True)
    network = Embedded(model).to(next(model.parameters()).device) if recipe.triplet else model
    moving = optimizers(network, recipe)
    network = parallel.shared(network)
    return Training(model, network, average, moving, recipe, epochs, seed, teachers)


def _inner(network: nn.Module) -> nn.Module:
    """Without what shares the gradients between processes."""
    inner: nn.Module = getattr(network, "module", network)
    return inner


def epoch_generator(seed: int, epoch: int, device: torch.device, views: int = 0) -> Generator:
    """The randomness of one epoch; it depends on nothing else, so that a run can be resumed.

    With `views` what is seen, and in which order, repeats after so many epochs. Dropout and
    triplets draw from the global generator, never the same, and in every process something else.
    """
    number = seed * 100_003 + epoch
    torch.manual_seed(number + 1_000_003_000 * parallel.rank())
    return Generator(device).manual_seed(seed * 100_003 + epoch % views if views else number)


def view(
    recipe: Recipe,
    images: UInt8[Tensor, "batch 28 28"],
    labels: Int64[Tensor, " batch"],
    generator: Generator,
) -> tuple[Float[Tensor, "batch 1 28 28"], Targets]:
    """A batch as the recipe wants it seen, in 0..1, and what it shows."""
    batch = images.unsqueeze(1).float() / 255
    if recipe.augmentation == "listing1":
        batch = listing1(batch, generator)
    else:
        batch = crop_flip(batch, generator, recipe.pad)
    if recipe.erasing:
        batch = random_erasing(batch, generator, recipe.erasing)
    return (
        cutmix(batch, shares(labels), generator, recipe.cutmix)
        if recipe.cutmix
        else (
            batch,
            labels,
        )
    )


def train_one_epoch(
    training: Training, split: Split, on_step: Callable[[int, int], None] = lambda done, all: None
) -> dict[str, float]:
    """One pass in random order; the incomplete last batch is left out.

    `on_step` is called after each step with the steps done and the steps of an epoch.

    Returns the mean training loss and accuracy on the augmented images, and the last rate.

    Raises:
        NotFinite: the loss is NaN or infinite; looked at once, after the epoch's last step.
    """
    recipe = training.recipe
    device = split.images.device
    generator = epoch_generator(training.seed, training.epoch, device, recipe.views)
    batch_size = min(recipe.batch_size, len(split))
    batches = torch.randperm(len(split), generator=generator, device=device).split(batch_size)
    batches = batches[: len(split) // batch_size]
    totals = torch.zeros(2, device=device)
    factor = 1.0
    training.network.train()
    for step, index in enumerate(batches):
        progress = (training.epoch + step / len(batches)) / training.epochs
        factor = rate_factor(recipe, progress)
        set_rate(training.optimizers, factor)
        images, targets = view(recipe, split.images[index], split.labels[index], generator)
        images, targets = parallel.share(images), parallel.share(targets)
        # Teachers look at the same view in full, while the student may begin with smaller ones.
        taught = _taught(training, step, images)
        images = resize(images, image_size(recipe, progress))
        totals += _step(training, images, targets, taught)
        on_step(step + 1, len(batches))
    training.epoch += 1
    mean_loss, accuracy = (parallel.mean(totals) / len(batches)).tolist()
    if not math.isfinite(mean_loss):
        raise NotFinite(f"the training loss is {mean_loss} in epoch {training.epoch}")
    rate = recipe.learning_rate * factor
    return {"lr": rate, "train_loss": mean_loss, "train_accuracy": accuracy}


def _step(
    training: Training,
    images: Float[Tensor, "batch 1 h w"],
    targets: Targets,
    taught: Float[Tensor, "batch 10"] | None,
) -> Float[Tensor, "2"]:
    """Move the weights once; gives loss and accuracy."""
    recipe = training.recipe
    images = images.contiguous(memory_format=torch.channels_last)
    with autocast(images.device):
        answer = training.network(images)
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
        training.average.update_parameters(training.model)
    shown = targets.argmax(1) if targets.ndim == 2 else targets
    return torch.stack([loss.detach(), (logits.argmax(1) == shown).float().mean()])


def _taught(
    training: Training, step: int, images: Float[Tensor, "batch 1 28 28"]
) -> Float[Tensor, "batch 10"] | None:
    """What the teachers think of the images of a step; of a view that comes again: thought."""
    recipe = training.recipe
    if not training.teachers:
        return None
    of_view = training.epoch % recipe.views if recipe.views else 0
    said = training.answers.setdefault(of_view, [])
    if step < len(said):
        return said[step]
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), autocast(images.device):
        logits = [teacher(images).float() for teacher in training.teachers]
    taught = opinion(logits, recipe.temperature)
    if recipe.views:
        said.append(taught)
    return taught
