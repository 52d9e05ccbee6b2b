"""The command that trains a classifier."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from commands.options import (
    Backgrounds,
    Compile,
    DataDir,
    Device,
    Minutes,
    Photos,
    Quiet,
    Seed,
    classifier_file,
    say,
    weights_file,
)
from fmnist.cards import card_of
from fmnist.checks import known, no_run_in
from fmnist.errors import InputError
from fmnist.recipes import RECIPES

if TYPE_CHECKING:
    import torch

    from fmnist.cards import Facts
    from fmnist.data import Split
    from fmnist.settings import Settings

app = typer.Typer()


class Clothes(NamedTuple):
    """The user's own folders that a head can learn from."""

    photos: tuple[Path, ...] = ()
    backgrounds: Path | None = None


NO_CLOTHES = Clothes()


@app.command()
def train(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="As `fmnist models` lists them.")] = "vgg",
    recipe: Annotated[str, typer.Option(help=f"{', '.join(RECIPES)}.")] = "best",
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="In the recipe.")
    ] = None,
    init: Annotated[str, typer.Option(metavar="WEIGHTS", help="Start from these.")] = "",
    photos: Photos = None,
    backgrounds: Backgrounds = None,
    pretrained: Annotated[
        str, typer.Option(metavar="FILE", help="ImageNet weights; or torchvision: fetch them.")
    ] = "",
    teacher: Annotated[
        list[str] | None, typer.Option(metavar="WEIGHTS", help="One of those who teach.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    stop_after: Annotated[int | None, typer.Option(min=1, help="Pause at this epoch.")] = None,
    max_minutes: Minutes = None,
    seed: Seed = 0,
    device: Device = "auto",
    compiling: Compile = "auto",
    run_dir: Annotated[Path | None, typer.Option("--run-dir", "-o", help="Results.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with it.")] = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Train a classifier; leave weights, metrics, curves and results in a run folder."""
    from fmnist import files
    from fmnist.models import MODELS
    from fmnist.settings import plan, prepare, read_settings, settle

    known(model, MODELS, "model")
    known(recipe, RECIPES, "recipe")
    if resume:
        refuse_settings(context, resume)
        settings = read_settings(resume, epochs)
    else:
        settings = plan(
            model,
            recipe,
            epochs,
            seed,
            init,
            changes=changes or (),
            pretrained=pretrained,
            teachers=teacher or (),
        )
    initial = weights_file(init) if init else None
    check_weights(settings, initial)
    check_photos(settings, photos or (), resume)
    if (photos or backgrounds) and not settings.recipe.photo_crops:
        raise InputError(
            f"The recipe {settings.recipe_name} learns from no photos. "
            "Leave out --photos and --backgrounds, or train with --recipe worn."
        )
    if backgrounds:
        from detector.synthesis.backgrounds import photos_in

        photos_in(backgrounds)
    folder = resume or no_run_in(run_dir or Path("runs") / f"{model}-{recipe}-{seed}")
    data_folder = files.find(data_dir)

    from fmnist import parallel
    from fmnist.data import splits
    from fmnist.device import pick_device
    from fmnist.tables import result_line

    with parallel.group(pick_device(device)) as where:
        quiet = quiet or parallel.rank() > 0
        data = splits(data_folder)
        parallel.check_batch(settings.recipe.batch_size)
        if not resume:
            chosen = paced(settings, epochs, data, where, compiling == "on")
            settings = parallel.agreed(chosen)
            if parallel.rank() == 0:
                prepare(folder, settings, initial)
        elif parallel.rank() == 0:
            settle(folder, settings)
        clothes = Clothes(tuple(photos or ()), backgrounds)
        facts = carry_on(
            settings, folder, data, where, max_minutes, stop_after, quiet, clothes, compiling
        )
        if facts and parallel.rank() == 0:
            print(result_line(facts))


def refuse_settings(context: typer.Context, resume: Path) -> None:
    """Raises InputError where the user names what the run that goes on has settled."""
    settled = ("model", "recipe", "changes", "init", "pretrained", "teacher", "seed", "run_dir")
    source = context.get_parameter_source
    if any((chosen := source(name)) and chosen.name == "COMMANDLINE" for name in settled):
        raise InputError(
            f"A run that goes on has its settings in {resume}. Leave out the model, --recipe, "
            "--set, --init, --pretrained, --teacher, --seed and -o."
        )


def check_weights(settings: "Settings", initial: Path | None) -> None:
    """Raises InputError where the run cannot begin with these, or learn from its teachers."""
    from fmnist.settings import check_unseen

    if initial:
        card_of(settings.model, initial)
        check_unseen(settings.recipe, [initial])
    check_unseen(settings.recipe, [classifier_file(name) for name in settings.teachers])


def check_photos(settings: "Settings", photos: Sequence[Path], resume: Path | None = None) -> None:
    """Raises InputError where the recipe wants photos and has none, or a folder is no such one."""
    if settings.recipe.photo_crops and not photos and not resume:
        raise InputError(
            f"The recipe {settings.recipe_name} learns from photos. "
            "Name folders of them with --photos."
        )
    if photos:
        from detector.photos.folder import check

        check(photos)


def paced(
    settings: "Settings",
    epochs: int | None,
    data: "tuple[Split, Split, Split]",
    device: "torch.device",
    compiled: bool = False,
) -> "Settings":
    """With as many epochs as the recipe has time for, unless the user chose their number."""
    chosen = epochs or any(change.startswith("epochs=") for change in settings.changes)
    if chosen or not settings.recipe.seconds:
        return settings
    from dataclasses import replace

    from fmnist.data import release
    from fmnist.pace import epochs_within

    split, _ = release(*data[:2], settings.recipe.held_out)
    fitting = epochs_within(settings.model, settings.recipe, split.to(device), compiled)
    return replace(settings, epochs=fitting)


def carry_on(
    settings: "Settings",
    run_dir: Path,
    data: "tuple[Split, Split, Split]",
    device: "torch.device",
    max_minutes: float | None,
    stop_after: int | None,
    quiet: bool,
    clothes: Clothes = NO_CLOTHES,
    compiling: str = "auto",
) -> "Facts | None":
    """Train from where the run stands, and tell of it; the result, or None where it was stopped."""
    from fmnist import runs
    from fmnist.device import compiles
    from fmnist.parallel import in_turn
    from fmnist.progress import Progress

    is_begun = (run_dir / "state.pt").exists()
    initial = weights_file(settings.init) if settings.init and not is_begun else None
    tell = say if not quiet else lambda _: None
    if settings.recipe.crops:
        kept_in, plain = run_dir / "crops.npz", data
        data = in_turn(lambda: _crop_splits(plain, settings, kept_in, tell, clothes))
    again = f"fmnist train --resume {run_dir}"
    with Progress(quiet) as progress:
        watch = runs.Watch(
            step=lambda epoch, done, of: progress(f"epoch {epoch} of {settings.epochs}", done, of),
            epoch=lambda row: progress.say("  ".join(f"{k} {v:.4g}" for k, v in row.items())),
        )
        try:
            facts = runs.train(
                settings,
                run_dir,
                data,
                device,
                watch,
                max_minutes=max_minutes,
                stop_after=stop_after,
                initial=initial,
                teachers=[weights_file(name) for name in settings.teachers],
                compiled=compiles(compiling, device, settings.epochs * len(data[0])),
            )
        except KeyboardInterrupt:
            progress.say(f"stopped; go on with: {again}")
            raise
    tell(f"written: {run_dir}" if facts else f"stopped; go on with: {again}")
    return facts


def _crop_splits(
    plain: "tuple[Split, Split, Split]",
    settings: "Settings",
    kept_in: Path,
    tell: Callable[[str], None],
    clothes: Clothes,
) -> "tuple[Split, Split, Split]":
    from detector.crops import Plan, crop_splits
    from detector.photos.scenes import FOR_HEAD
    from detector.protocol import behind_garments, photo_scenes

    recipe, seed, make = settings.recipe, settings.seed, None
    if not kept_in.exists():
        tell("rendering crops: some minutes, once for a run")
        if recipe.photo_crops:
            check_photos(settings, clothes.photos)
            behind = behind_garments(seed, clothes.backgrounds)
            make = photo_scenes(clothes.photos, behind, FOR_HEAD)
    wanted = Plan(recipe.crops, recipe.nothing, recipe.photo_crops)
    return crop_splits(plain, wanted, seed, kept_in, os.cpu_count() or 1, make)
