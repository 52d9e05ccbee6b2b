"""`fmnist detector evaluate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    Backend,
    DataDir,
    Device,
    GridWeights,
    ImageSize,
    Json,
    Overwrite,
    Photos,
    classifier_file,
    grid_file,
    listed,
    put,
    said,
    say,
)
from detector.defaults import GRID, HEAD
from fmnist.checks import all_free, known
from fmnist.errors import InputError
from fmnist.training.run_folder import name_of_weights

app = typer.Typer()


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
    faults: Annotated[
        str, typer.Option(help="Spoil the pictures, too: gray,dark,soft...; all: each in turn.")
    ] = "",
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
    wanted = _named_faults(faults)
    by_boxes = [option for option, chosen in (("--misses", misses), ("--faults", wanted)) if chosen]
    check_judged_by(photos or (), misses, by_boxes, named=any(head_paths))
    folder = None if photos else files.find(data_dir)

    from commands.detector_tables import detector_table
    from detector.backends.choice import run_with
    from detector.evaluation.comparison import rows_of, shortest
    from detector.evaluation.misses import worst
    from detector.evaluation.peer import Peer
    from detector.frame_sets import test_scenes, validation_photos
    from detector.grid import Grid
    from detector.head import Head
    from detector.pictures import write_image
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
    backend = run_with(backend, [localiser, *filter(None, named)], localiser.wide_hw, say)
    rows, found = rows_of(
        localiser,
        list(zip(shortest(names), named, strict=True)),
        peers,
        scenes,
        photos or (),
        wanted,
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


def _named_faults(text: str) -> list[str]:
    from detector.evaluation.faults import FAULTS

    return [*FAULTS] if text == "all" else [known(name, FAULTS, "fault") for name in listed(text)]


def check_judged_by(
    photos: Sequence[Path], misses: Path | None, by_boxes: Sequence[str], named: bool
) -> None:
    """Raises InputError where there is nothing to judge by, or the misses cannot be shown."""
    from detector.photos.folder import check_judged
    from detector.pictures import can_write_image

    if photos:
        check_judged(photos, by_boxes=by_boxes, want_names=named)
    if misses and not can_write_image(misses):
        raise InputError(f"{misses}: the misses are a picture. Name it {misses.stem}.png.")
