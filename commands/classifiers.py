"""Commands of the classifiers: data, models, evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    DataDir,
    Device,
    Json,
    Overwrite,
    Weights,
    classifier_file,
    put,
    say,
)
from fmnist.checks import all_free, made, named_png, writable_folder
from fmnist.training.run_folder import name_of_weights

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
    """Find and check the data set, and draw it.

    Prints its figures; draws its classes and some samples.
    """
    from commands.progress import Progress
    from fmnist import files
    from fmnist.download import download as fetch

    pictures = output / "class_distribution.png", output / "samples.png"
    writable_folder(output)
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
    made(output)
    figures.save(figures.class_distribution(counts[0].numpy()), pictures[0])
    figures.save(figures.sample_grid(train.images.numpy(), train.labels.numpy()), pictures[1])
    say(f"written: {pictures[0]}, {pictures[1]}")


@app.command()
def models(json_file: Json = "", overwrite: Overwrite = False) -> None:
    """List the networks with parameters and operations."""
    all_free(overwrite, json_file)

    from dataclasses import asdict

    from commands.tables import models_table
    from fmnist.models import MODELS
    from fmnist.models.size import size_of

    rows = [
        {"model": name, **asdict(size_of(name)), "about": MODELS[name].about} for name in MODELS
    ]
    put(models_table(rows), rows, json_file)


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
    if confusion:
        from fmnist import figures

        figures.save(figures.confusion(result.confusion), confusion)
        say(f"written: {confusion}")
    put(evaluation_table(row), row, json_file)
