"""The command that trains a classifier."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import (
    Backgrounds,
    Compile,
    DataDir,
    Device,
    Minutes,
    Photos,
    Pretrained,
    Quiet,
    Seed,
    classifier_file,
    said,
    weights_file,
)
from commands.running import PhotoFolders, RunOptions, carry_on, check_photos, paced
from fmnist.cards import card_of
from fmnist.checks import known
from fmnist.choices import MOST_EPOCHS, changed_in
from fmnist.errors import InputError
from fmnist.recipes import RECIPES
from fmnist.training.run_folder import no_run_in

if TYPE_CHECKING:
    from fmnist.training.settings import Settings

app = typer.Typer()
RECIPES_HELP = (
    "report (as in 2020), best, gpu (larger batches), race (against the clock), fast (for a "
    "minute), distill (by --teacher), crops or worn (the detector's head)."
)
SET_HELP = "A number of the recipe; repeatable. A wrong NAME is answered with all."


@app.command()
def train(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="As `fmnist models` lists them.")] = "vgg",
    recipe: Annotated[str, typer.Option(help=RECIPES_HELP)] = "best",
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=SET_HELP)
    ] = None,
    init: Annotated[
        str | None, typer.Option(metavar="WEIGHTS", help="Weights to start from.")
    ] = None,
    photos: Photos = None,
    backgrounds: Backgrounds = None,
    pretrained: Pretrained = "",
    teacher: Annotated[
        list[str] | None,
        typer.Option(metavar="WEIGHTS", help="A teacher; repeatable."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=MOST_EPOCHS, help="Instead of those of the recipe.")
    ] = None,
    stop_after: Annotated[int | None, typer.Option(min=1, help="Pause at this epoch.")] = None,
    max_minutes: Minutes = None,
    seed: Seed = 0,
    device: Device = "auto",
    compiling: Compile = "auto",
    run_dir: Annotated[
        Path | None, typer.Option("--run-dir", "-o", help="Folder of the results.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with this run.")] = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Train a classifier.

    Leaves weights, metrics, curves and results in a run folder.
    """
    from fmnist import files
    from fmnist.models import MODELS
    from fmnist.training.settings import plan, prepare, read_settings, settle

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
            init or "",
            changes=changes or (),
            pretrained=pretrained,
            teachers=teacher or (),
        )
        if epochs:
            check_told_once(settings)
    initial = weights_file(init) if init is not None else None
    check_weights(settings, initial)
    folders = PhotoFolders(tuple(photos or ()), backgrounds)
    check_photos(settings, folders, resume)
    folder = resume or no_run_in(run_dir or Path("runs") / f"{model}-{recipe}-{seed}")
    data_folder = files.find(data_dir)

    from commands.tables import result_line
    from fmnist.data import load_splits
    from fmnist.device import pick_device
    from fmnist.training import parallel

    with parallel.group(pick_device(device)) as where:
        quiet = quiet or parallel.rank() > 0
        data = load_splits(data_folder)
        parallel.check_batch(settings.recipe.batch_size)
        if not resume:
            chosen = paced(settings, epochs, data, where, compiling == "on")
            settings = parallel.broadcast(chosen)
            parallel.on_rank_zero(lambda: prepare(folder, settings, initial))
        elif epochs:
            parallel.on_rank_zero(lambda: settle(folder, settings))
        again = going_on(context, folder)
        options = RunOptions(max_minutes, stop_after, quiet, compiling, again)
        facts = carry_on(settings, folder, data, where, options, folders)
        if facts and parallel.rank() == 0:
            print(result_line(facts))


def check_told_once(settings: "Settings") -> None:
    """Raises InputError where its changes choose a number of epochs beside --epochs."""
    names = changed_in(settings.changes)
    if "epochs" in names:
        raise InputError("--epochs and --set epochs are one number. Leave one of them out.")
    if "seconds" in names and settings.recipe.seconds:
        raise InputError("--set seconds chooses the number of epochs. Leave it or --epochs out.")


def going_on(context: typer.Context, run: Path) -> str:
    """The command that goes on with the run; what was said of data and machine is said again."""
    from fmnist.training import parallel

    several = f"torchrun --nproc-per-node {os.environ.get('LOCAL_WORLD_SIZE')} -m cli train"
    words = [*(several if parallel.world_size() > 1 else "fmnist train").split(), "--resume", run]
    for name, option in (
        ("data_dir", "--data-dir"),
        ("device", "--device"),
        ("compiling", "--compile"),
    ):
        if said(context, name):
            words += [option, context.params[name]]
    return shlex.join(map(str, words))


def refuse_settings(context: typer.Context, resume: Path) -> None:
    """Raises InputError where the user names what the run that goes on has settled."""
    settled = ("model", "recipe", "changes", "init", "pretrained", "teacher", "seed", "run_dir")
    if any(said(context, name) for name in settled):
        raise InputError(
            f"A run that goes on has its settings in {resume}. Leave out the model, --recipe, "
            "--set, --init, --pretrained, --teacher, --seed and -o."
        )


def check_weights(settings: "Settings", initial: Path | None) -> None:
    """Raises InputError where the run cannot begin with these, or learn from its teachers."""
    from fmnist.training.settings import check_unseen

    weights = [classifier_file(name) for name in settings.teachers]
    if initial:
        card_of(settings.model, initial)
        weights.insert(0, initial)
    check_unseen(settings.recipe.held_out, weights, is_fixed=settings.recipe.crops > 0)
