"""Recipes by name: every number that decides how a classifier is trained. No torch here."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_origin

from fmnist.classes import VALIDATION_SIZE

REPORTED_TEST = 0.9402  # of the report's VGG-like network
FULL_SIZE = ((1.0, 28),)  # pixels of a side, until the end


def check_types(made: Any) -> None:
    """Raises TypeError where a field (of a damaged file) holds another type than its own."""
    for field in fields(made):
        kind: Any = get_origin(field.type) or field.type
        if not isinstance(getattr(made, field.name), (int, float) if kind is float else kind):
            raise TypeError(f"{field.name} is not {field.type}.")


@dataclass(frozen=True)
class Recipe:
    """How to train; each field is one choice of `fmnist.training`."""

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
    sizes: tuple[tuple[float, int], ...] = FULL_SIZE

    def __post_init__(self) -> None:
        check_types(self)

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
}

# The head of the detector; start it from plain weights with --init.
RECIPES["crops"] = replace(
    RECIPES["best"],
    epochs=2,
    learning_rate=0.002,
    filter_learning_rate=0.011,
    erasing=0.0,
    crops=60_000,
    nothing=0.4,
    sizes=((0.6, 20), (1.0, 28)),
)
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
# The report's accuracy as soon as possible: few epochs, an average that hardly lags, large steps.
# The means of three rehearsals of its lengths are 0.7 points above it (docs/results.md).
RECIPES["race"] = replace(
    RECIPES["best"],
    epochs=6,
    learning_rate=0.008,
    filter_learning_rate=0.03,
    label_smoothing=0.05,
    ema_decay=0.99,
    erasing=0.0,
    sizes=((0.25, 16), (0.55, 20), (1.0, 28)),
)
# In a single epoch any average lags.
RECIPES["fast"] = replace(RECIPES["race"], epochs=1, seconds=60.0, ema_decay=0.0)
# Nine tenths what the teachers say of the same view, a tenth the labels; widened by images that
# are mixed (Beyer et al. 2022).
RECIPES["distill"] = replace(
    RECIPES["best"],
    epochs=55,
    label_smoothing=0.0,
    distill=0.9,
    views=12,
    cutmix=0.25,
    sizes=((0.3, 20), (1.0, 28)),
)

# For races: narrow, so that it wants more and larger steps.
RESNET8: dict[str, Any] = {
    "batch_size": 64,
    "learning_rate": 0.01,
    "filter_learning_rate": 0.035,
    "dropout": 0.0,
    "sizes": ((0.2, 16), (0.5, 20), (1.0, 28)),
}
# Where a network needs other numbers than the recipe of that name.
EXCEPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("report", "resnet10"): {"dropout": 0.0},
    ("report", "resnet10-56"): {"dropout": 0.0},
    ("report", "resnet18"): {"dropout": 0.0, "learning_rate": 0.001},
    # A pretrained network forgets what it knows at the rates of a fresh one.
    ("best", "resnet18"): {"epochs": 6, "optimizer": "adamw", "learning_rate": 0.0005},
    # Its stem divides the image by four before the first block: no smaller ones.
    ("best", "resnet10"): {"epochs": 40, "sizes": FULL_SIZE},
    ("race", "resnet10"): {"sizes": FULL_SIZE},
    ("fast", "resnet10"): {"sizes": FULL_SIZE},
    ("race", "resnet8"): RESNET8 | {"epochs": 13},
    ("fast", "resnet8"): RESNET8,
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
LENET: dict[str, Any] = {"optimizer": "adamw", "learning_rate": 0.003, "sizes": FULL_SIZE}
LONG_LENET = LENET | {"epochs": 90, "weight_decay": 0.05, "erasing": 0.2}
EXCEPTIONS |= {(name, "lenet"): LENET for name in ("race", "fast", "crops", "worn")}
EXCEPTIONS["best", "lenet"] = LONG_LENET
EXCEPTIONS["gpu", "lenet"] = LONG_LENET | {"epochs": 150, "learning_rate": 0.006}
# A small network learns long from a large one, and most from answers that are softened (LOG.md).
EXCEPTIONS["distill", "lenet"] = LONG_LENET | {
    "epochs": 300,
    "dropout": 0.0,
    "temperature": 4.0,
    "views": 20,
}
