"""Recipes by name: every number that decides how a classifier is trained. No torch here."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from fmnist.checks import known
from fmnist.classes import CLASSES, VALIDATION_SIZE
from fmnist.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """How to train; each field is one choice of training.py or epoch.py."""

    epochs: int
    optimizer: str  # "adam", "adamw", "sgd" or "muon" (for convolutions, adamw for the rest)
    learning_rate: float  # of adam, adamw and sgd
    filter_learning_rate: float = 0.0  # of muon: length of a step relative to the weights
    weight_decay: float = 0.0
    batch_size: int = 128
    schedule: str = "constant"  # or up during `warmup`, then a "triangle" or "cosine" down to zero
    warmup: float = 0.0  # fraction of all steps
    label_smoothing: float = 0.0
    dropout: float = 1.0  # factor on the rates of the network
    ema_decay: float = 0.0  # per step, of the averaged weights; 0: the weights themselves
    augmentation: str = "crop"  # shift and flip; or "listing1"
    pad: int = 2  # pixels of the shift
    crops: int = 0  # train on so many crops of scenes and a quarter as many plain images
    photo_crops: int = 0  # and on so many of frames made of photos, which have to be given
    nothing: float = 0.0  # and, for each of them, on so many crops that show no garment
    erasing: float = 0.0  # probability of random erasing
    cutmix: float = 0.0  # probability that an image gets a rectangle of another
    triplet: float = 0.0  # weight of the triplet loss beside the cross entropy
    distill: float = 0.0  # weight of the teachers' answers, the labels have the rest
    temperature: float = 1.0  # of the teachers' answers
    views: int = 0  # so many different epochs, then again; the teachers are asked once for each
    held_out: int = VALIDATION_SIZE  # images of the 60,000 to validate with, all others train
    seconds: float = 0.0  # as many epochs as fit into this on the device, not fewer than one
    # (until this fraction of all steps, edge length of the images): small first, 28 at the end
    sizes: tuple[tuple[float, int], ...] = ((1.0, 28),)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"sizes": [list(part) for part in self.sizes]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Recipe":
        sizes = tuple((float(until), int(size)) for until, size in values["sizes"])
        return cls(**{**values, "sizes": sizes})


RECIPES = {
    # The report: Adam, constant rate, Listing 1, its dropout; it gives no number of epochs.
    "report": Recipe(epochs=50, optimizer="adam", learning_rate=0.002, augmentation="listing1"),
    "best": Recipe(
        epochs=45,
        optimizer="muon",
        learning_rate=0.0035,
        filter_learning_rate=0.018,
        weight_decay=0.01,
        batch_size=128,
        schedule="triangle",
        warmup=0.05,
        label_smoothing=0.1,
        dropout=0.1,
        ema_decay=0.9975,
        erasing=0.25,
        sizes=((0.4, 16), (0.7, 20), (1.0, 28)),
    ),
    # The head of the detector; start it from plain weights with --init.
    "crops": Recipe(
        epochs=2,
        optimizer="muon",
        learning_rate=0.002,
        filter_learning_rate=0.011,
        weight_decay=0.01,
        batch_size=128,
        schedule="triangle",
        warmup=0.05,
        label_smoothing=0.1,
        dropout=0.1,
        ema_decay=0.9975,
        crops=60_000,
        nothing=0.4,
        sizes=((0.6, 20), (1.0, 28)),
    ),
}
FULL_SIZE = ((1.0, 28),)

# The same with clothes that people wear; start it from the weights of "crops".
RECIPES["worn"] = replace(RECIPES["crops"], epochs=3, crops=40_000, photo_crops=60_000, erasing=0.2)
# For a GPU, which wants larger batches: minutes at most on a large one.
RECIPES["gpu"] = replace(
    RECIPES["best"],
    epochs=90,
    batch_size=512,
    learning_rate=0.004,
    filter_learning_rate=0.025,
    erasing=0.3,
)
RECIPES["fast"] = replace(RECIPES["best"], epochs=1, seconds=60.0, ema_decay=0.0, erasing=0.0)
# Only what the teachers say of the same view, widened by images that are mixed (Beyer et al. 2022).
RECIPES["distill"] = replace(
    RECIPES["best"],
    epochs=55,
    label_smoothing=0.0,
    distill=0.9,
    views=12,
    cutmix=0.25,
    sizes=((0.3, 20), (1.0, 28)),
)

# Where a network needs other numbers than the recipe of that name.
_EXCEPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("report", "resnet10"): {"dropout": 0.0},
    ("report", "resnet10-56"): {"dropout": 0.0},
    ("report", "resnet18"): {"dropout": 0.0, "learning_rate": 0.001},
    # A pretrained network forgets what it knows at the rates of a fresh one, and is large already.
    ("best", "resnet18"): {
        "epochs": 6,
        "optimizer": "adamw",
        "learning_rate": 0.0005,
        "sizes": FULL_SIZE,
    },
    # Its stem divides the image by four before the first block: no smaller ones.
    ("best", "resnet10"): {"epochs": 40, "sizes": FULL_SIZE},
    ("fast", "resnet10"): {"sizes": FULL_SIZE},
    ("distill", "resnet10"): {"sizes": FULL_SIZE},
    ("best", "resnet10-56"): {"sizes": ((0.3, 20), (1.0, 28))},  # 40 and 56 px within
    ("best", "inception"): {"epochs": 30},
    ("best", "densenet"): {"epochs": 60},
    ("crops", "resnet10"): {"sizes": FULL_SIZE},
    ("worn", "resnet10"): {"sizes": FULL_SIZE},
    # Crops, cut-outs and mixtures keep nine million parameters from knowing the images by heart.
    ("best", "wrn"): {
        "epochs": 200,
        "pad": 4,
        "erasing": 0.5,
        "cutmix": 0.5,
        "ema_decay": 0.999,
        "sizes": ((0.3, 20), (1.0, 28)),
    },
    ("gpu", "resnet10"): {"sizes": FULL_SIZE},
    ("gpu", "resnet10-56"): {"sizes": ((0.3, 20), (1.0, 28))},
    ("gpu", "wrn"): {"epochs": 50, "pad": 4, "erasing": 0.5, "cutmix": 0.25},
}
# Its linear layers fix the size of the image, and Muon wants the batch norm that it lacks.
for _name in ("best", "gpu", "fast", "distill", "crops", "worn"):
    _is_long = _name in ("best", "gpu", "distill")
    _EXCEPTIONS[_name, "lenet"] = {
        "epochs": 90 if _is_long else RECIPES[_name].epochs,
        "optimizer": "adamw",
        "learning_rate": 0.003,
        "weight_decay": 0.05 if _is_long else RECIPES[_name].weight_decay,
        "erasing": 0.2 if _is_long else RECIPES[_name].erasing,
        "sizes": FULL_SIZE,
    }
_EXCEPTIONS["gpu", "lenet"] |= {"epochs": 150, "learning_rate": 0.006}


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
        InputError: a change names no number of a recipe, or its value cannot be, or not beside the
            others.
    """
    recipe = replace(RECIPES[name], **_EXCEPTIONS.get((name, model), {}))
    recipe = replace(recipe, **dict(_change(recipe, text) for text in changes))
    _check_together(recipe)
    return recipe


