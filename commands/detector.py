"""`fmnist detector train`, and the group."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    LARGEST,
    Backgrounds,
    DataDir,
    Device,
    Minutes,
    Photos,
    Quiet,
    Seed,
    grid_start,
    quiet_or_say,
    say,
)
from commands.running import check_folders
from detector.defaults import GRID_FILE, GRID_STATE
from detector.layouts import CELLS, LAYOUTS, VGG, YOLO, is_ultralytics_file
from detector.training.schedule import Schedule
from fmnist.checks import known, writable_folder
from fmnist.classes import VALIDATION_SIZE
from fmnist.errors import InputError
from fmnist.training.run_folder import METRICS, SETTINGS

# What a run leaves, or one of a classifier.
LEFT = (GRID_STATE, GRID_FILE.name, GRID_FILE.with_suffix(".json").name, METRICS, SETTINGS)
app = typer.Typer(help="Train and judge the detector.")


@app.command("train")
def detector_train(
    scenes: Annotated[
        int, typer.Option("--scenes", "--frames", min=1, help="Training frames; each is seen once.")
    ] = Schedule.scenes,
    image_size: Annotated[
        int, typer.Option(min=64, max=LARGEST, help="Longest side in pixels, a multiple of 32.")
    ] = Schedule.image_size,
    backgrounds: Backgrounds = None,
    photos: Photos = None,
    init: Annotated[
        str | None,
        typer.Option(metavar="WEIGHTS", help="Start from these; a yolo11n.pt will do."),
    ] = None,
    backbone: Annotated[
        str, typer.Option(help=f"Backbone of the grid: {', '.join(LAYOUTS)}.")
    ] = YOLO,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Do not train a VGG-like backbone: a third of the work."),
    ] = False,
    rate: Annotated[
        float, typer.Option(min=0.01, max=100, help="Factor on the learning rates.")
    ] = Schedule.rate,
    reports: Annotated[int, typer.Option(min=1, help="Validations on the way.")] = Schedule.reports,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that make frames.")] = 1,
    max_minutes: Minutes = None,
    run_dir: Annotated[Path, typer.Option("--run-dir", "-o", help="Results.")] = Path("runs/grid"),
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in -o; repeat its options."),
    ] = False,
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Train the grid.

    Its frames are made on the fly from the training images, and from photos.
    """
    from fmnist import files

    if not resume and any((run_dir / name).exists() for name in LEFT):
        if (run_dir / GRID_STATE).exists():
            raise InputError(f"{run_dir} holds a run. Go on with --resume, or choose another -o.")
        raise InputError(f"{run_dir} holds another run. Choose another -o.")
    if resume and not (run_dir / GRID_STATE).exists():
        raise InputError(f"{run_dir} holds no run that could go on. Start without --resume.")
    writable_folder(run_dir)
    known(backbone, LAYOUTS, "backbone")
    if freeze and (backbone != VGG or not init):
        raise InputError(
            "--freeze keeps what a classifier has learnt. Add --backbone vgg and --init vgg-plain."
        )
    initial = _start(init, resume) if init is not None else None

    check_size(image_size)
    check_folders(photos or (), backgrounds, is_resumed=resume)
    folder = files.find(data_dir)

    from detector.training.grid import train_grid
    from detector.training.initial_weights import initial_network
    from detector.training.run import Task
    from fmnist.device import pick_device

    if initial:  # a bad one is told before minutes of reading photos
        initial_network(initial, backbone, seed)
    schedule = Schedule(scenes=scenes, image_size=image_size, rate=rate, reports=reports)
    chosen = tuple(photos or ())
    task = Task(schedule, seed, initial, backbone, freeze, backgrounds, chosen)
    try:
        weights = train_grid(
            task,
            folder,
            run_dir,
            pick_device(device),
            workers=workers,
            max_minutes=max_minutes,
            resume=resume,
            say=quiet_or_say(quiet),
        )
    except KeyboardInterrupt:
        if (run_dir / GRID_STATE).exists():
            say("stopped; go on from its last minute with the same command and --resume")
        else:
            say("stopped in the first minute; nothing is kept")
        raise
    if weights:
        say(f"written: {weights}")


def _start(init: str, resume: bool) -> Path:
    """The weights that it starts from. Raises InputError where they know what validates."""
    from fmnist.training.settings import check_unseen

    initial = grid_start(init)
    if not resume and not is_ultralytics_file(initial):  # theirs are from other pictures
        check_unseen(VALIDATION_SIZE, [initial], is_fixed=True)
    return initial


def check_size(image_size: int) -> None:
    """Raises InputError where the cells of a grid do not fill it."""
    if left := image_size % CELLS:
        less = image_size - left
        raise InputError(
            f"--image-size {image_size} is no multiple of {CELLS}. Give {less} or {less + CELLS}."
        )
