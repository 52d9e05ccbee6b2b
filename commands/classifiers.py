"""Commands of the classifiers: data, models, evaluate, predict."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import (
    DataDir,
    Device,
    GridWeights,
    Json,
    Overwrite,
    Weights,
    classifier_file,
    grid_file,
    put_json,
    say,
)
from detector.defaults import GRID, HEAD
from fmnist.checks import all_free, named_png
from fmnist.errors import InputError
from fmnist.training.run_folder import name_of_weights

if TYPE_CHECKING:
    from detector.boxes import Picture

app = typer.Typer()


@app.command()
def data(
    data_dir: DataDir = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch it first.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the pictures.")] = Path(
        "fmnist-data"
    ),
    overwrite: Overwrite = False,
) -> None:
    """Find and check the data set; print its figures, draw its classes and some samples."""
    from commands.progress import Progress
    from fmnist import files
    from fmnist.download import download as fetch

    pictures = output / "class_distribution.png", output / "samples.png"
    if output.exists():
        all_free(overwrite, *pictures)
    if download:
        with Progress() as progress:
            fetch(files.search_path(data_dir)[-1], progress)
    folder = files.find(data_dir)

    from commands.tables import counts_table
    from fmnist import figures
    from fmnist.data import load

    train, test = load(folder, "train"), load(folder, "test")
    print(f"{folder}: the MD5 of all four files is right")
    counts = [split.labels.bincount(minlength=10) for split in (train, test)]
    print(counts_table(*(count.tolist() for count in counts)))
    pixels = train.images.double() / 255
    print(f"mean {pixels.mean():.4f}, deviation {pixels.std():.4f} (train, pixels in 0..1)")
    figures.class_distribution(counts[0].numpy(), pictures[0])
    figures.sample_grid(train.images.numpy(), train.labels.numpy(), pictures[1])
    say(f"written: {pictures[0]}, {pictures[1]}")


@app.command()
def models(json_file: Json = "", overwrite: Overwrite = False) -> None:
    """List the networks with their parameters and multiply-accumulates."""
    all_free(overwrite, json_file)

    from dataclasses import asdict

    from commands.tables import models_table
    from fmnist.models import ABOUT, MODELS
    from fmnist.models.size import size_of

    rows = [{"model": name, **asdict(size_of(name)), "about": ABOUT[name]} for name in MODELS]
    if json_file != "-":
        print(models_table(rows))
    put_json(rows, json_file)


@app.command()
def evaluate(
    weights: Weights,
    json_file: Json = "",
    confusion: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw the matrix.")] = None,
    data_dir: DataDir = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Judge a classifier on the 10,000 test images."""
    path = classifier_file(weights)
    all_free(overwrite, json_file, confusion)
    named_png(confusion)

    from fmnist import files

    folder = files.find(data_dir)

    from commands.tables import evaluation_table
    from fmnist.checkpoint import load_model
    from fmnist.data import load
    from fmnist.device import describe, pick_device
    from fmnist.evaluation import from_logits, predict_logits

    where = pick_device(device)
    model, facts = load_model(path, where)
    test = load(folder, "test")
    result = from_logits(predict_logits(model, test.images), test.labels)
    row = {
        "weights": name_of_weights(path),
        "model": facts["model"],
        **result.to_dict(),
        **describe(where),
    }
    if json_file != "-":
        print(evaluation_table(row))
    put_json(row, json_file)
    if confusion:
        from fmnist import figures

        figures.confusion(result.confusion, confusion)
        say(f"written: {confusion}")


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
    """Name the garment on each photo: the class, its probability, and the next two."""
    from detector.video.sources import find_sources, is_image

    paths = find_sources(images)
    photos = [path for path in paths if is_image(path) or path.suffix.lower() == ".gif"]
    failed = [
        f"{path} is no JPEG, PNG, BMP, TIFF, WebP or GIF. "
        "Convert it; for a video use fmnist detect."
        for path in paths
        if path not in photos
    ]
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
        row = {"path": str(path), "xyxy": xyxy.tolist(), "garment": garment}
        rows.append({**row, "probs": probabilities.tolist()})
        if json_file != "-":
            print(str(path), *words, sep="  ")
    put_json(rows, json_file)
    if failed:
        raise InputError(" ".join(failed))


def _decoded(photos: Iterable[Path], failed: list[str]) -> "Iterator[tuple[Path, Picture]]":
    """Each photo with its picture; what is wrong with one that has none is added to `failed`."""
    from detector.video.frames import Undecodable, read

    for path in photos:
        try:
            yield path, next(read(path)).image
        except Undecodable as error:
            failed.append(str(error))
