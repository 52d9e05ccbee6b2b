"""The rows of a benchmark: a network, how it is trained, where its runs are. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fmnist.cards import read_json
from fmnist.checks import known
from fmnist.choices import recipe_for
from fmnist.errors import InputError
from fmnist.models import MODELS
from fmnist.recipes import RECIPES, Recipe
from fmnist.training.run_folder import LAST, is_finished, is_planned

if TYPE_CHECKING:
    from fmnist.training.settings import Settings

# The report's Table 3 with its question 4, its future work, and how far each network goes.
ROWS = (
    "lenet:report",
    "vgg:report",
    "vgg:report:dropout=0",
    "resnet10:report",
    "resnet10:report:dropout=1",
    "resnet18:report",
    "lenet:best",
    "vgg:best",
    "vgg:best:triplet=0.2",
    "resnet10:best",
    "resnet10-56:best",
    "inception:best",
    "densenet:best",
    "wrn:best",
    "vgg:distill",
)
PEER = "ultralytics-cls"  # the row of what a user would otherwise run


@dataclass(frozen=True)
class Row:
    """A network and how it is trained; written MODEL (recipe "best"), MODEL:RECIPE or
    MODEL:RECIPE:NAME=VALUE,..."""

    model: str
    recipe: str
    changes: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Row":
        """Raises InputError where it names no network, no recipe of plain images, or no part of
        one.
        """
        model, _, rest = text.partition(":")
        recipe, _, changes = rest.partition(":")
        row = cls(model, recipe or "best", tuple(part for part in changes.split(",") if part))
        known(row.model, MODELS, "model")
        known(row.recipe, RECIPES, "recipe")
        if row.resolved().crops:
            raise InputError(
                f"{text}: a benchmark trains and tests on plain images. "
                f"Train the recipe {row.recipe} with `fmnist train`."
            )
        return row

    def __str__(self) -> str:
        return ":".join(part for part in (self.model, self.recipe, ",".join(self.changes)) if part)

    def resolved(self) -> Recipe:
        """Every number of its recipe."""
        return recipe_for(self.recipe, self.model, self.changes)

    @property
    def takes_imagenet(self) -> bool:
        return MODELS[self.model].takes_imagenet

    def settings(self, seed: int, pretrained: str, teachers: Sequence[str]) -> "Settings":
        """Those of a run; what other rows need is left out."""
        from fmnist.training.settings import plan

        return plan(
            self.model,
            self.recipe,
            None,
            seed,
            changes=self.changes,
            pretrained=pretrained if self.takes_imagenet else "",
            teachers=teachers if self.resolved().distill else (),
        )

    def folder(self, base: Path, seed: int) -> Path:
        """Where the run of that seed is."""
        return base / str(self).replace(":", "-").replace(",", "-") / f"seed-{seed}"


def trainable(rows: Sequence[Row], teachers: Sequence[str]) -> list[Row]:
    """All rows, or where there are no teachers those that need none."""
    return [row for row in rows if teachers or not row.resolved().distill]


def seeds_in(rows: Sequence[Row], base: Path) -> int:
    """How many seeds there are, counted from 0 to the last one that any row has finished."""
    runs = [run for row in rows for run in row.folder(base, 0).parent.glob("seed-*")]
    numbers = [run.name.removeprefix("seed-") for run in runs if is_finished(run)]
    return max((int(number) + 1 for number in numbers if number.isdecimal()), default=1)


def check_runs(
    rows: Sequence[Row],
    seeds: int,
    base: Path,
    weights: tuple[str, Sequence[str]] | None,
    files: Sequence[Path] = (),
) -> None:
    """Runs of a row that were begun have the numbers that the row has now.

    `weights` are those of ImageNet and of the teachers, whose `files` these are; None: whatever
    they had, if all seeds had the same teachers.

    Raises:
        InputError: one has others, as after a change of the recipe, another number of epochs, or
            other teachers: their mean would mean nothing.
    """
    from fmnist.training.settings import digests_of

    given = digests_of(files)
    for row in rows:
        recipe = row.resolved()
        folders = {seed: row.folder(base, seed) for seed in range(seeds)}
        begun = {seed: folder for seed, folder in folders.items() if is_planned(folder)}
        lengths = {_checked_epochs(row, seed, folder, weights) for seed, folder in begun.items()}
        if weights and not recipe.seconds and len(begun) < len(folders):  # some will be trained
            lengths.add(recipe.epochs)
        if len(lengths) > 1:
            raise InputError(
                f"The seeds of {row} have {' and '.join(map(str, sorted(lengths)))} epochs. Choose "
                f"another -o, or remove those of one number in {folders[0].parent}."
            )
        if recipe.distill and len({given, *map(_teachers_of, begun.values())} - {()}) > 1:
            raise InputError(
                f"The seeds of {row} have different teachers: not the same files, if of one name. "
                f"Put the first ones back, or remove {folders[0].parent}."
            )


def _checked_epochs(
    row: Row, seed: int, folder: Path, weights: tuple[str, Sequence[str]] | None
) -> int:
    """How long the run is. Raises InputError where the row has other numbers now."""
    from fmnist.training.settings import read_settings

    there, recipe = read_settings(folder), row.resolved()
    same = (there.recipe, there.seed, there.init) == (recipe, seed, "")
    if weights and there.teachers != (tuple(weights[1]) if recipe.distill else ()):
        same = False
    if weights and there.pretrained != (weights[0] if row.takes_imagenet else ""):
        same = False
    if not same:
        raise InputError(
            f"{folder} was trained with other numbers or weights than {row} has now. "
            "Choose another -o, or remove that folder."
        )
    return there.epochs


def _teachers_of(run: Path) -> tuple[str, ...]:
    """The digests of their files; () before the first epoch, and of runs that kept none."""
    card = (run / LAST).with_suffix(".json")
    return tuple(read_json(card).get("teacher_digests", ())) if card.is_file() else ()


def check_read(
    rows: Sequence[Row], pretrained: str, teachers: Sequence[str], files: Sequence[Path]
) -> None:
    """Raises InputError where weights cannot begin a row that needs them, or no row needs them.

    Told now, not after the hours of the rows before. `files` are those of the teachers.
    """
    from fmnist.training.settings import check_unseen

    needed = {
        "--pretrained": (pretrained, any(row.takes_imagenet for row in rows)),
        "--teacher": (teachers, any(row.resolved().distill for row in rows)),
    }
    for option, (given, is_read) in needed.items():
        if given and not is_read:
            raise InputError(f"No row reads {option}. Leave it out, or add a --row that does.")
    for row in rows:
        recipe = row.settings(0, pretrained, teachers).recipe
        check_unseen(recipe.held_out, files if recipe.distill else (), is_fixed=False)


def check_imagenet(rows: Sequence[Row], seeds: int, base: Path, pretrained: str) -> None:
    """Raises InputError where a run is left that would begin with these weights, and they cannot
    be had; not after the hours of the rows before, either.
    """
    from fmnist.models.resnet import ResNet18

    readers = [row for row in rows if row.takes_imagenet] if pretrained else []
    folders = [row.folder(base, seed) for row in readers for seed in range(seeds)]
    if any(not is_planned(folder) for folder in folders):
        ResNet18(0).load_imagenet(pretrained)
