"""The command that searches the numbers of a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import DataDir, Device, listed, say
from fmnist.checks import known, writable_folder
from fmnist.classes import LEARNT_SIZE
from fmnist.errors import InputError

app = typer.Typer()


@app.command()
def tune(
    model: Annotated[str, typer.Argument(help="As `fmnist models` lists them.")] = "vgg",
    recipe: Annotated[
        str, typer.Option(help="Recipe to start from: best, gpu, fast or report.")
    ] = "best",
    names: Annotated[
        str | None,
        typer.Option(
            "--search",
            help="Numbers to search, separated by commas.",
            show_default="learning_rate,label_smoothing,erasing, and dropout where there is one",
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="In all, with those done before.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of every trial.")] = 4,
    images: Annotated[
        int, typer.Option(min=100, max=LEARNT_SIZE, help="Training images of a trial.")
    ] = LEARNT_SIZE,
    device: Device = "auto",
    run_dir: Annotated[
        Path | None, typer.Option("--run-dir", "-o", help="Folder of the trials.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Search the numbers of a recipe.

    On the validation images; the same command goes on.
    """
    from fmnist import files
    from fmnist.choices import SEARCHED, check_search, recipe_for, usual_search
    from fmnist.models import MODELS
    from fmnist.recipes import RECIPES

    known(model, MODELS, "model")
    known(recipe, RECIPES, "recipe")
    named = usual_search(model) if names is None else listed(names)
    searched = tuple(known(name, SEARCHED, "part to search") for name in named)
    begun = recipe_for(recipe, model)
    check_search(model, begun, searched)
    target = writable_folder(run_dir or Path("runs") / f"tune-{model}-{recipe}")
    folder = files.find(data_dir)

    try:
        from fmnist.training import tuning
    except ModuleNotFoundError as error:
        raise InputError(f"{error}. Install it: pip install 'fmnist[tune]'.") from error
    from fmnist.data import hold_out, load
    from fmnist.device import pick_device

    training, validation = hold_out(load(folder, "train"))
    study = tuning.search(
        model,
        begun,
        epochs,
        trials,
        (training.select(slice(images)), validation),
        target,
        pick_device(device),
        searched,
        say,
    )
    print(f"best on validation: {study.best_value:.4f}, trial {study.best_trial.number}")
    print(f"fmnist train {model} --recipe {recipe} {tuning.changes_of(study.best_trial, begun)}")
