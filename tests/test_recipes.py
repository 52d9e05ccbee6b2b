"""Recipes are plain numbers that survive JSON."""

import json

import pytest

from fmnist.models import MODELS
from fmnist.recipes import RECIPES, Recipe, recipe_for


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
