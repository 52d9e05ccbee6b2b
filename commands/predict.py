"""The command that names the one garment on a photo."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import (
    Device,
    GridWeights,
    Json,
    Overwrite,
    classifier_file,
    grid_file,
    put_json,
)
from detector.defaults import GRID, HEAD
from fmnist.checks import all_free
from fmnist.errors import InputError

if TYPE_CHECKING:
    from detector.boxes import Picture

app = typer.Typer()


@app.command()
def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Photos of one garment each.")
    ],
    weights: Annotated[
        str, typer.Option("--weights", "--head", help="Shipped, a file, or a run.")
    ] = HEAD,
    grid: GridWeights = GRID,
    json_file: Json = "",
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Name the one garment on each photo.

    Tells the class, its probability, and the next two.
    """
    from detector.video.sources import find_sources, is_gif, is_image

    failed: list[str] = []
    photos = []
    for path in find_sources(images, failed):
        if is_image(path) or is_gif(path):
            photos.append(path)
        else:
            kinds = "JPEG, PNG, HEIC, AVIF, BMP, TIFF, WebP or GIF"
            failed.append(f"{path} is no {kinds}. Convert it; for a video use fmnist detect.")
    all_free(overwrite, json_file)
    grid_path, head_path = grid_file(grid), classifier_file(weights)
    pictures = _decoded(photos, failed)
    first = next(pictures, None)  # before the networks are loaded
    if first is None:
        raise InputError(" ".join(failed))

    from detector.grid import Grid
    from detector.head import Head
    from detector.single import SURE_OF_ONE, name_single
    from fmnist.classes import CLASSES
    from fmnist.device import pick_device

    where = pick_device(device)
    finder, namer = Grid.load(grid_path, where), Head.load(head_path, where)
    rows = []
    for path, photo in itertools.chain([first], pictures):
        xyxy, garment, probabilities = name_single(finder(photo, SURE_OF_ONE), namer, photo)
        words = [f"{CLASSES[i]} {probabilities[i]:.2f}" for i in probabilities.argsort()[:-4:-1]]
        if garment < 0.5:
            words.append(f"(perhaps no garment: {1 - garment:.2f})")
        label = int(probabilities.argmax())
        row: dict[str, Any] = {"path": str(path), "xyxy": [round(x, 1) for x in xyxy.tolist()]}
        row |= {"label": CLASSES[label], "label_conf": round(float(probabilities[label]), 4)}
        probs = [round(p, 4) for p in probabilities.tolist()]
        rows.append({**row, "garment": round(garment, 4), "probs": probs})
        if json_file != "-":
            print(str(path), *words, sep="  ")
    put_json(rows, json_file)
    if failed:
        raise InputError(" ".join(failed))


def _decoded(photos: Iterable[Path], failed: list[str]) -> "Iterator[tuple[Path, Picture]]":
    """Each photo with its picture; what is wrong with one that has none is added to `failed`."""
    from detector.video.frames import read

    for path in photos:
        try:
            yield path, next(read(path)).image
        except InputError as error:
            failed.append(str(error))
