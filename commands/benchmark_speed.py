"""`fmnist benchmark speed`: how fast networks are trained, and answer."""

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

app = typer.Typer()
JUDGED = 100  # images for validation and test of the peer, which judges after every epoch


@app.command("speed")
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
    from detector.benchmark.throughput import throughput
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
        "answers": throughput(build(model), where, compiled=with_compiler),
    }
    put(training_speed_table(whole), {**whole, **describe(where)}, json_file)
