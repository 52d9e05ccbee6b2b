"""`fmnist detector`: clip, dataset."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import DataDir, Overwrite, Seed, say
from fmnist.checks import all_free, free_folder

app = typer.Typer()


@app.command("clip")
def detector_clip(
    output: Annotated[Path, typer.Option("--output", "-o", help="The video.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="How long.")] = 12,
    seed: Seed = 0,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Render a clip of moving garments from test images."""
    from fmnist import files

    all_free(overwrite, output)
    folder = files.find(data_dir)

    from detector.protocol import write_clip
    from fmnist.data import load

    write_clip(output, load(folder, "test"), seed, seconds)
    say(f"written: {output}")


@app.command("dataset")
def detector_dataset(
    photos: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Photos of known garments.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the data set.")],
    overwrite: Overwrite = False,
) -> None:
    """Write photos as a data set for `yolo detect train`, with the split that we train with."""
    from detector.photos.folder import check

    check(photos)
    free_folder(output, overwrite)

    from detector.photos.dataset import write_dataset

    count = write_dataset(photos, output)
    parts = f"{count['train']} photos to train, {count['val']} to validate"
    say(f"written: {output}/data.yaml ({parts})")
