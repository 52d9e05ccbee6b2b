"""The `fmnist` command: parse, call, and end with the right exit code."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, NoReturn

import typer
from typer.main import get_command

from commands import (
    benchmark,
    benchmark_detect,
    benchmark_speed,
    classifiers,
    console,
    detect,
    detector,
    detector_data,
    detector_evaluate,
    detector_tracks,
    export,
    live,
    predict,
    report,
    speedrun,
    train,
    tune,
)
from fmnist.errors import InputError

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(classifiers.app)
app.add_typer(train.app)
benchmark.group.add_typer(benchmark_detect.app)
benchmark.group.add_typer(benchmark_speed.app)
app.add_typer(benchmark.app)
app.add_typer(report.app)
app.add_typer(tune.app)
app.add_typer(predict.app)
app.add_typer(detect.app)
detector.app.add_typer(detector_evaluate.app)
detector.app.add_typer(detector_tracks.app)
detector.app.add_typer(detector_data.app)
app.add_typer(detector.app, name="detector")
app.add_typer(export.app)
app.add_typer(live.app)
app.add_typer(speedrun.app)


def main() -> None:
    """Run and exit: 0 done, 1 our bug, 2 bad input or environment, 3 a check failed, 130 Ctrl-C."""
    code = run(sys.argv[1:])
    if code == console.INTERRUPTED:
        _end_at_once(code)
    sys.exit(code)


def _end_at_once(code: int) -> NoReturn:
    """Whoever presses Ctrl-C twice has threads in FFmpeg or torch, which Python's end would abort.

    All files are in place by now; what waits for Python's end is done here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if backends := sys.modules.get("detector.backends.runners"):
        backends.clear_own_folder()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command with these arguments; the exit code."""
    # None: closed by whoever called; what is said there is lost, and must not go to the other.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
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


if __name__ == "__main__":
    main()
