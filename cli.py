"""The `fmnist` command: parse, check, call, print. What is heavy is imported inside a command."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from fmnist import console
from fmnist.checks import all_free, device_name, known, no_run_in
from fmnist.errors import InputError
from weights import WEIGHTS

if TYPE_CHECKING:
    from fmnist.data import Split
    from fmnist.runs import Settings as RunSettings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
detector_app = typer.Typer(help="Train and judge the detector, render its demo clip.")
app.add_typer(detector_app, name="detector")

DataDir = Annotated[Path | None, typer.Option(help="Folder of the four Fashion-MNIST files.")]
Device = Annotated[str, typer.Option(callback=device_name, help="auto, cpu, cuda or cuda:N.")]
Grid = Annotated[str, typer.Option(metavar="WEIGHTS", help="Of the grid that finds garments.")]
Head = Annotated[str, typer.Option(metavar="WEIGHTS", help="Of the classifier that names them.")]
Json = Annotated[str, typer.Option("--json", metavar="FILE", help="Write JSON; - is stdout.")]
Minutes = Annotated[float | None, typer.Option(min=0, help="Stop about then; --resume goes on.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, errors only.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Weights = Annotated[str, typer.Argument(help="A shipped name, or a .safetensors file.")]


def main() -> None:
    """Run and exit: 0 done, 1 our bug, 2 bad input or environment, 130 Ctrl-C."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command with these arguments; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    words = [word for word in arguments if word != "--debug"] or ["--help"]
    return console.run(lambda: _invoke(words), debug="--debug" in arguments)


def _invoke(words: list[str]) -> None:
    command = get_command(app)
    try:
        with command.make_context("fmnist", words) as context:
            command.invoke(context)
    except typer.Exit:
        return
    except typer.TyperException as error:  # wrong usage
        raise InputError(" ".join(error.format_message().split())) from None


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,
) -> None:
    """Train Fashion-MNIST classifiers; find and name garments in video."""
    if version:
        from importlib.metadata import version as installed

        print(f"fmnist {installed('fmnist')}")
        raise typer.Exit


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def weights_file(name: str) -> Path:
    """The file of shipped weights, or the .safetensors file that the user names."""
    if (path := Path(name)).suffix == ".safetensors":
        if not path.is_file():
            raise InputError(f"{path}: no such file. Train one with fmnist train.")
        return path
    shipped = sorted(file.stem for file in WEIGHTS.glob("*.safetensors"))
    return WEIGHTS / f"{known(name, shipped, 'shipped weights or .safetensors file')}.safetensors"


def _write_json(facts: Any, target: str) -> None:
    if target == "-":
        print(json.dumps(facts, indent=2))
    elif target:
        from fmnist.checkpoint import write_json

        write_json(Path(target), facts)
        _report(f"written: {target}")


