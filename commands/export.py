"""`fmnist export`: the grid or the head as a file that other programs run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from commands.options import Device, ImageSize, Overwrite, classifier_file, grid_file, say
from detector.backends.names import BACKENDS, FORMATS, installed, runs_on
from detector.defaults import GRID, GRID_FILE, HEAD
from fmnist.checks import all_free, known
from fmnist.errors import InputError
from fmnist.training.run_folder import name_of_weights

app = typer.Typer()


@app.command()
def export(
    part: Annotated[str, typer.Argument(metavar="grid|head", help="Which network.")],
    file_format: Annotated[
        str, typer.Option("--format", "-f", help=f"One of {', '.join(FORMATS)}.")
    ] = "onnx",
    weights: Annotated[str, typer.Option(metavar="WEIGHTS", help="Instead of the shipped.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; its card goes beside it.")
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Videos or images to compare on, instead of two photos."),
    ] = None,
    image_size: ImageSize = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Export grid or head, checked against torch.

    Bytes in, logits out; compared on real pictures.
    Where it says something else, nothing is written and the exit code is 3.
    """
    known(part, ("grid", "head"), "network")
    backend = installed(known(file_format, FORMATS, "format"))
    path = grid_file(weights or GRID) if part == "grid" else classifier_file(weights or HEAD)
    target = output or Path(name_of_weights(path) + BACKENDS[backend].suffix)
    if target.suffix != BACKENDS[backend].suffix:
        raise InputError(
            f"{target}: {backend} files end in {BACKENDS[backend].suffix}. "
            f"Name it {target.stem}{BACKENDS[backend].suffix}."
        )
    card = target.with_name(f"{target.name}.json")
    all_free(overwrite, target, card, target.with_suffix(".bin") if backend == "openvino" else None)

    from detector.video.sources import find_sources

    wrong: list[str] = []
    sources = find_sources([str(file) for file in check], wrong) if check else None
    if wrong:
        raise InputError(" ".join(wrong))

    from detector.backends.export import export as write
    from detector.backends.real_batches import bundled_photos, real_batches
    from detector.grid import Grid
    from detector.head import Head
    from fmnist.cards import write_json
    from fmnist.device import pick_device
    from fmnist.provenance import provenance

    goes_anywhere = device != "auto" or "cuda" in BACKENDS[backend].devices
    where = pick_device(device if goes_anywhere else "cpu")
    runs_on(backend, where.type)
    grid = Grid.load(path if part == "grid" else GRID_FILE, where)
    grid.image_size = image_size or grid.image_size
    network = grid if part == "grid" else Head.load(path, where)
    frames, crops = real_batches(grid, sources or bundled_photos())
    real = frames if part == "grid" else crops
    if not real:
        raise InputError("No box was found to compare on. Name pictures of clothes with --check.")
    agreement = write(network.graph, backend, target, where, real)
    facts: dict[str, Any] = {"weights": name_of_weights(path), "format": backend, **network.facts()}
    compared = {"inputs": agreement.inputs, "largest_difference": agreement.largest}
    write_json(card, {**facts, "compared_with_torch": compared, **provenance(where)})
    say(str(agreement))
    say(f"written: {target}, {card}")
