"""An epoch: every image once, in random order and in a new view. Data lives on the device."""

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Generator, Tensor

from fmnist.augment import crop_flip, cutmix, listing1, random_erasing, resize
from fmnist.data import Split
from fmnist.errors import NotFinite
from fmnist.recipes import Recipe
from fmnist.training import parallel
from fmnist.training.losses import Targets, one_hot
from fmnist.training.optimization import rate_factor, set_rate, side_at
from fmnist.training.step import Training, step

# Images that a GPU augments at once: enough for its cores, few enough for its cache.
SEEN_AT_ONCE = 8192
Seen = tuple[Float[Tensor, "batch 1 h w"], Targets, Float[Tensor, "batch 10"] | None]


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
    if recipe.cutmix:
        return cutmix(batch, one_hot(labels), generator, recipe.cutmix)
    return batch, labels


def train_one_epoch(
    training: Training, split: Split, on_step: Callable[[int, int], None] = lambda done, all: None
) -> dict[str, float]:
    """One pass over a split, which is not empty, in random order; the incomplete last batch is
    left out.

    `on_step` is called after each step with the steps done and the steps of an epoch.

    Returns the mean training loss and accuracy on the augmented images, and the last rate.

    Raises:
        NotFinite: the loss is NaN or infinite; looked at once, after the epoch's last step.
    """
    recipe = training.recipe
    device = split.images.device
    count = len(split) // min(recipe.batch_size, len(split))
    totals = torch.zeros(2, device=device)
    factor = 1.0
    training.network.train()
    for done, seen in enumerate(_views(training, split, count)):
        factor = rate_factor(recipe, (training.epoch + done / count) / training.epochs)
        set_rate(training.optimizers, factor)
        totals += _moved(training, seen, is_first=not training.epoch and not done)
        on_step(done + 1, count)
    training.epoch += 1
    mean_loss, accuracy = (parallel.mean(totals) / count).tolist()
    if not math.isfinite(mean_loss):
        raise NotFinite(
            f"The training loss is {mean_loss} in epoch {training.epoch}. "
            "Train with smaller rates, or another seed."
        )
    rate = recipe.learning_rate * factor
    return {"lr": rate, "train_loss": mean_loss, "train_accuracy": accuracy}


def _views(training: Training, split: Split, count: int) -> Iterator[Seen]:
    """The `count` batches of an epoch: images as the student sees them, targets, the teachers'
    answers. A GPU makes several at once, whose size is that of the first.
    """
    recipe, device = training.recipe, split.images.device
    generator = epoch_generator(training.seed, training.epoch, device, recipe.views)
    size = min(recipe.batch_size, len(split))
    order = torch.randperm(len(split), generator=generator, device=device)[: size * count]
    at_once, share = batches_at_once(size, device), size // parallel.world_size()
    for number, index in enumerate(order.split(at_once * size)):
        images, targets = view(recipe, split.images[index], split.labels[index], generator)
        images, targets = parallel.shard(images), parallel.shard(targets)
        taught = None
        if training.teachers:  # they look in full, while the student may begin with smaller ones
            first = number * at_once * share
            taught = training.teachers(training.epoch, first, share * count, images)
        progress = (training.epoch + number * at_once / count) / training.epochs
        images = resize(images, side_at(recipe, progress))
        answers = taught.split(share) if taught is not None else [None] * at_once
        yield from zip(images.split(share), targets.split(share), answers, strict=False)


def batches_at_once(size: int, device: torch.device) -> int:
    """How many batches of a size are augmented together: a processor's cache holds one."""
    return max(1, SEEN_AT_ONCE // size) if device.type == "cuda" else 1


def _moved(training: Training, seen: Seen, is_first: bool) -> Float[Tensor, "2"]:
    """The step, on a GPU as a graph.

    The first step of a training begins its averages, which a graph cannot; where one begins anew
    the graphs are there already.
    """
    if training.captured is None:
        return step(training, *seen)
    return training.captured.as_it_is(*seen) if is_first else training.captured(*seen)
