"""Commands that measure and show: benchmark, report, tune."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import (
    DataDir,
    Device,
    Json,
    Minutes,
    Overwrite,
    Quiet,
    put_json,
    say,
    weights_file,
)
from commands.training import carry_on, paced
from fmnist.checks import all_free, known
from fmnist.errors import InputError

if TYPE_CHECKING:
    import torch

    from fmnist.benchmark.summary import Row
    from fmnist.checkpoint import Facts
    from fmnist.data import Split
    from fmnist.settings import Settings

app = typer.Typer()
PEER = "ultralytics-cls"


@app.command()
def benchmark(
    rows: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="MODEL:RECIPE[:NAME=VALUE,...]", help="Instead of all."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of every row.")] = 1,
    columns: Annotated[str, typer.Option(help="Of the tables, with commas between.")] = "",
    peer: Annotated[str, typer.Option("--with", metavar=PEER, help="And its row.")] = "",
    teacher: Annotated[
        list[str] | None, typer.Option(metavar="WEIGHTS", help="Of rows with recipe distill.")
    ] = None,
    pretrained: Annotated[
        str, typer.Option(metavar="FILE", help="ImageNet weights; or torchvision: fetch them.")
    ] = "",
    table: Annotated[bool, typer.Option("--table", help="Train nothing: what there is.")] = False,
    max_minutes: Minutes = None,
    device: Device = "auto",
    run_dir: Annotated[Path, typer.Option("--run-dir", "-o", help="Runs and tables.")] = Path(
        "runs/benchmark"
    ),
    json_file: Json = "",
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Train rows of network and recipe over seeds; leave benchmark.json, .md and .csv.

    Stopped at any time, the same command goes on.
    """
    from fmnist import files
    from fmnist.benchmark.rows import ROWS, Row
    from fmnist.benchmark.tables import COLUMNS

    chosen = [Row.read(text) for text in rows or ROWS]
    shown = [known(name, COLUMNS, "column") for name in columns.split(",") if name] or [*COLUMNS]
    if peer:
        known(peer, [PEER], "peer")
    for name in teacher or ():
        weights_file(name)
    all_free(overwrite, json_file)
    folder = files.find(data_dir)

    from fmnist.benchmark import summary as measure
    from fmnist.data import splits
    from fmnist.device import pick_device

    data, where = splits(folder), pick_device(device)
    started = time.monotonic()

    def run(row: "Row", seed: int, folder: Path) -> bool:
        say(f"{row}, seed {seed}")
        left = max_minutes and max(0.0, max_minutes - (time.monotonic() - started) / 60)
        settings = _begun(row, seed, folder, (pretrained, teacher or ()), data[0], where)
        return carry_on(settings, folder, data, where, left, None, quiet) is not None

    if not table:
        measure.run_all(measure.trainable(chosen, teacher or ()), seeds, run_dir, run)
    facts = measure.of(chosen, seeds, run_dir)
    measure.add_inference(facts, run_dir, where, measure_new=not table)
    if peer and (seconds := measure.longest(facts)):
        from fmnist.benchmark.peer import classifier

        facts.append(classifier(data, run_dir / PEER, seconds, 0, where))
    _write(facts, shown, run_dir, json_file, where, quiet)


def _begun(
    row: "Row",
    seed: int,
    folder: Path,
    weights: tuple[str, Sequence[str]],
    split: "Split",
    device: "torch.device",
) -> "Settings":
    """The settings of a run that goes on, or those of one that begins now."""
    from fmnist.settings import prepare, read_settings

    if (folder / "settings.json").exists():
        return read_settings(folder)
    settings = paced(row.settings(seed, *weights), None, split, device)
    prepare(folder, settings)
    return settings


def _write(
    facts: "list[Facts]",
    columns: Sequence[str],
    run_dir: Path,
    json_file: str,
    device: "torch.device",
    quiet: bool,
) -> None:
    from fmnist.atomic import write_atomically
    from fmnist.benchmark.tables import comma_separated, markdown
    from fmnist.checkpoint import write_json
    from fmnist.provenance import provenance

    whole = {"rows": facts, **provenance(device)}
    text = markdown(facts, columns)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_json(run_dir / "benchmark.json", whole)
    write_atomically(run_dir / "benchmark.md", text.encode())
    write_atomically(run_dir / "benchmark.csv", comma_separated(facts, columns).encode())
    if json_file != "-":
        print(text, end="")
    put_json(whole, json_file)
    if not quiet:
        say(f"written: {run_dir}/benchmark.json, .md, .csv")


@app.command()
def report(
    benchmark_file: Annotated[
        Path, typer.Option("--benchmark", metavar="JSON", help="As `fmnist benchmark` wrote it.")
    ] = Path("runs/benchmark/benchmark.json"),
    weights: Annotated[str, typer.Option(help="Whose mistakes are shown.")] = "vgg",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the page.")] = Path(
        "fmnist-report"
    ),
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Make the page: the report of 2020 beside the benchmark, as HTML and Markdown."""
    from fmnist import files

    if not benchmark_file.is_file():
        raise InputError(
            f"{benchmark_file}: no such file. Make it with `fmnist benchmark`, "
            "which with --table trains nothing."
        )
    path = weights_file(weights)
    if output.exists():
        all_free(overwrite, output / "report.html")
    folder = files.find(data_dir)

    from fmnist.checkpoint import read_json
    from fmnist.data import splits
    from fmnist.device import pick_device
    from fmnist.provenance import provenance
    from fmnist.report.page import write
    from fmnist.report.sections import all_sections

    rows = read_json(benchmark_file).get("rows", [])
    sections = all_sections(rows, benchmark_file.parent, splits(folder), path)
    written = write(sections, provenance(pick_device("cpu")), output)
    say(f"written: {', '.join(map(str, written))}")


@app.command()
def tune(
    model: Annotated[str, typer.Argument(help="As `fmnist models` lists them.")] = "vgg",
    recipe: Annotated[str, typer.Option(help="Where the search begins.")] = "best",
    names: Annotated[str, typer.Option("--search", help="Parts of it, with commas between.")] = (
        "learning_rate,label_smoothing,dropout,erasing"
    ),
    trials: Annotated[int, typer.Option(min=1, help="In all, with those done before.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Of every trial.")] = 4,
    images: Annotated[int, typer.Option(min=100, help="Training images of a trial.")] = 55_000,
    device: Device = "auto",
    run_dir: Annotated[Path | None, typer.Option("--run-dir", "-o", help="Trials.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Search the numbers of a recipe on the validation images; the same command goes on."""
    from fmnist import files
    from fmnist.models import MODELS
    from fmnist.recipes import RECIPES, SEARCHED, recipe_for

    known(model, MODELS, "model")
    known(recipe, RECIPES, "recipe")
    searched = tuple(known(name, SEARCHED, "part to search") for name in names.split(",") if name)
    folder = files.find(data_dir)

    try:
        from fmnist import tuning
    except ModuleNotFoundError as error:
        raise InputError(f"{error}. Install it: pip install 'fmnist[tune]'.") from error
    from fmnist.data import hold_out, load
    from fmnist.device import pick_device

    training, validation = hold_out(load(folder, "train"))
    begun = recipe_for(recipe, model)
    study = tuning.search(
        model,
        begun,
        epochs,
        trials,
        (training.select(slice(images)), validation),
        run_dir or Path("runs") / f"tune-{model}-{recipe}",
        pick_device(device),
        searched,
        say,
    )
    print(f"best on validation: {study.best_value:.4f}, trial {study.best_trial.number}")
    print(f"fmnist train {model} --recipe {recipe} {tuning.changes_of(study.best_trial, begun)}")
