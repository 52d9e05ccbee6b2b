"""The run folder: one training from its settings to its result, stopped and resumed at will.

settings.json   everything that decides the run, resolved
metrics.csv     one line an epoch
state.pt        weights, averages and optimizers after the last whole epoch
best.*, last.*  weights and card: best on validation, and last of the schedule
result.json     validation and test figures of the last weights, once the schedule is done
curves.png, confusion.png
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fmnist import figures
from fmnist.checkpoint import (
    Facts,
    load_model,
    read_json,
    read_state,
    save_checkpoint,
    write_csv,
    write_json,
    write_state,
)
from fmnist.checks import no_run_in
from fmnist.data import Split, hold_out, load
from fmnist.errors import InputError
from fmnist.evaluation import Evaluation, from_logits, predict_logits
from fmnist.models import build
from fmnist.provenance import provenance
from fmnist.recipes import Recipe, recipe_for
from fmnist.training import NotFinite, Training, start, train_one_epoch

Row = dict[str, float]


@dataclass(frozen=True)
class Settings:
    """What decides a run; `init` names the weights that it began with, as the user named them."""

    model: str
    recipe_name: str
    recipe: Recipe
    epochs: int
    seed: int
    init: str = ""

    def to_dict(self) -> Facts:
        return {**self.__dict__, "recipe": self.recipe.to_dict()}

    @classmethod
    def from_dict(cls, values: Facts) -> "Settings":
        return cls(**{**values, "recipe": Recipe.from_dict(values["recipe"])})


@dataclass(frozen=True)
class Watch:
    """Who is told what: every step (epoch, steps done, steps) and every finished epoch (row)."""

    step: Callable[[int, int, int], None]
    epoch: Callable[[Row], None]


def plan(model: str, recipe_name: str, epochs: int | None, seed: int, init: str) -> Settings:
    """The settings of a new run."""
    recipe = recipe_for(recipe_name, model)
    return Settings(model, recipe_name, recipe, epochs or recipe.epochs, seed, init)


def splits(folder: Path) -> tuple[Split, Split, Split]:
    """Training, validation and test of the data set in `folder`."""
    return *hold_out(load(folder, "train")), load(folder, "test")


def prepare(run_dir: Path, settings: Settings, initial: Path | None = None) -> None:
    """Make a new run folder, for a run that begins with the weights `initial`.

    Raises:
        InputError: the folder already holds a run, it cannot be written, or the weights are not
            those of the network that is to be trained.
    """
    no_run_in(run_dir)
    if initial:
        _weights_of(settings.model, initial)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        write_json(run_dir / "settings.json", settings.to_dict())
    except OSError as error:
        raise InputError(
            f"{run_dir} cannot be written: {error.strerror}. Choose another folder with -o."
        ) from error


def read_settings(run_dir: Path, epochs: int | None = None) -> Settings:
    """The settings of a run to resume; `epochs` prolongs one whose learning rate is constant.

    Raises:
        InputError: no run is there, or its schedule does not allow more epochs.
    """
    path = run_dir / "settings.json"
    if not path.is_file():
        raise InputError(
            f"{run_dir} holds no run. Start one with `fmnist train MODEL -o {run_dir}`."
        )
    try:
        settings = Settings.from_dict(read_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged or of another version. Start a new run in another folder."
        ) from error
    if epochs is None or epochs == settings.epochs:
        return settings
    if settings.recipe.schedule != "constant":
        raise InputError(
            f"The schedule of {run_dir} was planned for {settings.epochs} epochs. "
            "Resume it without --epochs, or start a new run."
        )
    settings = replace(settings, epochs=epochs)
    write_json(path, settings.to_dict())
    return settings


def train(
    settings: Settings,
    run_dir: Path,
    splits: tuple[Split, Split, Split],
    device: torch.device,
    watch: Watch,
    max_minutes: float | None = None,
    stop_after: int | None = None,
    initial: Path | None = None,
) -> Facts | None:
    """Train from where the folder stands to the end of the schedule.

    Args:
        splits: training, validation and test.
        max_minutes: stop before an epoch that, as long as the last one, would end after it.
        stop_after: stop when this many epochs of the run are done.
        initial: weights of the same network to begin a new run with.

    Returns:
        What result.json holds, or None where the run was stopped before its end.

    Raises:
        InputError: the loss was not finite; the state of the last good epoch is kept.
    """
    training_split, validation, test = (split.to(device) for split in splits)
    training, rows = _begin(settings, run_dir, device, initial)
    limit = min(settings.epochs, stop_after or settings.epochs)
    started = time.monotonic()
    while training.epoch < limit:
        before = time.monotonic()
        try:
            row = train_one_epoch(
                training, training_split, lambda i, n: watch.step(training.epoch + 1, i, n)
            )
        except NotFinite as error:
            raise InputError(
                f"Training stopped: {error}. The epochs before it are kept in {run_dir}. "
                "Start a new run with another --seed."
            ) from error
        seconds = time.monotonic() - before
        judged = judge(training, validation)
        row = {
            "epoch": training.epoch,
            **row,
            "validation_loss": judged.loss,
            "validation_accuracy": judged.accuracy,
            "seconds": seconds,
        }
        rows.append(row)
        _save(run_dir, settings, training, rows, judged)
        watch.epoch(row)
        spent = time.monotonic() - started
        if max_minutes is not None and spent + (time.monotonic() - before) > max_minutes * 60:
            break
    if training.epoch < settings.epochs:
        return None
    return _finish(run_dir, settings, training, rows, validation, test)


def judge(training: Training, split: Split) -> Evaluation:
    """Evaluate the weights that would ship now."""
    return from_logits(predict_logits(training.weights(), split.images), split.labels)


def _begin(
    settings: Settings, run_dir: Path, device: torch.device, initial: Path | None
) -> tuple[Training, list[Row]]:
    """A new training, or the one that the folder holds, after its last whole epoch."""
    torch.manual_seed(settings.seed)
    model = build(settings.model, settings.recipe.dropout)
    saved = run_dir / "state.pt"
    if initial and not saved.exists():
        model.load_state_dict(_weights_of(settings.model, initial))
    training = start(model.to(device), settings.recipe, settings.epochs, settings.seed)
    if not saved.exists():
        return training, []
    state = read_state(saved, device)
    training.load_state_dict(state["training"])
    return training, state["rows"]


def _weights_of(model: str, path: Path) -> dict[str, torch.Tensor]:
    known, facts = load_model(path)
    if facts["model"] != model:
        raise InputError(
            f"{path} holds a {facts['model']}, not a {model}. "
            "Give --init weights of the same network."
        )
    return known.state_dict()


def _save(
    run_dir: Path, settings: Settings, training: Training, rows: list[Row], judged: Evaluation
) -> None:
    """After each epoch. state.pt comes last: until it stands, the epoch counts as not done."""
    facts = _card(settings, training) | {"validation": judged.to_dict()}
    weights = training.weights().state_dict()
    save_checkpoint(run_dir / "last.safetensors", weights, facts)
    if judged.accuracy >= max(row["validation_accuracy"] for row in rows):
        save_checkpoint(run_dir / "best.safetensors", weights, facts)
    write_csv(run_dir / "metrics.csv", rows)
    write_state(run_dir / "state.pt", {"training": training.state_dict(), "rows": rows})


def _finish(
    run_dir: Path,
    settings: Settings,
    training: Training,
    rows: list[Row],
    validation: Split,
    test: Split,
) -> Facts:
    """Use the test set, once, on the last weights of the schedule, and draw the figures."""
    tested = judge(training, test)
    facts = _card(settings, training) | {
        "seconds": sum(row["seconds"] for row in rows),
        "validation": judge(training, validation).to_dict(),
        "test": tested.to_dict(),
    }
    save_checkpoint(run_dir / "last.safetensors", training.weights().state_dict(), facts)
    write_json(run_dir / "result.json", facts)
    figures.curves(rows, run_dir / "curves.png")
    figures.confusion(tested.confusion, run_dir / "confusion.png")
    return facts


def _card(settings: Settings, training: Training) -> Facts:
    return {
        **settings.to_dict(),
        "weights": "exponential average" if training.average is not None else "as trained",
        "epochs_done": training.epoch,
        **provenance(next(training.model.parameters()).device),
    }
