"""What a user chooses: a recipe by name, its numbers changed or searched. No torch here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from fmnist.checks import known
from fmnist.classes import CLASSES, TRAINING_SIZE, VALIDATION_SIZE
from fmnist.errors import InputError
from fmnist.models import MODELS
from fmnist.recipes import EXCEPTIONS, RECIPES, Recipe

# What `fmnist tune` can search, between which values, and whether by its logarithm.
SEARCHED = {
    "learning_rate": (0.1, 10.0, True),  # times that of the recipe, as the next two
    "filter_learning_rate": (0.1, 10.0, True),
    "weight_decay": (0.1, 10.0, True),
    "label_smoothing": (0.0, 0.2, False),
    "dropout": (0.0, 1.0, False),
    "erasing": (0.0, 0.6, False),
    "cutmix": (0.0, 0.8, False),
}
RELATIVE = ("learning_rate", "filter_learning_rate", "weight_decay")


def recipe_for(name: str, model: str, changes: Sequence[str] = ()) -> Recipe:
    """The recipe of that name for that network, with `changes` like "dropout=0".

    Raises:
        InputError: there is no such recipe; a change names no number of it, or its value cannot be,
            or not beside the others.
    """
    known(name, RECIPES, "recipe")
    recipe = replace(RECIPES[name], **EXCEPTIONS.get((name, model), {}))
    changed = dict(_change(recipe, text) for text in changes)
    recipe = replace(recipe, **changed)
    _check_together(recipe)
    _check_read(recipe, changed)
    if "dropout" in changed:
        check_dropout(model)
    if {"seconds", "epochs"} <= changed.keys() and recipe.seconds:
        raise InputError("seconds chooses the number of epochs. Leave one of them out.")
    return recipe


def changed_in(changes: Iterable[str]) -> set[str]:
    """The names of what is changed: "dropout" of "dropout=0"."""
    return {text.partition("=")[0] for text in changes}


def check_dropout(model: str) -> None:
    """Raises InputError where the network has none that could be changed."""
    if not MODELS[model].has_dropout:
        raise InputError(f"{model} has no dropout. Leave it out.")


MOST_EPOCHS = 100_000
_MOST = 1e300  # of any number: what a float holds
# Between which values a changed number may lie; all others are 0 or more.
_LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("warmup", "label_smoothing", "ema_decay"), (0.0, 1.0)),
    **dict.fromkeys(("erasing", "cutmix", "distill"), (0.0, 1.0)),
    "dropout": (0.0, 2.0),  # times a rate of 0.5
    "epochs": (1, MOST_EPOCHS),
    "batch_size": (2, TRAINING_SIZE),
    "held_out": (len(CLASSES), VALIDATION_SIZE),
    "pad": (0, 28),
    "temperature": (0.01, 1000.0),
}
# Which optimizers read a number.
_READ_BY = {
    "weight_decay": ("sgd", "muon", "adamw"),
    "filter_learning_rate": ("muon",),
}
# What other numbers need beside them to be read at all.
_NEEDS: dict[str, tuple[str, Callable[[Recipe], bool]]] = {
    "warmup": ("a schedule: --set schedule=triangle", lambda r: r.schedule != "constant"),
    "pad": ("the augmentation crop: --set augmentation=crop", lambda r: r.augmentation == "crop"),
    "temperature": ("teachers: --recipe distill", lambda r: r.distill > 0),
}
_CHOICES = {
    "optimizer": ("adam", "adamw", "sgd", "muon"),
    "schedule": ("constant", "triangle", "cosine"),
    "augmentation": ("crop", "listing1"),
}


def _change(recipe: Recipe, text: str) -> tuple[str, Any]:
    """Name and new value of "dropout=0". Raises InputError where it has no such name or value."""
    settable = [field.name for field in fields(recipe) if field.name != "sizes"]
    name, _, value = text.partition("=")
    old = getattr(recipe, known(name, settable, "part of a recipe"))
    try:
        new = type(old)(value)
    except ValueError:
        raise InputError(f"{text}: {name} is {_kind(old)}. Write it as {name}={old}.") from None
    if name in _CHOICES:
        return name, known(new, _CHOICES[name], name)
    if not _fits(name, new):
        low, high = _LIMITS.get(name, (0, _MOST))
        between = f"from {low:g} to {high:g}" if high < _MOST else f"a number from {low:g} up"
        raise InputError(f"{text}: {name} is {between}. Write it as {name}={old}.")
    return name, new


def _fits(name: str, value: Any) -> bool:
    """Whether that part of a recipe may have this value, which is of its type."""
    if name in _CHOICES:
        return value in _CHOICES[name]
    if name == "sizes":
        parts = [until for until, _ in value]
        fit = all(0 < until <= 1 and 0 < size <= 1000 for until, size in value)
        return fit and parts == sorted(parts) and parts[-1:] == [1.0]
    low, high = _LIMITS.get(name, (0, _MOST))
    return bool(low <= value <= high)


def check_values(recipe: Recipe) -> None:
    """Raises ValueError where a recipe (of a damaged file) has a value that nobody could choose."""
    for field in fields(recipe):
        if not _fits(field.name, getattr(recipe, field.name)):
            raise ValueError(f"{field.name} cannot be {getattr(recipe, field.name)}.")


def _kind(value: object) -> str:
    return {int: "a whole number", float: "a number"}.get(type(value), "a word")


def _check_together(recipe: Recipe) -> None:
    """Raises InputError where the numbers of a recipe exclude each other."""
    if recipe.optimizer == "muon" and not recipe.filter_learning_rate:
        raise InputError(
            "Muon has a rate of its own, which this recipe lacks. "
            f"Add --set filter_learning_rate={RECIPES['best'].filter_learning_rate}."
        )
    if recipe.crops and (recipe.cutmix or recipe.distill):
        raise InputError("Crops can be neither mixed nor taught. Leave out cutmix and distill.")
    if recipe.seconds and (recipe.distill or recipe.crops):
        raise InputError("How long teachers and crops take is not known. Leave out seconds.")
    if recipe.held_out % len(CLASSES):
        raise InputError("Of each class equally many are held out. Give a multiple of 10.")
    if recipe.crops and recipe.held_out != VALIDATION_SIZE:
        raise InputError(
            "Crops are validated with crops, of all held-out garments. Leave out held_out."
        )
    if recipe.nothing and not recipe.crops:
        raise InputError("nothing is a share of the crops. Set crops above 0, or nothing=0.")
    if recipe.photo_crops and not (recipe.crops and recipe.nothing):
        raise InputError(
            "Crops of photos go with those of painted frames and of nothing. "
            "Set crops and nothing above 0, or photo_crops=0."
        )


def _check_read(recipe: Recipe, names: Iterable[str]) -> None:
    """Raises InputError where a number is named that nothing in this recipe reads."""
    for name in names:
        needed, is_read = _NEEDS.get(name, ("", lambda recipe: True))
        if not is_read(recipe):
            raise InputError(f"{name} is read beside {needed}. Add that, or leave {name} out.")
        readers = _readers(name)
        if recipe.optimizer not in readers:
            raise InputError(
                f"{recipe.optimizer} has no {name}. "
                f"Leave it out, or add --set optimizer={readers[-1]}."
            )


def _readers(name: str) -> tuple[str, ...]:
    """The optimizers that read this number."""
    return _READ_BY.get(name, _CHOICES["optimizer"])


def usual_search(model: str) -> tuple[str, ...]:
    """What `fmnist tune` searches where nothing is named."""
    dropout = ("dropout",) if MODELS[model].has_dropout else ()
    return ("learning_rate", "label_smoothing", *dropout, "erasing")


def check_search(model: str, recipe: Recipe, names: Sequence[str]) -> None:
    """Raises InputError where these parts of the recipe cannot be searched."""
    if "dropout" in names:
        check_dropout(model)
    if recipe.distill or recipe.crops:
        raise InputError("Teachers and crops have no part in a search. Begin with --recipe best.")
    if not names:
        raise InputError(f"Nothing is searched. Name some of {', '.join(SEARCHED)} with --search.")
    for name in names:
        if recipe.optimizer not in _readers(name):
            raise InputError(f"{recipe.optimizer} has no {name}. Leave it out of --search.")
        if name in RELATIVE and not getattr(recipe, name):
            raise InputError(
                f"{name} is 0 here, and times anything stays 0. Leave it out of --search."
            )
