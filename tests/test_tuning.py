"""The search goes on where it was, begins with the recipe itself, and never sees a test image."""

import json
import resource
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FixedTrial, TrialState, create_trial

from fmnist.choices import RELATIVE, SEARCHED, recipe_for
from fmnist.data import Split, hold_out
from fmnist.errors import InputError
from fmnist.recipes import Recipe
from fmnist.training.tuning import changes_of, outcome, search, tried_recipe

RECIPE = recipe_for("best", "lenet", ["batch_size=16"])
LONG = recipe_for("best", "lenet", ["batch_size=16", "epochs=100"])


def searched(splits: tuple[Split, Split], folder: Path, trials: int) -> list[str]:
    told: list[str] = []
    names = ("learning_rate", "dropout")
    cpu = torch.device("cpu")
    study = search("lenet", RECIPE, 1, trials, splits, folder, cpu, names, told.append)
    assert len(study.trials) == trials
    assert study.best_value == max(trial.value or 0 for trial in study.trials)
    return told


def test_a_search_goes_on_and_begins_with_the_recipe(tiny_split: Split, tmp_path: Path) -> None:
    splits = hold_out(tiny_split, 20)
    first = searched(splits, tmp_path, 2)
    assert first[0].endswith("--set learning_rate=0.003 --set dropout=0.1")
    assert len(first) == 2
    assert len(searched(splits, tmp_path, 3)) == 1, "two of three were done"
    assert searched(splits, tmp_path, 3) == []


def test_a_search_that_goes_on_suggests_something_new(tiny_split: Split, tmp_path: Path) -> None:
    splits = hold_out(tiny_split, 20)
    told = [*searched(splits, tmp_path, 3), *searched(splits, tmp_path, 5)]
    tried = [line.partition("--set")[2] for line in told]
    assert len(set(tried)) == len(tried) == 5


def test_another_search_in_the_same_folder_begins_anew(tiny_split: Split, tmp_path: Path) -> None:
    splits = hold_out(tiny_split, 20)
    cpu = torch.device("cpu")
    for recipe, names in ((RECIPE, ("dropout",)), (RECIPE, ("erasing",)), (LONG, ("erasing",))):
        told: list[str] = []
        search("lenet", recipe, 1, 1, splits, tmp_path, cpu, names, told.append)
        assert len(told) == 1 and names[0] in told[0]


def test_a_trial_that_was_given_up_has_no_result() -> None:
    for state, told in ((TrialState.COMPLETE, "0.5000"), (TrialState.PRUNED, "given up")):
        assert outcome(create_trial(state=state, value=0.5)) == told


def test_a_damaged_search_is_told(tiny_split: Split, tmp_path: Path) -> None:
    for wrong in ("{damaged\n", '{"a": 1}\n', "[1]\n", "5\n", "my notes", "my\nnotes"):
        (tmp_path / "trials.log").write_text(wrong)
        with pytest.raises(InputError, match="is damaged"):
            searched(hold_out(tiny_split, 20), tmp_path, 1)
        assert (tmp_path / "trials.log").read_text().startswith(wrong)


def test_a_search_goes_on_behind_half_a_line(tiny_split: Split, tmp_path: Path) -> None:
    """As a full disk or a kill leaves it."""
    splits = hold_out(tiny_split, 20)
    searched(splits, tmp_path, 2)
    log = tmp_path / "trials.log"
    whole = log.read_text()
    log.write_text(whole + '{"op_code": 5, "wor')
    assert searched(splits, tmp_path, 2) == []
    assert len(searched(splits, tmp_path, 3)) == 1
    assert log.read_text().startswith(whole) and all(map(json.loads, log.read_text().splitlines()))


def test_a_search_on_a_full_disk_is_told_and_goes_on(tiny_split: Split, tmp_path: Path) -> None:
    splits, names, told = hold_out(tiny_split, 20), ("dropout",), list[str]()
    find = partial(search, "lenet", RECIPE, 1, folder=tmp_path, device=torch.device("cpu"))
    find(trials=1, splits=splits, names=names, say=told.append)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = (tmp_path / "trials.log").stat().st_size + 300
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises((InputError, OSError), match=r"could not be written|File too large"):
            find(trials=9, splits=splits, names=names, say=told.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    study = find(trials=3, splits=splits, names=names, say=told.append)
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    assert len(study.get_trials(states=ended)) == len(told) == 3


def test_everything_that_can_be_searched_is_a_part_of_the_recipe() -> None:
    for name in SEARCHED:
        assert isinstance(getattr(RECIPE, name), float)
        assert replace(RECIPE, **{name: 0.5}) != RECIPE  # type: ignore[arg-type]
    assert set(RELATIVE) < set(SEARCHED)


def test_what_is_told_of_a_trial_is_what_was_tried() -> None:
    names = ("learning_rate", "erasing")
    ranges: dict[str, BaseDistribution] = {
        name: FloatDistribution(*SEARCHED[name][:2], log=SEARCHED[name][2]) for name in names
    }
    found = {"learning_rate": 2.0, "erasing": 0.4}  # the rate: times that of the recipe
    trial = create_trial(params=found, distributions=ranges, value=0.5)
    words = changes_of(trial, RECIPE).replace("--set ", "").split()
    told = recipe_for("best", "lenet", words)
    assert told.learning_rate == pytest.approx(2 * RECIPE.learning_rate, rel=1e-3)
    tried = tried_recipe(FixedTrial(found), RECIPE, names)
    assert tried.learning_rate == pytest.approx(told.learning_rate, rel=1e-3)
    assert tried.erasing == told.erasing == 0.4


def test_what_was_found_can_be_trained(tiny_split: Split, tmp_path: Path) -> None:
    splits = hold_out(tiny_split, 20)
    cpu = torch.device("cpu")
    found = search("lenet", RECIPE, 1, 1, splits, tmp_path, cpu, ("erasing",), lambda _: None)
    words = changes_of(found.best_trial, RECIPE).replace("--set ", "").split()
    changed = recipe_for("best", "lenet", words)
    assert isinstance(changed, Recipe) and changed.erasing == RECIPE.erasing > 0
