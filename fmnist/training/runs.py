"""One training from its settings to its result, stopped and resumed at will, in its folder."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from fmnist import figures
from fmnist.cards import Facts, read_json, write_json
from fmnist.checkpoint import (
    load_model,
    read_state,
    save_checkpoint,
    weights_of,
)
from fmnist.data import Split, Splits, release
from fmnist.errors import InputError, NotFinite
from fmnist.evaluation import Evaluation, from_logits, predict_logits
from fmnist.models import build
from fmnist.models.resnet import ResNet18
from fmnist.training import parallel
from fmnist.training.epoch import train_one_epoch
from fmnist.training.keeper import Keeper, Row, card
from fmnist.training.run_folder import (
    LAST,
    RESULT,
    SETTINGS,
    STATE,
    epochs_done,
    has_begun,
    is_finished,
    is_planned,
)
from fmnist.training.settings import Settings, digests_of
from fmnist.training.step import Training, start


@dataclass(frozen=True)
class Watch:
    """Who is told what: every step (epoch, steps done, steps) and every finished epoch (row)."""

    step: Callable[[int, int, int], None] = lambda epoch, done, steps: None
    epoch: Callable[[Row], None] = lambda row: None


UNWATCHED = Watch()


def train(
    settings: Settings,
    run_dir: Path,
    splits: Splits,
    device: torch.device,
    watch: Watch = UNWATCHED,
    max_minutes: float | None = None,
    stop_after: int | None = None,
    initial: Path | None = None,
    teachers: Sequence[Path] = (),
    compiled: bool = False,
) -> Facts | None:
    """Train from where the folder stands to the end of the schedule.

    `settings.prepare` makes the folder.

    Args:
        max_minutes: stop before an epoch that, as long as the last one, would end after it.
        stop_after: stop when this many epochs of the run are done.
        initial: weights of the same network to begin a new run with, those of `settings.init`.
        teachers: weights of the networks that `settings.teachers` names.
        compiled: have torch.compile fuse network and loss.

    Returns:
        What result.json holds, or None where the run was stopped before its end.

    Raises:
        InputError: the folder was not prepared, or holds what cannot be read; a teacher is not the
            one of before, or weights are not those of the network; batches cannot be shared.
        NotFinite: the state of an epoch before it is kept.
        ValueError: `initial` or `teachers` are not those that the settings name.
    """
    _check_files(settings, run_dir, initial, teachers)
    parallel.check_batch(settings.recipe.batch_size)
    if not parallel.broadcast(is_planned(run_dir)):  # that of the first process, which prepared it
        raise InputError(
            f"{run_dir} holds no run. Make one with `fmnist.training.settings.prepare`."
        )
    if not has_begun(run_dir) and (is_finished(run_dir) or epochs_done(run_dir) > 1):
        return _without_state(run_dir, settings)
    splits = release(splits, settings.recipe.held_out).to(device)
    digests = digests_of(teachers)
    settings = replace(settings, teacher_digests=digests)
    taught_by = [load_model(path, device)[0] for path in teachers]
    images = len(splits.training)
    training, rows = _begin(settings, run_dir, device, initial, taught_by, compiled, images)
    if training.epoch and teachers:
        _check_teachers(run_dir, teachers, digests)
    if is_finished(run_dir) and training.epoch >= settings.epochs:
        return _read_result(run_dir / RESULT)
    if not parallel.rank():
        (run_dir / RESULT).unlink(missing_ok=True)  # a run that is prolonged is not finished
    limit = min(settings.epochs, stop_after or settings.epochs)
    keeper = Keeper(run_dir, settings, rows)
    started = time.monotonic()
    while training.epoch < limit:
        before = time.monotonic()
        try:
            row, judged = _one_epoch(training, splits, watch)
        except NotFinite as error:
            raise NotFinite(f"{error} {keeper.in_words()} in {run_dir}.") from error
        rows.append(row)
        keeper.note(training, judged)
        watch.epoch(row)
        now = time.monotonic()
        too_late = max_minutes is not None and 2 * now - started - before > max_minutes * 60
        is_last = parallel.broadcast(too_late) or training.epoch >= limit
        keeper.keep(training, at_once=is_last)
        if is_last:
            break
    if training.epoch < settings.epochs:
        return None
    return _finish(run_dir, settings, training, rows, splits)


def _without_state(run_dir: Path, settings: Settings) -> Facts:
    """The result of a finished run whose state is gone; others cannot go on."""
    if is_finished(run_dir) and epochs_done(run_dir) >= settings.epochs:
        return _read_result(run_dir / RESULT)
    raise InputError(
        f"{run_dir / STATE} is missing, without which the run cannot go on. "
        "Put it back, or start a new run in another folder."
    )


def _read_result(path: Path) -> Facts:
    facts = read_json(path)
    if not isinstance(facts.get("test"), dict) or "accuracy" not in facts["test"]:
        raise InputError(f"{path} is damaged. Delete it, and the run is tested again.")
    return facts


def _one_epoch(training: Training, splits: Splits, watch: Watch) -> tuple[Row, Evaluation]:
    """Its row of the metrics, and what the weights are worth after it."""
    before = time.monotonic()
    tell = partial(watch.step, training.epoch + 1)
    trained = train_one_epoch(training, splits.training, tell)
    seconds = time.monotonic() - before
    judged = evaluate(training, splits.validation)  # shows a last step that diverged, too
    row = {
        "epoch": training.epoch,
        **trained,
        "validation_loss": judged.loss,
        "validation_accuracy": judged.accuracy,
        "seconds": seconds,
    }
    return row, judged


def _check_files(
    settings: Settings, run_dir: Path, initial: Path | None, teachers: Sequence[Path]
) -> None:
    """A card must not name weights that had no part in the training."""
    if len(teachers) != len(settings.teachers):
        raise ValueError(f"{len(settings.teachers)} teachers are named, {len(teachers)} given")
    if not has_begun(run_dir) and bool(initial) != bool(settings.init):
        raise ValueError(f"settings.init is {settings.init!r}, initial {initial}")


def _check_teachers(run_dir: Path, teachers: Sequence[Path], digests: Sequence[str]) -> None:
    """Raises InputError where a teacher of the epochs before has been replaced."""
    last = (run_dir / LAST).with_suffix(".json")
    if not last.is_file():
        raise InputError(
            f"{last} is missing, which tells of the teachers. Put it back, or start a new run."
        )
    known = read_json(last).get("teacher_digests", digests)
    for path, before, now in zip(teachers, known, digests, strict=True):
        if before != now:
            raise InputError(
                f"{path} is not the teacher that {run_dir} began with. "
                "Put that one back, or start a new run."
            )


def evaluate(training: Training, split: Split) -> Evaluation:
    """Evaluate the weights that would ship now."""
    return from_logits(predict_logits(training.weights(), split.images), split.labels)


def _begin(
    settings: Settings,
    run_dir: Path,
    device: torch.device,
    initial: Path | None,
    teachers: Sequence[nn.Module],
    compiled: bool,
    images: int,
) -> tuple[Training, list[Row]]:
    """A new training, or the one that the folder holds, after its last whole epoch."""
    torch.manual_seed(settings.seed)
    model = build(settings.model, settings.recipe.dropout)
    saved = run_dir / STATE
    if not saved.exists():
        if initial:
            model.load_state_dict(weights_of(settings.model, initial))
        if settings.pretrained and isinstance(model, ResNet18):
            model.load_imagenet(settings.pretrained)
    training = start(
        model.to(device),
        settings.recipe,
        settings.epochs,
        settings.seed,
        teachers,
        compiled,
        images,
    )
    if not saved.exists():
        return training, []
    state = read_state(saved, device)
    try:
        training.load_state_dict(state["training"])
        rows: list[Row] = state["rows"]
        if [row["epoch"] for row in rows] != [*range(1, training.epoch + 1)]:
            raise ValueError("Its epochs are not those of its rows.")
        return training, rows
    except torch.OutOfMemoryError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InputError(
            f"{saved} is of another run than {run_dir / SETTINGS}. "
            "Start a new run in another folder."
        ) from error


def _finish(
    run_dir: Path,
    settings: Settings,
    training: Training,
    rows: list[Row],
    splits: Splits,
) -> Facts:
    """Use the test set, once, on the last weights of the schedule, and draw the figures."""
    tested = evaluate(training, splits.test)
    facts = card(settings, training) | {
        "seconds": sum(row["seconds"] for row in rows),
        "validation": evaluate(training, splits.validation).to_dict(),
        "test": tested.to_dict(),
    }
    if parallel.rank():
        return facts
    save_checkpoint(run_dir / LAST, training.weights().state_dict(), facts)
    figures.save(figures.curves(rows), run_dir / "curves.png")
    figures.save(figures.confusion(tested.confusion), run_dir / "confusion.png")
    write_json(run_dir / RESULT, facts)  # last: with it the run counts as finished
    return facts
