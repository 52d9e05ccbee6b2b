"""`fmnist speedrun`: training to an accuracy, against the clock."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    Compile,
    DataDir,
    Device,
    Json,
    Overwrite,
    Quiet,
    put,
    quiet_or_say,
)
from fmnist.checks import all_free, known, made, writable_folder
from fmnist.errors import InputError
from fmnist.recipes import REPORTED_TEST

app = typer.Typer()


@app.command()
def speedrun(
    model: Annotated[str, typer.Argument(help="One of `fmnist models`.")] = "vgg",
    recipe: Annotated[str, typer.Option(help="race, best, gpu or report.")] = "race",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A number of the recipe."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Fixed before the first run; else the recipe's.")
    ] = None,
    target: Annotated[
        float, typer.Option(min=0, max=100, help="Test accuracy to reach, in percent.")
    ] = round(100 * REPORTED_TEST, 2),
    seeds: Annotated[int, typer.Option(min=1, help="How many runs.")] = 3,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Judged by 5,000 validation images: no entry.")
    ] = False,
    run_dir: Annotated[Path, typer.Option("--run-dir", "-o", help="A file for every run.")] = Path(
        "runs/speedrun"
    ),
    json_file: Json = "",
    data_dir: DataDir = None,
    device: Device = "auto",
    compiling: Compile = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Train to a test accuracy, against the clock.

    docs/results.md has the rules.
    Stopped, the same command goes on with the next seed.
    """
    from dataclasses import replace

    from fmnist import files
    from fmnist.choices import changed_in, recipe_for
    from fmnist.models import MODELS
    from fmnist.recipes import RECIPES

    known(model, MODELS, "model")
    known(recipe, RECIPES, "recipe")
    named = changed_in(changes or ())
    if "epochs" in named:
        raise InputError("The length of the race is told by --epochs. Leave it out of --set.")
    if "held_out" in named:
        raise InputError("The race holds out what --rehearse does, or nothing. Leave out held_out.")
    settings = recipe_for(recipe, model, changes or ())
    settings = replace(settings, epochs=epochs or settings.epochs)
    if barred := next((n for n in ("distill", "crops", "seconds") if getattr(settings, n)), ""):
        without = "Use race" if getattr(RECIPES[recipe], barred) else f"Leave out {barred}"
        raise InputError(f"The race is of a fixed schedule on plain images. {without}.")
    all_free(overwrite, json_file)
    writable_folder(run_dir)
    folder = files.find(data_dir)

    from fmnist.benchmark import speedrun as race
    from fmnist.device import compiles, pick_device
    from fmnist.provenance import provenance

    where = pick_device(device)
    say = quiet_or_say(quiet)
    facts = provenance(where)
    with_compiler = compiles(compiling, where)  # the clock starts after it
    entry = race.entry_of(model, settings, with_compiler, rehearse, facts)
    training, judge = (split.to(where) for split in race.images(folder, rehearse))
    state, warm = race.warm_up(model, settings, training, judge, with_compiler)
    runs = []
    for seed in range(seeds):
        file = made(run_dir) / f"{model}-{seed}.json"
        runs.append(race.kept_run(file, entry, state, training, judge, seed))
        say(f"seed {seed}: {runs[-1]['accuracy']:.2%} in {runs[-1]['seconds']:.2f} s")
    whole = race.summary(runs, target / 100, where, rehearse)
    told = {**entry, **whole, "warm_up_seconds": warm, **facts}
    put(f"{model}: {race.in_words(whole)}", told, json_file)
