"""What decides a run: its settings, made from what the user asked for, kept in the run folder.

A mistake in them is told before torch is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from fmnist.cards import Facts, read_card, read_json, write_json
from fmnist.checks import made
from fmnist.choices import MOST_EPOCHS, check_values, recipe_for
from fmnist.classes import VALIDATION_SIZE
from fmnist.errors import InputError
from fmnist.models import MODELS
from fmnist.recipes import FULL_SIZE, Recipe, check_types
from fmnist.training.run_folder import SETTINGS, claimed, epochs_done, is_planned, no_run_in

_LISTS = ("teachers", "changes", "teacher_digests")
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Settings:
    """What decides a run. Weights are named as the user named them.

    `changes` are those that the user made to the recipe of that name; `recipe` has them already.
    """

    model: str
    recipe_name: str
    recipe: Recipe
    epochs: int
    seed: int
    init: str = ""  # the weights that it begins with
    pretrained: str = ""  # those of ImageNet
    teachers: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    teacher_digests: tuple[str, ...] = ()  # SHA-256 of their files, once the run has begun

    def __post_init__(self) -> None:
        check_types(self)
        if not 1 <= self.epochs <= MOST_EPOCHS or not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError("No run has so many epochs, or such a seed.")

    def to_dict(self) -> Facts:
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        return {**self.__dict__, "recipe": self.recipe.to_dict(), **lists}

    @classmethod
    def from_dict(cls, values: Facts) -> "Settings":
        """What `to_dict` gave; a KeyError, TypeError or ValueError where it is something else."""
        lists = {name: values.get(name, []) for name in _LISTS}
        if not all(isinstance(words, list) for words in lists.values()):
            raise TypeError("A list is something else.")
        tuples = {name: tuple(words) for name, words in lists.items()}
        made = cls(**{**values, "recipe": Recipe.from_dict(values["recipe"]), **tuples})
        check_values(made.recipe)
        if made.model not in MODELS:
            raise ValueError(f"{made.model} is no network.")
        if not all(isinstance(word, str) for words in tuples.values() for word in words):
            raise TypeError("A list holds another type than text.")
        return made


def digests_of(teachers: Sequence[Path]) -> tuple[str, ...]:
    """What `Settings.teacher_digests` holds of these files."""
    return tuple(sha256(file.read_bytes()).hexdigest() for file in teachers)


def plan(
    model: str,
    recipe_name: str,
    epochs: int | None,
    seed: int,
    init: str = "",
    *,
    changes: Sequence[str] = (),
    pretrained: str = "",
    teachers: Sequence[str] = (),
) -> Settings:
    """The settings of a new run.

    Raises:
        InputError: the recipe and the rest do not go together.
        ValueError: no run has so many epochs, or such a seed.
    """
    recipe = recipe_for(recipe_name, model, changes)
    if pretrained and not MODELS[model].takes_imagenet:
        raise InputError(f"There are no ImageNet weights for {model}. Train resnet18 with them.")
    if pretrained not in ("", "torchvision") and not Path(pretrained).is_file():
        raise InputError(
            f"{pretrained}: no such file. Name torchvision's .pth file of ResNet-18, "
            "or train from scratch without --pretrained."
        )
    if bool(teachers) != bool(recipe.distill):
        raise InputError(
            "Teachers and a recipe that listens to them go together. "
            "Use --recipe distill with one --teacher WEIGHTS or more."
        )
    return Settings(
        model,
        recipe_name,
        recipe,
        epochs or recipe.epochs,
        seed,
        init,
        pretrained,
        tuple(teachers),
        tuple(changes),
    )


def check_unseen(held_out: int, weights: Sequence[Path], *, is_fixed: bool) -> None:
    """Raises InputError where weights have learnt from images that the run would validate with.

    It holds out so many, and may hold out fewer unless that `is_fixed`.
    """
    for path in weights:
        theirs = read_card(path).get("recipe", {}).get("held_out", VALIDATION_SIZE)
        if theirs < held_out:
            other = "" if is_fixed else f", or hold out no more with --set held_out={theirs}"
            raise InputError(
                f"{path} has learnt from images that this run validates with. "
                f"Use other weights{other}."
            )


def prepare(run_dir: Path, settings: Settings, initial: Path | None = None) -> None:
    """Make a new run folder, for a run that begins with the weights `initial`.

    Raises:
        InputError: the folder already holds a run, it cannot be written, or the weights are not
            those of the network that is to be trained, or cannot be had.
    """
    from fmnist.checkpoint import weights_of
    from fmnist.models.resnet import ResNet18

    no_run_in(run_dir)
    if initial:
        weights_of(settings.model, initial)
    if settings.pretrained:
        ResNet18(0).load_imagenet(settings.pretrained)
    with claimed(made(run_dir)):
        no_run_in(run_dir)  # once more: another process may have been quicker
        write_json(run_dir / SETTINGS, settings.to_dict())


def settle(run_dir: Path, settings: Settings) -> None:
    """Write what a run is to be that is prolonged.

    Raises:
        InputError: another process trains there.
    """
    with claimed(run_dir):
        write_json(run_dir / SETTINGS, settings.to_dict())


def _can_be_prolonged(recipe: Recipe) -> bool:
    """Whether nothing in it depends on how long it lasts."""
    return recipe.schedule == "constant" and recipe.sizes == FULL_SIZE and not recipe.ema_decay


def read_settings(run_dir: Path, epochs: int | None = None) -> Settings:
    """The settings of a run to resume; `epochs` prolongs one that does not depend on them.

    Raises:
        InputError: no run is there, or its schedule does not allow more epochs.
    """
    path = run_dir / SETTINGS
    if not is_planned(run_dir):
        raise InputError(
            f"{run_dir} holds no run. Start one with `fmnist train MODEL -o {run_dir}`."
        )
    try:
        settings = Settings.from_dict(read_json(path))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{path} is damaged or of another version. Start a new run in another folder."
        ) from error
    if epochs is None or epochs == settings.epochs:
        return settings
    if not _can_be_prolonged(settings.recipe):
        raise InputError(
            f"The schedule of {run_dir} was planned for {settings.epochs} epochs. "
            "Resume it without --epochs, or start a new run."
        )
    if epochs < (done := epochs_done(run_dir)):
        raise InputError(
            f"{run_dir} has {done} epochs behind it already. Resume it with as many or more."
        )
    return replace(settings, epochs=epochs)
