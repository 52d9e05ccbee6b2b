"""`fmnist detector`: clip, dataset, blend."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import DataDir, Overwrite, Photos, Seed, grid_file, say
from detector.layouts import backbone_of, grid_card
from fmnist.checks import all_free, free_folder, named_mp4
from fmnist.errors import InputError

app = typer.Typer()


@app.command("clip")
def detector_clip(
    output: Annotated[Path, typer.Option("--output", "-o", help="The video.")],
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds of video.")] = 12,
    seed: Seed = 0,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Render a clip of moving garments from test images."""
    from fmnist import files

    named_mp4(output)
    all_free(overwrite, output)
    folder = files.find(data_dir)

    from detector.synthesis.clip import write_clip
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
    """Write photos as a data set for `yolo detect train`.

    With the split that we train with.
    """
    from detector.photos.folder import check_split

    check_split(photos)
    free_folder(output, overwrite)

    from detector.photos.dataset import write_dataset

    count = write_dataset(photos, output)
    parts = f"{count['train']} photos to train, {count['val']} to validate"
    say(f"written: {output}/data.yaml ({parts})")


@app.command("blend")
def detector_blend(
    first: Annotated[str, typer.Argument(metavar="GRID", help="Weights to start from.")],
    second: Annotated[str, typer.Argument(metavar="GRID", help="The same, trained on.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="NAME.safetensors.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the second.")] = 0.5,
    photos: Photos = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Take the mean of a grid and of its further training.

    And choose the size at which it looks.
    """
    from fmnist import files

    if output.suffix != ".safetensors":
        raise InputError(
            f"{output}: weights end in .safetensors. Name it {output.stem}.safetensors."
        )
    all_free(overwrite, output, output.with_suffix(".json"))
    before, after = grid_file(first), grid_file(second)
    check_blend(before, after)

    from detector.photos.folder import check

    check(photos or ())
    folder = files.find(data_dir)

    from detector.frame_sets import validation_photos, validation_sets
    from detector.training.blend import blend, blended
    from fmnist.data import hold_out, load
    from fmnist.device import pick_device
    from fmnist.provenance import provenance

    real = validation_photos(photos or ())
    if photos and not real:
        raise InputError("--photos hold no frame to choose by. Give 8 or more with masks or boxes.")
    network = blended(before, after, share)
    _, held_out = hold_out(load(folder, "train"))
    validation = validation_sets(held_out, seed, real)
    shares = {before: round(1 - share, 6), after: share}
    blend(network, shares, validation, output, provenance(pick_device("cpu")), say)
    say(f"written: {output}")


def check_blend(first: Path, second: Path) -> None:
    """Raises InputError where the two are no grids of one kind, by their cards."""
    if first == second:
        raise InputError(f"{first} is both grids. Give one, and what further training made of it.")
    one, other = (backbone_of(grid_card(path)) for path in (first, second))
    if one != other:
        raise InputError(
            f"{first} is a grid on {one}, {second} one on {other}. "
            "Give a grid and the one that its training started from."
        )
