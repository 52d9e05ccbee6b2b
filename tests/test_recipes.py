"""Recipes are plain numbers that survive JSON."""

import json
from dataclasses import replace

import pytest

from fmnist.choices import check_search, recipe_for
from fmnist.errors import InputError
from fmnist.models import MODELS
from fmnist.recipes import RECIPES, Recipe


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("model", MODELS)
def test_a_recipe_survives_json(name: str, model: str) -> None:
    recipe = recipe_for(name, model)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_report_s_recipe_is_the_report_s() -> None:
    recipe = RECIPES["report"]
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size) == ("adam", 0.002, 128)
    assert (recipe.schedule, recipe.augmentation, recipe.dropout) == ("constant", "listing1", 1.0)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_ends_at_the_full_size(name: str) -> None:
    assert RECIPES[name].sizes[-1] == (1.0, 28)


@pytest.mark.parametrize(
    "change",
    [
        "batch_size=0",
        "learning_rate=nan",
        "learning_rate=-1",
        "weight_decay=inf",
        "dropout=3",
        "erasing=1.5",
        "temperature=0",
        "optimizer=adm",
        "schedule=",
        "crops=-1",
        "epochs=0",
        "epochs=2.5",
        "held_out=5",
        "held_out=6000",
        "sizes=28",
        "dropout",
    ],
)
def test_a_change_that_cannot_be_trained_is_told(change: str) -> None:
    with pytest.raises(InputError):
        recipe_for("best", "vgg", [change])


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("report", ["optimizer=muon"]),
        ("crops", ["cutmix=0.5"]),
        ("crops", ["distill=0.5"]),
        ("crops", ["photo_crops=10", "nothing=0"]),
        ("best", ["photo_crops=10"]),
        ("best", ["nothing=0.5"]),
        ("report", ["weight_decay=0.1"]),
        ("best", ["optimizer=sgd", "filter_learning_rate=0.1"]),
        ("crops", ["held_out=500"]),
        ("crops", ["seconds=60"]),
        ("report", ["warmup=0.2"]),
        ("report", ["pad=3"]),
        ("best", ["temperature=3"]),
    ],
)
def test_numbers_that_exclude_each_other_are_told(recipe: str, changes: list[str]) -> None:
    with pytest.raises(InputError):
        recipe_for(recipe, "vgg", changes)


def test_a_schedule_can_be_shorter() -> None:
    assert recipe_for("best", "vgg", ["epochs=3"]) == replace(recipe_for("best", "vgg"), epochs=3)


def test_a_search_needs_something_that_moves() -> None:
    check_search(recipe_for("best", "vgg"), ["learning_rate", "erasing"])
    with pytest.raises(InputError, match="Nothing is searched"):
        check_search(recipe_for("best", "vgg"), [])
    with pytest.raises(InputError, match="weight_decay is 0"):
        check_search(recipe_for("best", "vgg", ["weight_decay=0"]), ["weight_decay"])
    with pytest.raises(InputError, match="adam has no weight_decay"):
        check_search(recipe_for("report", "vgg"), ["weight_decay"])
    for recipe in ("distill", "crops"):
        with pytest.raises(InputError, match="no part in a search"):
            check_search(recipe_for(recipe, "vgg"), ["dropout"])
