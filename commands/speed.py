"""`fmnist benchmark speed`, `fmnist speedrun`: how fast networks are trained."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

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
from fmnist.classes import LEARNT_SIZE
from fmnist.errors import InputError
from fmnist.recipes import REPORTED_TEST

app = typer.Typer()
benchmark = typer.Typer()
JUDGED = 100  # images for validation and test of the peer, which judges after every epoch


@benchmark.command("speed")
def benchmark_speed(
    model: Annotated[str, typer.Argument(help="One of `fmnist models`.")] = "vgg",
    images: Annotated[
        int,
        typer.Option(min=256, max=LEARNT_SIZE, help="Training images of a pass."),
    ] = 6_400,
    rounds: Annotated[int, typer.Option(min=1, help="Passes of each, in turn.")] = 3,
    peer: Annotated[bool, typer.Option(help="Run `yolo classify train`, too.")] = True,
    run_dir: Annotated[Path, typer.Option("--run-dir", "-o", help="Runs of the peer.")] = Path(
        "runs/speed"
    ),
    json_file: Json = "",
    data_dir: DataDir = None,
    device: Device = "auto",
    compiling: Compile = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Measure training and answers of a classifier.

    Images a second, beside a plain loop and `yolo classify train`.
    """
    from fmnist import files
    from fmnist.models import MODELS

    known(model, MODELS, "model")
    all_free(overwrite, json_file)
    writable_folder(run_dir)
    folder = files.find(data_dir)

    from commands.tables import training_speed_table
    from detector.benchmark.answers import answers
    from fmnist.benchmark.inference import measured
    from fmnist.benchmark.peer import MODEL, epoch_seconds
    from fmnist.benchmark.training_speed import BATCHES, in_turn, our_trainer, plain_loop
    from fmnist.data import load_splits
    from fmnist.device import compiles, describe, pick_device
    from fmnist.models import build

    where = pick_device(device)
    train, validation, _ = load_splits(folder)
    batch = BATCHES[where.type]
    images -= images % batch  # the incomplete last batch is left out
    if not images:
        raise InputError(f"A batch here has {batch} images. Give --images {batch} or more.")
    with_compiler = compiles(compiling, where)
    split = train.select(slice(images))
    say = quiet_or_say(quiet)
    programs = {
        "plain PyTorch loop, fp32": plain_loop(model, split, where),
        "fmnist train": our_trainer(model, split, where, with_compiler),
    }
    if peer:
        judged = validation.select(slice(JUDGED))
        pictures = split, judged, judged
        programs[f"yolo classify train, {MODEL} at 28 px"] = partial(
            epoch_seconds, pictures, made(run_dir), where
        )
    rows = in_turn(programs, images, rounds, say)
    whole: dict[str, Any] = {
        "model": model,
        "rows": rows,
        "inference": measured(model, where),
        "batch": batch,
        "compiled": with_compiler,
        "answers": answers(build(model), where, compiled=with_compiler),
    }
    put(training_speed_table(whole), {**whole, **describe(where)}, json_file)


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
