"""How long it takes to train a network to a test accuracy.

The rules, so that others can enter, are in docs/results.md, "Against the clock".
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from fmnist.cards import Facts, read_json, write_json
from fmnist.data import Split, load, load_splits
from fmnist.device import wait_for
from fmnist.errors import InputError, NotFinite
from fmnist.evaluation import from_logits, predict_logits
from fmnist.models import build
from fmnist.recipes import Recipe
from fmnist.training.cuda_graphs import WARM_UP
from fmnist.training.epoch import train_one_epoch
from fmnist.training.step import Training, start

LEAST_RUNS = {"cpu": 3, "cuda": 20}


def images(folder: Path, rehearsal: bool) -> tuple[Split, Split]:
    """What is learnt from, and what judges: all training images and the test set, or both parts of
    the training images.
    """
    if rehearsal:
        learnt, validation, _ = load_splits(folder)
        return learnt, validation
    return load(folder, "train"), load(folder, "test")


def run(
    model: str, state: Training, training: Split, judge: Split, seed: int
) -> dict[str, float | int]:
    """One run on the device of the splits: its seconds and its accuracy (0..1).

    It begins anew in the memory of `state`, which `warm_up` made for that network.
    """
    wait_for(training.images.device)
    before = time.perf_counter()
    torch.manual_seed(seed)
    with training.images.device:  # which draws the first weights faster than it is sent them
        fresh = build(model, state.recipe.dropout)
    state.begin_anew(fresh, seed)
    for _ in range(state.epochs):
        train_one_epoch(state, training)
    logits = predict_logits(state.weights(), judge.images)
    wait_for(training.images.device)
    seconds = time.perf_counter() - before
    accuracy = from_logits(logits, judge.labels).accuracy
    return {"seed": seed, "seconds": seconds, "accuracy": accuracy}


def entry_of(model: str, recipe: Recipe, compiled: bool, rehearsal: bool, facts: Facts) -> Facts:
    """What all runs of an entry share: network, schedule, code and machine, however busy it was."""
    machine = {key: value for key, value in facts["machine"].items() if key != "load"}
    return {
        "model": model,
        "recipe": {k: v for k, v in recipe.to_dict().items() if k != "held_out"},
        "compiled": compiled,
        "rehearsal": rehearsal,
        "machine": machine,
        "commit": facts["commit"],
    }


def kept_run(
    file: Path, entry: Facts, state: Training, training: Split, judge: Split, seed: int
) -> Facts:
    """The run of a seed out of its file, or a new one, which is kept there.

    Raises:
        InputError: the file is of another entry.
        NotFinite: and nothing is kept.
    """
    if not file.exists():
        try:
            done = run(entry["model"], state, training, judge, seed)
        except NotFinite as error:
            raise NotFinite(f"Seed {seed}: {error}") from error
        write_json(file, {**entry, **done})
    found = read_json(file)
    if any(found.get(key) != value for key, value in entry.items()):
        raise InputError(f"{file} is of another entry, code or machine. Choose another -o.")
    return {key: found[key] for key in ("seed", "seconds", "accuracy")}


def warm_up(
    model: str, recipe: Recipe, training: Split, judge: Split, compiled: bool = False
) -> tuple[Training, float]:
    """Train some batches of each size and predict, outside of the clock.

    Returns a training to begin anew, and the seconds that this took.
    """
    before = time.perf_counter()
    some = training.select(slice((WARM_UP + 1) * recipe.batch_size))
    network = build(model, recipe.dropout).to(training.images.device)
    state = start(network, recipe, recipe.epochs, 0, compiled=compiled, images=len(training.images))
    for size in sorted({size for _, size in recipe.sizes}):
        state.recipe = replace(recipe, sizes=((1.0, size),))
        state.epoch = 0
        train_one_epoch(state, some)
    state.recipe = recipe
    predict_logits(state.weights(), judge.images)
    wait_for(training.images.device)
    return state, time.perf_counter() - before


def summary(
    runs: Sequence[dict[str, Any]], target: float, device: torch.device, rehearsal: bool = False
) -> dict[str, Any]:
    """Means over the runs, whether the target (0..1) was reached, and whether they are an entry."""
    least = LEAST_RUNS[device.type]
    accuracies = [each["accuracy"] for each in runs]
    seconds = [each["seconds"] for each in runs]
    return {
        "n": len(runs),
        "target": target,
        "mean_accuracy": statistics.fmean(accuracies),
        "sd_accuracy": statistics.stdev(accuracies) if len(runs) > 1 else None,
        "mean_seconds": statistics.fmean(seconds),
        "least_runs": least,
        "is_entry": len(runs) >= least and not rehearsal,
        "rehearsal": rehearsal,
        "reached": round(statistics.fmean(accuracies), 9) >= round(target, 9),
        "runs": list(runs),
    }


def in_words(whole: Facts) -> str:
    """A summary as a line."""
    word = "reached" if whole["reached"] else "not reached"
    line = (
        f"mean {whole['mean_accuracy']:.2%} of {whole['n']} runs in {whole['mean_seconds']:.2f} s; "
        f"{100 * whole['target']:.2f} % {word}"
    )
    if whole["rehearsal"]:
        return f"{line} (a rehearsal, on validation images)"
    few = f" (an entry has {whole['least_runs']} runs or more)"
    return line + ("" if whole["is_entry"] else few)
