"""The folder of a training: which file is what, and what they tell of the run. No torch here.

Beside these it holds figures, and for a head the crops that it learns from.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fmnist.checks import writable_folder
from fmnist.errors import InputError

SETTINGS = "settings.json"  # what decides the run; with it, it is planned
METRICS = "metrics.csv"  # a line an epoch
LAST = "last.safetensors"  # weights of the schedule so far, their card beside them
BEST = "best.safetensors"  # and those that were best on validation
STATE = "state.pt"  # what it goes on from; with it, an epoch is done
RESULT = "result.json"  # what it came to; with it, the run is finished
LEFT = (METRICS, LAST, BEST, STATE, RESULT)  # by a run; METRICS by one of a grid, too
LOCK = ".lock"  # empty; who trains here holds it


def is_planned(run: Path) -> bool:
    return (run / SETTINGS).is_file()


def has_begun(run: Path) -> bool:
    """Whether an epoch is behind it."""
    return (run / STATE).is_file()


def is_finished(run: Path) -> bool:
    return (run / RESULT).is_file()


def epochs_done(run: Path) -> int:
    metrics = run / METRICS
    return len(metrics.read_text(encoding="utf-8").splitlines()) - 1 if metrics.is_file() else 0


@contextmanager
def claimed(run: Path) -> Iterator[None]:
    """Nobody else writes this run meanwhile; the system lets go of it when the process dies.

    Raises:
        InputError: another process trains there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(run / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"Another process trains in {run}. Wait until it has ended, or choose another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def no_run_in(folder: Path) -> Path:
    """The folder of a new run.

    Raises:
        InputError: it holds a run already, or what one left, or cannot be written.
    """
    if is_planned(folder):
        raise InputError(
            f"{folder} already holds a run. Go on with --resume {folder}, or choose another -o."
        )
    if any((folder / name).exists() for name in LEFT):  # of a grid, or without its settings
        raise InputError(f"{folder} holds another run. Choose another -o.")
    return writable_folder(folder)


def name_of_weights(weights: Path) -> str:
    """How a record names weights: those that a run left last by its folder."""
    is_of_run = (weights.parent / METRICS).is_file() and weights.stem != Path(BEST).stem
    return weights.parent.resolve().name if is_of_run else weights.stem