# The classifiers


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
    from fmnist import files
    from fmnist.download import download as fetch
    from fmnist.progress import Progress

    pictures = output / "class_distribution.png", output / "samples.png"
    if output.exists():
        all_free(overwrite, *pictures)
    if download:
        with Progress() as progress:
            fetch(files.search_path(data_dir)[-1], progress)
    folder = files.find(data_dir)

    from fmnist import figures
    from fmnist.data import load
    from fmnist.tables import counts_table

    train, test = load(folder, "train"), load(folder, "test")
    print(f"{folder}: the MD5 of all four files is right")
    counts = [split.labels.bincount(minlength=10) for split in (train, test)]
    print(counts_table(*(count.tolist() for count in counts)))
    pixels = train.images.double() / 255
    print(f"mean {pixels.mean():.4f}, deviation {pixels.std():.4f} (train, pixels in 0..1)")
    figures.class_distribution(counts[0].numpy(), pictures[0])
    figures.sample_grid(train.images.numpy(), train.labels.numpy(), pictures[1])
    _report(f"written: {pictures[0]}, {pictures[1]}")


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="vgg or lenet.")] = "vgg",
    recipe: Annotated[str, typer.Option(help="report, best or crops.")] = "best",
    init: Annotated[str, typer.Option(metavar="WEIGHTS", help="Start from these.")] = "",
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    stop_after: Annotated[int | None, typer.Option(min=1, help="Pause at this epoch.")] = None,
    max_minutes: Minutes = None,
    seed: Seed = 0,
    device: Device = "auto",
    run_dir: Annotated[Path | None, typer.Option("--run-dir", "-o", help="Results.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with it.")] = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Train a classifier; leave weights, metrics, curves and results in a run folder."""
    from fmnist import files
    from fmnist.models import MODELS
    from fmnist.recipes import RECIPES

    known(model, MODELS, "model")
    known(recipe, RECIPES, "recipe")
    if init:
        weights_file(init)
    run_dir = resume or no_run_in(run_dir or Path("runs") / f"{model}-{recipe}-{seed}")
    folder = files.find(data_dir)

    from fmnist import runs
    from fmnist.device import pick_device
    from fmnist.progress import Progress
    from fmnist.tables import result_line

    where = pick_device(device)
    splits = runs.splits(folder)
    settings = runs.read_settings(resume, epochs) if resume else None
    settings = settings or runs.plan(model, recipe, epochs, seed, init)
    is_begun = (run_dir / "state.pt").exists()
    initial = weights_file(settings.init) if settings.init and not is_begun else None
    if not resume:
        runs.prepare(run_dir, settings, initial)
    tell = _report if not quiet else lambda _: None
    if settings.recipe.crops:
        splits = _crop_splits(splits, settings, run_dir / "crops.npz", tell)
    again = f"fmnist train --resume {run_dir}"
    with Progress(quiet) as progress:
        watch = runs.Watch(
            step=lambda epoch, done, of: progress(f"epoch {epoch} of {settings.epochs}", done, of),
            epoch=lambda row: progress.say("  ".join(f"{k} {v:.4g}" for k, v in row.items())),
        )
        try:
            facts = runs.train(
                settings, run_dir, splits, where, watch, max_minutes, stop_after, initial
            )
        except KeyboardInterrupt:
            progress.say(f"stopped; go on with: {again}")
            raise
    if facts:
        print(result_line(facts))
    tell(f"written: {run_dir}" if facts else f"stopped; go on with: {again}")


def _crop_splits(
    plain: "tuple[Split, Split, Split]",
    settings: "RunSettings",
    kept_in: Path,
    tell: Callable[[str], None],
) -> "tuple[Split, Split, Split]":
    from detector.crops import Plan, crop_splits

    if not kept_in.exists():
        tell("rendering crops: some minutes, once for a run")
    wanted = Plan(settings.recipe.crops, settings.recipe.nothing)
    return crop_splits(plain, wanted, settings.seed, kept_in, os.cpu_count() or 1)


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
    path = weights_file(weights)
    all_free(overwrite, json_file, confusion)

    from fmnist import files

    folder = files.find(data_dir)

    from fmnist.checkpoint import load_model
    from fmnist.data import load
    from fmnist.device import describe, pick_device
    from fmnist.evaluation import from_logits, predict_logits
    from fmnist.tables import evaluation_table

    where = pick_device(device)
    model, facts = load_model(path, where)
    test = load(folder, "test")
    result = from_logits(predict_logits(model, test.images), test.labels)
    row = {"weights": path.stem, "model": facts["model"], **result.to_dict(), **describe(where)}
    if json_file != "-":
        print(evaluation_table(row))
    _write_json(row, json_file)
    if confusion:
        from fmnist import figures

        figures.confusion(result.confusion, confusion)
        _report(f"written: {confusion}")


@app.command()
def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Photos of one garment each.")
    ],
    weights: Annotated[str, typer.Option(help="A shipped name or a file.")] = "vgg-crops",
    json_file: Json = "",
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Name the garment on each photo: the class, its probability, and the next two."""
    from detector.video.sources import find_sources

    paths = find_sources(images)
    all_free(overwrite, json_file)
    head_path = weights_file(weights)

    from detector.head import Head
    from detector.video.frames import read
    from fmnist.classes import CLASSES
    from fmnist.device import pick_device

    name = Head.load(head_path, pick_device(device))
    rows = []
    for path in paths:
        (garment,), (probabilities,) = name.whole(next(read(path)).image)
        words = [f"{CLASSES[i]} {probabilities[i]:.2f}" for i in probabilities.argsort()[:-4:-1]]
        if garment < 0.5:
            words.append(f"(perhaps no garment: {1 - garment:.2f})")
        row = {"path": str(path), "garment": float(garment), "probs": probabilities.tolist()}
        rows.append(row)
        if json_file != "-":
            print(str(path), *words, sep="  ")
    _write_json(rows, json_file)


