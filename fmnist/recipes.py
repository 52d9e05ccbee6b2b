"""Recipes by name: every number that decides how a classifier is trained. No torch here."""

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How to train; each field is one choice of the loop in training.py."""

    epochs: int
    optimizer: str  # "adam", "adamw" or "muon" (muon for convolutions, adamw for the rest)
    learning_rate: float  # of adam and adamw
    filter_learning_rate: float = 0.0  # of muon: length of a step relative to the weights
    weight_decay: float = 0.0
    batch_size: int = 128
    schedule: str = "constant"  # or "triangle": up during `warmup`, then straight down to zero
    warmup: float = 0.0  # fraction of all steps
    label_smoothing: float = 0.0
    dropout: float = 1.0  # factor on the rates of the report
    ema_decay: float = 0.0  # per step, of the averaged weights; 0: the weights themselves
    augmentation: str = "crop"  # shift and flip; or "listing1"
    crops: int = 0  # train on so many crops of scenes and a quarter as many plain images
    nothing: float = 0.0  # and, for each of them, on so many crops that show no garment
    erasing: float = 0.0  # probability of random erasing
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
        epochs=24,
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

# Where a network needs other numbers than the recipe of that name.
_EXCEPTIONS = {
    # Its linear layers fix the size of the image, and Muon wants the batch norm that it lacks.
    ("best", "lenet"): replace(
        RECIPES["best"], epochs=30, optimizer="adamw", learning_rate=0.003, sizes=((1.0, 28),)
    ),
}


def recipe_for(name: str, model: str) -> Recipe:
    """The recipe of that name for that network."""
    return _EXCEPTIONS.get((name, model), RECIPES[name])
