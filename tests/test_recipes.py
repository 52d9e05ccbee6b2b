"""Recipes are plain numbers that survive JSON."""

import json
from dataclasses import replace

import pytest

from fmnist.choices import MOST_EPOCHS, check_search, recipe_for, usual_search
from fmnist.errors import InputError
from fmnist.models import MODELS
from fmnist.recipes import RECIPES, Recipe
from fmnist.training.settings import LARGEST_SEED, plan


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
    ("change", "told"),
    [
        ("batch_size=0", "from 2 to 60000"),
        ("learning_rate=nan", "a number from 0 up"),
        ("learning_rate=-1", "a number from 0 up"),
        ("weight_decay=inf", "a number from 0 up"),
        ("dropout=3", "from 0 to 2"),
        ("erasing=1.5", "from 0 to 1"),
        ("temperature=0", "from 0.01 to 1000"),
        ("optimizer=adm", "Did you mean adam"),
        ("schedule=", "no such schedule"),
        ("crops=-1", "a number from 0 up"),
        ("epochs=0", "from 1 to 100000"),
        ("epochs=2.5", "a whole number"),
        ("held_out=5", "from 10 to 5000"),
        ("held_out=6000", "from 10 to 5000"),
        ("sizes=28", "no such part of a recipe"),
        ("dropout", "Write it as dropout=0.1"),
    ],
)
def test_a_change_that_cannot_be_trained_is_told(change: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        recipe_for("best", "vgg", [change])


@pytest.mark.parametrize(
    ("recipe", "changes", "told"),
    [
        ("report", ["optimizer=muon"], "Muon has a rate of its own"),
        ("crops", ["cutmix=0.5"], "neither mixed nor taught"),
        ("crops", ["distill=0.5"], "neither mixed nor taught"),
        ("crops", ["photo_crops=10", "nothing=0"], "go with those of painted frames"),
        ("best", ["photo_crops=10"], "go with those of painted frames"),
        ("best", ["nothing=0.5"], "a share of the crops"),
        ("report", ["weight_decay=0.1"], "adam has no weight_decay"),
        ("best", ["optimizer=sgd", "filter_learning_rate=0.1"], "sgd has no filter_learning_rate"),
        ("crops", ["held_out=500"], "Leave out held_out"),
        ("crops", ["seconds=60"], "Leave out seconds"),
        ("report", ["warmup=0.2"], "read beside a schedule"),
        ("report", ["pad=3"], "read beside the augmentation crop"),
        ("best", ["temperature=3"], "read beside teachers"),
    ],
)
def test_numbers_that_exclude_each_other_are_told(
    recipe: str, changes: list[str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        recipe_for(recipe, "vgg", changes)


def test_a_schedule_can_be_shorter() -> None:
    assert recipe_for("best", "vgg", ["epochs=3"]) == replace(recipe_for("best", "vgg"), epochs=3)


@pytest.mark.parametrize("model", MODELS)
def test_every_network_has_something_to_search(model: str) -> None:
    check_search(model, recipe_for("best", model), usual_search(model))


def test_a_search_needs_something_that_moves() -> None:
    check_search("vgg", recipe_for("best", "vgg"), ["learning_rate", "erasing"])
    with pytest.raises(InputError, match="Nothing is searched"):
        check_search("vgg", recipe_for("best", "vgg"), [])
    with pytest.raises(InputError, match="weight_decay is 0"):
        check_search("vgg", recipe_for("best", "vgg", ["weight_decay=0"]), ["weight_decay"])
    with pytest.raises(InputError, match="adam has no weight_decay"):
        check_search("vgg", recipe_for("report", "vgg"), ["weight_decay"])
    for recipe in ("distill", "crops"):
        with pytest.raises(InputError, match="no part in a search"):
            check_search("vgg", recipe_for(recipe, "vgg"), ["dropout"])


def test_no_run_is_planned_that_could_not_be_resumed() -> None:
    assert plan("lenet", "report", MOST_EPOCHS, LARGEST_SEED).epochs == MOST_EPOCHS
    for epochs, seed in ((MOST_EPOCHS + 1, 0), (1, LARGEST_SEED + 1)):
        with pytest.raises(ValueError, match="No run has so many epochs"):
            plan("lenet", "report", epochs, seed)