@app.command()
def detect(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Videos, images, folders, globs.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Drawn video, or a folder.")
    ] = None,
    json_file: Annotated[
        str, typer.Option("--json", metavar="FILE", help="JSON lines; - is stdout.")
    ] = "",
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Some frames in one picture.")
    ] = None,
    conf: Annotated[float, typer.Option(min=0, max=1, help="Least confidence of a box.")] = 0.25,
    label_conf: Annotated[float, typer.Option(min=0, max=1, help="Below: unknown.")] = 0.5,
    classes: Annotated[str, typer.Option(help="Only these, with commas between.")] = "",
    every: Annotated[int, typer.Option(min=1, help="Only each n-th frame.")] = 1,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Open a window.")] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="No drawn video.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Damaged frames are an error.")] = False,
    image_size: Annotated[
        int | None, typer.Option(min=32, help="Longest side for the grid.")
    ] = None,
    grid: Grid = "grid",
    head: Head = "vgg-crops",
    device: Device = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw labelled boxes around the garments in videos and images."""
    from fmnist.classes import CLASSES

    wanted = tuple(known(name, CLASSES, "class") for name in classes.split(",") if name)

    from detector.video.sources import find_sources

    find_sources(sources)  # a wrong name is told before OpenCV is loaded

    from detector.plan import check_display, plan_outputs

    if show:
        check_display()
    plan = plan_outputs(sources, output, json_file, contact_sheet, no_video, overwrite)
    grid_path, head_path = weights_file(grid), weights_file(head)

    from detector.detect import Interrupted, Settings
    from detector.detect import detect as run_over
    from detector.grid import Grid
    from detector.head import Head
    from detector.pipeline import Detector
    from fmnist.device import leave_a_core, pick_device
    from fmnist.progress import Progress

    leave_a_core()
    where = pick_device(device)
    localiser = Grid.load(grid_path, where)
    localiser.image_size = image_size or localiser.image_size
    detector = Detector(localiser, Head.load(head_path, where), conf)
    settings = Settings(conf, label_conf, wanted, every, max_frames)
    facts = {"grid": grid_path.stem, "head": head_path.stem}
    with Progress(quiet) as progress:
        try:
            summary = run_over(plan, detector, settings, facts, show, strict, progress)
        except Interrupted as stop:
            _report(f"written: {', '.join(map(str, stop.summary.written)) or 'nothing'}")
            raise
        progress.say(str(summary))
        progress.say(f"written: {', '.join(map(str, summary.written)) or 'nothing'}")


# The detector


@detector_app.command("train")
def detector_train(
    scenes: Annotated[int, typer.Option(min=1, help="Frames, each seen once.")] = 60_000,
    image_size: Annotated[int, typer.Option(min=64, help="Longest side in pixels.")] = 320,
    backgrounds: Annotated[Path | None, typer.Option(help="Folder of your own photos.")] = None,
    init: Annotated[str, typer.Option(metavar="WEIGHTS", help="Start from these.")] = "",
    rate: Annotated[float, typer.Option(min=0.01, help="Times the learning rates.")] = 1.0,
    seed: Seed = 0,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that make frames.")] = 1,
    max_minutes: Minutes = None,
    run_dir: Annotated[Path, typer.Option("--run-dir", "-o", help="Results.")] = Path("runs/grid"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run there.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Train the grid on frames made on the fly from the training images."""
    from fmnist import files

    if not resume and any((run_dir / name).exists() for name in ("last.pt", "grid.safetensors")):
        raise InputError(f"{run_dir} holds a run. Go on with --resume, or choose another -o.")
    initial = weights_file(init) if init else None
    folder = files.find(data_dir)

    from detector.grid_training import Schedule
    from detector.protocol import train_grid
    from fmnist.device import pick_device

    try:
        weights = train_grid(
            folder,
            run_dir,
            Schedule(scenes=scenes, image_size=image_size, rate=rate),
            pick_device(device),
            photos=backgrounds,
            seed=seed,
            workers=workers,
            max_minutes=max_minutes,
            resume=resume,
            init=initial,
            report=_report,
        )
    except KeyboardInterrupt:
        _report("stopped; go on from the last report with the same command and --resume")
        raise
    if weights:
        _report(f"written: {weights}")


@detector_app.command("evaluate")
def detector_evaluate(
    grid: Grid = "grid",
    heads: Annotated[str, typer.Option(help="Classifiers, with commas between.")] = "vgg,vgg-crops",
    frames: Annotated[int, typer.Option(min=1, help="How many of the fixed set.")] = 1000,
    json_file: Json = "",
    data_dir: DataDir = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Judge grid and heads on frames made from test images over backgrounds of other kinds."""
    from fmnist import files

    all_free(overwrite, json_file)
    grid_path, head_paths = weights_file(grid), [weights_file(name) for name in heads.split(",")]
    folder = files.find(data_dir)

    from detector.grid import Grid
    from detector.head import Head
    from detector.protocol import compare_heads, judged_scenes
    from fmnist.data import load
    from fmnist.device import describe, pick_device
    from fmnist.tables import detector_table

    where = pick_device(device)
    scenes = judged_scenes(load(folder, "test"), frames)
    named = [Head.load(path, where) for path in head_paths]
    rows = compare_heads(Grid.load(grid_path, where), named, scenes)
    rows = [{"head": path.stem, **row} for path, row in zip(head_paths, rows, strict=True)]
    if json_file != "-":
        print(detector_table(rows))
    _write_json({"grid": grid_path.stem, "rows": rows, **describe(where)}, json_file)


@detector_app.command("clip")
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
    _report(f"written: {output}")


if __name__ == "__main__":
    main()
