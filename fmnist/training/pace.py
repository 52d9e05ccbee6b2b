"""How fast a device trains a network, and how many epochs fit into a time."""

import time
from dataclasses import replace

import torch

from fmnist.data import Split
from fmnist.models import build
from fmnist.recipes import Recipe
from fmnist.training.cuda_graphs import WARM_UP
from fmnist.training.epoch import batches_at_once, train_one_epoch
from fmnist.training.optimization import side_at
from fmnist.training.step import start

PASSES = 3  # over a few batches of every size that are counted, after some that warm up


def seconds_an_epoch(model: str, recipe: Recipe, split: Split, compiled: bool = False) -> float:
    """The mean over the schedule, from a few steps of each image size on the split's device.

    It leaves torch's global generator as it was.
    """
    batches = batches_at_once(recipe.batch_size, split.images.device)
    part = split.select(slice(batches * recipe.batch_size))
    batches = max(1, len(part) // recipe.batch_size)
    seconds = {}
    device = split.images.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        network = build(model, recipe.dropout).to(split.images.device)
        training = start(network, recipe, WARM_UP + 1 + PASSES, 0, compiled=compiled)
        for size in {size for _, size in recipe.sizes}:
            training.recipe = replace(recipe, sizes=((1.0, size),))
            training.epoch = 0
            warm_up = WARM_UP + 1 if training.captured else 1
            for _ in range(warm_up):
                train_one_epoch(training, part)
            before = time.perf_counter()
            for _ in range(PASSES):
                train_one_epoch(training, part)  # it ends by reading the loss: all is done then
            seconds[size] = (time.perf_counter() - before) / PASSES / batches
    mean = sum(seconds[side_at(recipe, i / 100)] for i in range(100)) / 100
    return mean * (len(split) // min(recipe.batch_size, len(split)))


def epochs_within(model: str, recipe: Recipe, split: Split, compiled: bool = False) -> int:
    """The whole epochs that fit into the recipe's seconds, at least one."""
    return max(1, int(recipe.seconds / seconds_an_epoch(model, recipe, split, compiled)))