# Between which values a changed number may lie; all others are 0 or more.
_LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("warmup", "label_smoothing", "ema_decay"), (0.0, 1.0)),
    **dict.fromkeys(("erasing", "cutmix", "distill"), (0.0, 1.0)),
    "dropout": (0.0, 2.0),  # times a rate of 0.5
    "epochs": (1, math.inf),
    "batch_size": (2, 60_000),
    "held_out": (len(CLASSES), VALIDATION_SIZE),
    "pad": (0, 28),
    "temperature": (0.01, 1000.0),
}
_CHOICES = {
    "optimizer": ("adam", "adamw", "sgd", "muon"),
    "schedule": ("constant", "triangle", "cosine"),
    "augmentation": ("crop", "listing1"),
}


def _change(recipe: Recipe, text: str) -> tuple[str, Any]:
    settable = [field.name for field in fields(recipe) if field.name != "sizes"]
    name, _, value = text.partition("=")
    old = getattr(recipe, known(name, settable, "part of a recipe"))
    try:
        new = type(old)(value)
    except ValueError:
        raise InputError(
            f"{text}: {name} is of the kind of {old!r}. Write it as {name}={old}."
        ) from None
    if name in _CHOICES:
        return name, known(new, _CHOICES[name], name)
    low, high = _LIMITS.get(name, (0, math.inf))
    if not (low <= new <= high and math.isfinite(new)):
        between = f"from {low:g} to {high:g}" if high < math.inf else f"a number from {low:g} up"
        raise InputError(f"{text}: {name} is {between}. Write it as {name}={old}.")
    return name, new


def _check_together(recipe: Recipe) -> None:
    """Raises InputError where the numbers of a recipe exclude each other."""
    if recipe.optimizer == "muon" and not recipe.filter_learning_rate:
        raise InputError(
            "Muon has a rate of its own, which this recipe lacks. "
            "Add --set filter_learning_rate=0.018."
        )
    if recipe.crops and (recipe.cutmix or recipe.distill):
        raise InputError(
            "Crops of nothing can be neither mixed nor taught. Leave out cutmix and distill."
        )
    if recipe.seconds and recipe.distill:
        raise InputError("How long teachers take is not known. Leave out seconds.")
    if recipe.held_out % len(CLASSES):
        raise InputError("Of each class equally many are held out. Give a multiple of 10.")
    if recipe.crops and recipe.held_out != VALIDATION_SIZE:
        raise InputError(
            "Crops are validated with crops, of all held-out garments. Leave out held_out."
        )
    if recipe.photo_crops and not (recipe.crops and recipe.nothing):
        raise InputError(
            "Crops of photos go with those of painted frames and of nothing. "
            "Set crops and nothing above 0, or photo_crops=0."
        )


def check_search(recipe: Recipe, names: Sequence[str]) -> None:
    """Raises InputError where these parts of the recipe cannot be searched."""
    if recipe.distill or recipe.crops:
        raise InputError("Teachers and crops have no part in a search. Begin with --recipe best.")
    if not names:
        raise InputError(f"Nothing is searched. Name some of {', '.join(SEARCHED)} with --search.")
    for name in names:
        if name in RELATIVE and not getattr(recipe, name):
            raise InputError(f"{name} is 0 in this recipe, and stays it. Leave it out of --search.")
