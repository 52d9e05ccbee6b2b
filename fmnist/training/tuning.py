"""Search for the numbers of a recipe, on the validation images alone."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fmnist.atomic import named_in_errors
from fmnist.checks import made
from fmnist.choices import RELATIVE, SEARCHED
from fmnist.data import Split
from fmnist.errors import InputError, NotFinite
from fmnist.models import build
from fmnist.recipes import Recipe
from fmnist.training.epoch import train_one_epoch
from fmnist.training.runs import evaluate
from fmnist.training.step import start

LOG, LINE = "trials.log", b'{"op_code"'  # how each of its lines begins
COMPLETE = optuna.trial.TrialState.COMPLETE
ENDED = (COMPLETE, optuna.trial.TrialState.PRUNED)


def search(
    model: str,
    recipe: Recipe,
    epochs: int,
    trials: int,
    splits: tuple[Split, Split],
    folder: Path,
    device: torch.device,
    names: tuple[str, ...],
    say: Callable[[str], None],
) -> optuna.Study:
    """Go on with the search in `folder` until it has so many finished trials, or begin it.

    A trial trains for `epochs` and is given up where its validation accuracy lies below the median
    of the others at the same epoch, from its second one on and after five trials. The first trial
    is the recipe as it is. Other numbers of the recipe, other `names`, epochs or images are another
    search, which may lie in the same folder.

    Args:
        splits: training and validation; the test images have no part in it.
        names: what is searched, of `SEARCHED`.
    """
    training, validation = (split.to(device) for split in splits)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made(folder)
    length = f"{epochs} epochs of {len(training)} images"
    name = f"{model}, {', '.join(names)}, {length}, {_digest(recipe)}"
    first = {name: _now(recipe, name) for name in names}
    with _telling_of_a_full_disk(folder / LOG):
        study = _study(folder / LOG, name, first)

    def objective(trial: optuna.Trial) -> float:
        tried = tried_recipe(trial, recipe, names)
        torch.manual_seed(0)
        network = build(model, tried.dropout).to(device)
        state = start(network, tried, epochs, 0, images=len(training))
        accuracy = 0.0
        for epoch in range(epochs):
            try:
                train_one_epoch(state, training)
                accuracy = evaluate(state, validation).accuracy
            except NotFinite as error:
                raise optuna.TrialPruned from error
            trial.report(accuracy, epoch)
            if trial.should_prune() and epoch + 1 < epochs:
                raise optuna.TrialPruned
        return accuracy

    def tell(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        say(f"trial {trial.number}: {outcome(trial)}  {changes_of(trial, recipe)}")

    left = trials - len(study.get_trials(states=ENDED))
    if left > 0:
        with _telling_of_a_full_disk(folder / LOG):
            study.optimize(objective, n_trials=left, callbacks=[tell])
    if not study.get_trials(states=(COMPLETE,)):
        raise InputError("No trial came to its end. Give more --trials, or another recipe.")
    return study


@contextmanager
def _telling_of_a_full_disk(log: Path) -> Iterator[None]:
    """Optuna's journal fails an assertion of its own where a line could not be written whole."""
    try:
        with named_in_errors(log):
            yield
    except AssertionError as error:
        if log.read_bytes().endswith(b"\n"):
            raise
        raise InputError(
            f"{log} could not be written. Free space; then the same command goes on."
        ) from error


def _without_half_a_line(log: Path) -> None:
    """What a full disk or a kill cut off goes: Optuna would write behind it, and read neither."""
    if log.is_file():
        content = log.read_bytes()
        whole = content.rfind(b"\n") + 1
        if content[whole:] and content[whole:].startswith(LINE[: len(content) - whole]):
            os.truncate(log, whole)


def _study(log: Path, name: str, first: dict[str, float]) -> optuna.Study:
    """The one of that name in the log, or a new one, which begins with the trial `first`."""
    try:
        _without_half_a_line(log)
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(log))),
            study_name=name,
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_warmup_steps=1),
        )
        if not study.get_trials(states=(*ENDED, optuna.trial.TrialState.WAITING)):
            study.enqueue_trial(first)
    except (ValueError, LookupError, TypeError, AssertionError) as error:
        raise InputError(f"{log} is damaged. Begin a new search with another -o.") from error
    # With the seed of its beginning a search that goes on would suggest the same once more.
    study.sampler = optuna.samplers.TPESampler(seed=len(study.trials))
    return study


def _digest(recipe: Recipe) -> str:
    return hashlib.sha256(json.dumps(recipe.to_dict(), sort_keys=True).encode()).hexdigest()[:12]


def tried_recipe(trial: optuna.trial.BaseTrial, recipe: Recipe, names: tuple[str, ...]) -> Recipe:
    """The recipe with what the trial suggests."""
    values: dict[str, Any] = {}
    for name in names:
        low, high, by_logarithm = SEARCHED[name]
        value = trial.suggest_float(name, low, high, log=by_logarithm)
        values[name] = _absolute(recipe, name, value)
    return replace(recipe, **values)


def outcome(trial: optuna.trial.FrozenTrial) -> str:
    """Its validation accuracy, or that it was given up."""
    return f"{trial.value:.4f}" if trial.state == COMPLETE else "given up"


def changes_of(trial: optuna.trial.FrozenTrial, recipe: Recipe) -> str:
    """The trial as options of `fmnist train`."""
    values = {name: _absolute(recipe, name, value) for name, value in trial.params.items()}
    return " ".join(f"--set {name}={value:.4g}" for name, value in values.items())


def _absolute(recipe: Recipe, name: str, value: float) -> float:
    return value * float(getattr(recipe, name)) if name in RELATIVE else value


def _now(recipe: Recipe, name: str) -> float:
    return 1.0 if name in RELATIVE else float(getattr(recipe, name))
