"""The command that shows what a benchmark measured: report."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import DataDir, Overwrite, classifier_file, say, written
from fmnist.checks import free_folder

app = typer.Typer()


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
    """Make the page of a benchmark.

    The report of 2020 beside it, as HTML and Markdown.
    """
    from fmnist import files
    from fmnist.benchmark.tables import rows_of

    rows = rows_of(benchmark_file)
    path = classifier_file(weights)
    free_folder(output, overwrite)
    folder = files.find(data_dir)

    from fmnist.data import load_splits
    from fmnist.device import pick_device
    from fmnist.provenance import provenance
    from fmnist.report.page import write
    from fmnist.report.results import headline
    from fmnist.report.sections import all_sections

    sections = all_sections(rows, load_splits(folder), path)
    say(written(write(headline(rows), sections, provenance(pick_device("cpu")), output)))
