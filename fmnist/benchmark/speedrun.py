"""How long it takes to train a network to a test accuracy.

The protocol, so that others can enter:

- The 60,000 training images lie on the device as bytes; nothing else is prepared.
- The clock runs from there to the last of 10,000 test predictions: augmentation, initialisation,
  training and averaging are in it. Warming up (and compiling, if any) is not, and told beside it.
- The schedule is fixed before the first run; nothing is chosen by the test set; no network is
  asked twice about an image (no test-time augmentation).
- A target counts as reached when the mean accuracy over all seeds, 0 to n - 1, reaches it. The
  time is the mean over the same runs; n is 20 or more on a GPU, 3 or more on a CPU.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from fmnist.data import Split
from fmnist.evaluation import from_logits, predict_logits
from fmnist.models import build
from fmnist.recipes import Recipe
from fmnist.training import start, train_one_epoch


def run(
    model: str, recipe: Recipe, training: Split, test: Split, seed: int
) -> dict[str, float | int]:
    """One run on the device of the splits: its seconds and its accuracy (0..1)."""
    _settled(training)
    before = time.perf_counter()
    torch.manual_seed(seed)
    network = build(model, recipe.dropout).to(training.images.device)
    state = start(network, recipe, recipe.epochs, seed)
    for _ in range(recipe.epochs):
        train_one_epoch(state, training)
    logits = predict_logits(state.weights(), test.images)
    _settled(training)
    seconds = time.perf_counter() - before
    return {"seed": seed, "seconds": seconds, "accuracy": from_logits(logits, test.labels).accuracy}


def warm_up(model: str, recipe: Recipe, training: Split, test: Split) -> float:
    """Train two batches of each size and predict, outside of the clock; its seconds."""
    before = time.perf_counter()
    some = training.select(slice(2 * recipe.batch_size))
    for size in {size for _, size in recipe.sizes}:
        short = replace(recipe, epochs=1, sizes=((1.0, size),))
        run(model, short, some, test.select(slice(256)), 0)
    return time.perf_counter() - before


def summary(runs: Sequence[dict[str, Any]], target: float) -> dict[str, Any]:
    """Means over the runs, and whether the target (0..1) was reached."""
    accuracies = [each["accuracy"] for each in runs]
    seconds = [each["seconds"] for each in runs]
    return {
        "n": len(runs),
        "target": target,
        "mean_accuracy": statistics.fmean(accuracies),
        "sd_accuracy": statistics.stdev(accuracies) if len(runs) > 1 else None,
        "mean_seconds": statistics.fmean(seconds),
        "reached": statistics.fmean(accuracies) >= target,
        "runs": list(runs),
    }


def _settled(split: Split) -> None:
    """Wait until a GPU is done."""
    if split.images.device.type == "cuda":
        torch.cuda.synchronize(split.images.device)
