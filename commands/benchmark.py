"""The command that measures networks and recipes over seeds: benchmark."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import (
    Compile,
    DataDir,
    Device,
    Json,
    Minutes,
    Overwrite,
    Pretrained,
    Quiet,
    classifier_file,
    listed,
    put,
    said,
    say,
)
from commands.running import RunOptions, carry_on, paced
from fmnist.benchmark.rows import (
    PEER,
    ROWS,
    Row,
    check_imagenet,
    check_read,
    check_runs,
    seeds_in,
    trainable,
)
from fmnist.checks import all_free, known, made, writable_folder
from fmnist.errors import InputError, NotFinite
from fmnist.training.run_folder import is_planned

if TYPE_CHECKING:
    import torch

    from fmnist.cards import Facts
    from fmnist.data import Splits
    from fmnist.training.settings import Settings

app = typer.Typer()
group = typer.Typer()
app.add_typer(group, name="benchmark")


@group.callback(invoke_without_command=True)
def benchmark(
    context: typer.Context,
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--row", metavar="MODEL[:RECIPE[:NAME=VALUE,...]]", help="Only this; repeatable."
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Runs of every row; with --table all that are finished.")
    ] = 1,
    columns: Annotated[str, typer.Option(help="Columns of the tables, separated by commas.")] = "",
    peer: Annotated[
        str,
        typer.Option(
            "--with",
            metavar=PEER,
            help="Also train ultralytics' classifier, as long as our longest run.",
        ),
    ] = "",
    teacher: Annotated[
        list[str] | None,
        typer.Option(metavar="WEIGHTS", help="For the recipe distill; repeatable."),
    ] = None,
    pretrained: Pretrained = "",
    earlier: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="Keep its rows that are not measured here."),
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Train nothing: tabulate the finished runs.")
    ] = False,
    max_minutes: Minutes = None,
    device: Device = "auto",
    compiling: Compile = "auto",
    run_dir: Annotated[Path, typer.Option("--run-dir", "-o", help="Runs and tables.")] = Path(
        "runs/benchmark"
    ),
    json_file: Json = "",
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Train rows of network and recipe over seeds.

    Leaves benchmark.json, .md and .csv.

    Stopped at any time, the same command goes on.
    """
    if context.invoked_subcommand:
        refuse_options(context)
        return

    from fmnist import files
    from fmnist.benchmark.tables import COLUMNS, SPEEDS, kept_rows, kept_speeds

    chosen = [Row.read(text) for text in rows or ROWS]
    shown = [known(name, COLUMNS, "column") for name in listed(columns)] or [*COLUMNS]
    if peer:
        known(peer, [PEER], "peer")
    taught_by = [classifier_file(name) for name in teacher or ()]
    all_free(overwrite, json_file)
    writable_folder(run_dir)
    check_tables(run_dir, overwrite)
    before = kept_rows(run_dir / "benchmark.json", earlier)
    kept_speeds(run_dir / SPEEDS)
    trained = trainable(chosen, teacher or ())
    if rows and not table and len(trained) < len(chosen):
        raise InputError("A row with recipe distill needs --teacher WEIGHTS, one or more.")
    if table and not said(context, "seeds"):
        seeds = seeds_in(chosen, run_dir)
    check_runs(chosen, seeds, run_dir, None)
    if not table:
        check_read(trained, pretrained, teacher or (), taught_by)
        check_runs(trained, seeds, run_dir, (pretrained, teacher or ()), taught_by)
    data_folder, is_whole = None if table else files.find(data_dir), False

    from fmnist.benchmark import summary
    from fmnist.device import pick_device

    where = pick_device(device)
    if data_folder:
        check_imagenet(trained, seeds, run_dir, pretrained)
        weights = pretrained, teacher or ()
        run = _runner(data_folder, run_dir, where, weights, max_minutes, quiet, compiling)
        is_whole = summary.run_all(trained, seeds, run_dir, run)
    facts = summary.summarize(chosen, seeds, run_dir)
    summary.add_inference(facts, run_dir, where, measure_new=not table)
    if peer:
        facts += _peer(data_folder if is_whole else None, run_dir, summary.longest(facts), where)
    facts = summary.with_earlier(facts, before)
    _write(facts, shown, run_dir, json_file, where, quiet)


