"""`fmnist detector`: train, evaluate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    LARGEST,
    Backend,
    Backgrounds,
    DataDir,
    Device,
    GridWeights,
    ImageSize,
    Json,
    Minutes,
    Overwrite,
    Photos,
    Quiet,
    Seed,
    classifier_file,
    grid_file,
    grid_start,
    listed,
    put,
    quiet_or_say,
    said,
    say,
)
from detector.defaults import GRID, GRID_FILE, GRID_STATE, HEAD
from detector.layouts import CELLS, LAYOUTS, VGG, YOLO
from detector.training.schedule import Schedule
from fmnist.checks import all_free, known, writable_folder
from fmnist.classes import VALIDATION_SIZE
from fmnist.errors import InputError
from fmnist.training.run_folder import METRICS, SETTINGS, name_of_weights

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
        float, typer.Option(min=0.01, help="Factor on the learning rates.")
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

    from detector.photos.folder import check, check_split

    check_size(image_size)
    (check if resume else check_split)(photos or ())
    if backgrounds:
        from detector.synthesis.backgrounds import photos_in

        photos_in(backgrounds)
    folder = files.find(data_dir)

    from detector.protocol import train_grid
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
            report=quiet_or_say(quiet),
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
    if not resume and initial.suffix != ".pt":  # of ultralytics, from other pictures
        check_unseen(VALIDATION_SIZE, [initial], is_fixed=True)
    return initial


def check_size(image_size: int) -> None:
    """Raises InputError where the cells of a grid do not fill it."""
    if left := image_size % CELLS:
        less = image_size - left
        raise InputError(
            f"--image-size {image_size} is no multiple of {CELLS}. Give {less} or {less + CELLS}."
        )


@app.command("evaluate")
def detector_evaluate(
    context: typer.Context,
    grid: GridWeights = GRID,
    heads: Annotated[
        str, typer.Option(help="Classifiers, separated by commas; none: the grid's own classes.")
    ] = f"none,vgg,{HEAD}",
    yolo: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Judge this .pt of yolo detect train, too; repeatable."),
    ] = None,
    photos: Photos = None,
    frames: Annotated[
        int, typer.Option(min=1, help="How many of the fixed set of painted frames.")
    ] = 1000,
    image_size: ImageSize = None,
    json_file: Json = "",
    misses: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the worst misses.")
    ] = None,
    data_dir: DataDir = None,
    device: Device = "auto",
    backend: Backend = "torch",
    overwrite: Overwrite = False,
) -> None:
    """Judge grid and heads.

    On frames made from test images, or on the validation part of photos.
    """
    from fmnist import files

    if photos and said(context, "frames"):
        raise InputError("--frames are painted, not photographed. Leave it or --photos out.")
    all_free(overwrite, json_file, misses)
    grid_path = grid_file(grid)
    if not (names := listed(heads)):
        raise InputError("--heads names none. Give them with commas between, or leave it out.")
    head_paths = [classifier_file(name) if name != "none" else None for name in names]
    check_judged_by(photos or (), misses, named=any(head_paths))
    folder = None if photos else files.find(data_dir)

    from commands.detector_tables import detector_table
    from detector.backends.choice import run_with
    from detector.evaluation.comparison import rows_of, shortest
    from detector.evaluation.misses import worst
    from detector.evaluation.peer import Peer
    from detector.grid import Grid
    from detector.head import Head
    from detector.protocol import test_scenes, validation_photos
    from detector.video.disk import write_image
    from fmnist.data import load
    from fmnist.device import describe, pick_device

    where = pick_device(device)
    facts = describe(where)
    peers = [Peer(path, image_size, where) for path in yolo or ()]
    scenes = (
        test_scenes(load(folder, "test"), frames) if folder else validation_photos(photos or ())
    )
    if peers and not scenes:
        raise InputError("--yolo is judged by its boxes. Add --photos with more than one garment.")
    named = [Head.load(path, where) if path else None for path in head_paths]
    localiser = Grid.load(grid_path, where)
    localiser.image_size = image_size or localiser.image_size
    backend = run_with(backend, [localiser, *filter(None, named)], localiser.wide, say)
    rows, found = rows_of(
        localiser, list(zip(shortest(names), named, strict=True)), peers, scenes, photos or ()
    )
    if misses and scenes:
        write_image(misses, worst(found, scenes))
        say(f"written: {misses}")
    settings = {
        "grid": name_of_weights(grid_path),
        "image_size": localiser.image_size,
        "backend": backend,
    }
    put(detector_table(rows), {**settings, "rows": rows, **facts}, json_file)


def check_judged_by(photos: Sequence[Path], misses: Path | None, named: bool) -> None:
    """Raises InputError where there is nothing to judge by, or the misses cannot be shown."""
    from detector.photos.folder import check_judged
    from detector.video.disk import is_picture

    if photos:
        check_judged(photos, want_frames=misses is not None, want_names=named)
    if misses and not is_picture(misses):
        raise InputError(f"{misses}: the misses are a picture. Name it {misses.stem}.png.")
