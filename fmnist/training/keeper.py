"""What a training leaves behind in its run folder while it goes on."""

import math
import time
from pathlib import Path

from torch import Tensor

from fmnist.cards import Facts, write_csv
from fmnist.checkpoint import save_checkpoint, write_state
from fmnist.evaluation import Evaluation
from fmnist.provenance import provenance, travelling
from fmnist.training import parallel, run_folder
from fmnist.training.settings import Settings
from fmnist.training.step import Training

Row = dict[str, float]
KEEP_EVERY = 5.0  # seconds


class Keeper:
    """Writes the run folder after an epoch, but not more often than every few seconds.

    Epochs of a GPU can be shorter than it takes to write them down.
    """

    def __init__(self, run_dir: Path, settings: Settings, rows: list[Row]) -> None:
        self._run_dir = run_dir
        self._settings = settings
        self._rows = rows
        self._facts: Facts = {}
        self._best: tuple[dict[str, Tensor], Facts] | None = None
        self._written = -math.inf
        self._kept = len(rows)  # epochs

    def in_words(self) -> str:
        """What of the run is there."""
        return f"Epoch {self._kept} is kept" if self._kept else "Nothing of it is kept"

    def note(self, training: Training, judged: Evaluation) -> None:
        """What the last epoch came to; its weights where no epoch was better."""
        self._facts = card(self._settings, training) | {"validation": judged.to_dict()}
        if judged.accuracy >= max(row["validation_accuracy"] for row in self._rows):
            weights = training.weights().state_dict()
            self._best = {name: value.clone() for name, value in weights.items()}, self._facts

    def keep(self, training: Training, at_once: bool) -> None:
        """state.pt comes last: until it stands, the epoch counts as not done."""
        if parallel.rank() or not (at_once or time.monotonic() - self._written > KEEP_EVERY):
            return
        weights = training.weights().state_dict()
        save_checkpoint(self._run_dir / run_folder.LAST, weights, self._facts)
        if self._best:
            save_checkpoint(self._run_dir / run_folder.BEST, *self._best)
            self._best = None
        write_csv(self._run_dir / run_folder.METRICS, self._rows)
        state = {"training": training.state_dict(), "rows": self._rows}
        write_state(self._run_dir / run_folder.STATE, state)
        self._written = time.monotonic()
        self._kept = training.epoch


def card(settings: Settings, training: Training) -> Facts:
    """What decided the weights, where and how far: the card that goes with them."""
    return {
        **settings.to_dict(),
        **{name: travelling(getattr(settings, name)) for name in ("init", "pretrained")},
        "teachers": [travelling(name) for name in settings.teachers],
        "weights": "exponential average" if training.average is not None else "as trained",
        "compiled": training.compiled,
        "processes": parallel.world_size(),
        "epochs_done": training.epoch,
        **provenance(next(training.model.parameters()).device),
    }