def check_tables(run_dir: Path, overwrite: bool) -> None:
    """Raises InputError where tables are there that are not ours: without the JSON beside them."""
    if run_dir.exists() and not (run_dir / "benchmark.json").is_file():
        all_free(overwrite, run_dir / "benchmark.md", run_dir / "benchmark.csv")


def refuse_options(context: typer.Context) -> None:
    """Raises InputError where one stands before the name of a command that does not read it."""
    name = context.invoked_subcommand
    named = {option.name or "": option.opts[0] for option in context.command.params}
    if early := [named[option] for option in named if said(context, option)]:
        raise InputError(
            f"{early[0]} stands before {name}, which does not read it. "
            f"Options of a measurement follow its name: fmnist benchmark {name} ..."
        )


def _runner(
    data_folder: Path,
    run_dir: Path,
    device: "torch.device",
    weights: tuple[str, Sequence[str]],
    max_minutes: float | None,
    quiet: bool,
    compiling: str,
) -> "Callable[[Row, int, Path], bool]":
    """What trains a row with a seed; false where the time is over or it was stopped."""
    from fmnist.data import load_splits

    data = load_splits(data_folder)
    end = None if max_minutes is None else time.monotonic() + 60 * max_minutes

    def run(row: "Row", seed: int, folder: Path) -> bool:
        left = None if end is None else (end - time.monotonic()) / 60
        if left is not None and left <= 0:
            return False
        if not quiet:
            say(f"{row}, seed {seed}")
        settings = _begun(row, seed, run_dir, weights, data, device, compiling == "on")
        try:
            options = RunOptions(left, None, quiet, compiling, "the same command")
            done = carry_on(settings, folder, data, device, options)
        except NotFinite as error:  # the other rows can be measured
            say(f"{row}, seed {seed}: {error}")
            return True
        return done is not None

    return run


def _peer(
    data_folder: Path | None, run_dir: Path, seconds: float, device: "torch.device"
) -> "list[Facts]":
    """The row of ultralytics' classifier, trained as long as the longest of ours; or none yet."""
    from fmnist.benchmark import peer
    from fmnist.data import load_splits

    if data_folder is None or not seconds:
        done = peer.finished(run_dir / PEER)
        return [done] if done else []
    return [peer.classifier(load_splits(data_folder), run_dir / PEER, seconds, 0, device)]


def _begun(
    row: "Row",
    seed: int,
    run_dir: Path,
    weights: tuple[str, Sequence[str]],
    data: "Splits",
    device: "torch.device",
    compiled: bool,
) -> "Settings":
    """The settings of a run that goes on, or those of one that begins now.

    As many epochs as fit into a time are counted once: all seeds of a row have those of the first.
    """
    from fmnist.training.settings import prepare, read_settings

    folder, first = row.folder(run_dir, seed), row.folder(run_dir, 0)
    if is_planned(folder):
        return read_settings(folder)
    settings = row.settings(seed, *weights)
    if settings.recipe.seconds and is_planned(first):
        settings = replace(settings, epochs=read_settings(first).epochs)
    else:
        settings = paced(settings, None, data, device, compiled)
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
    from fmnist.cards import write_json
    from fmnist.provenance import provenance

    whole = {"rows": facts, **provenance(device)}
    text = markdown(facts, columns)
    made(run_dir)
    write_json(run_dir / "benchmark.json", whole)
    write_atomically(run_dir / "benchmark.md", text.encode())
    write_atomically(run_dir / "benchmark.csv", comma_separated(facts, columns).encode())
    if not quiet:
        say(f"written: {run_dir}/benchmark.json, .md, .csv")
    put(text.removesuffix("\n"), whole, json_file)
