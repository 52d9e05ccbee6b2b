"""A training of the grid between two steps: what it was asked for, where it stands, as a file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from detector.defaults import GRID_STATE
from detector.layouts import YOLO
from detector.network import Network
from detector.photos.folder import digest_of
from detector.training.initial_weights import started_from
from detector.training.schedule import Schedule
from fmnist.checkpoint import read_state, write_state
from fmnist.errors import InputError
from fmnist.provenance import travelling


@dataclass(frozen=True)
class Task:
    """What a training is asked for.

    `init` are the weights that it starts from (`detector.training.initial_weights`). A VGG-like
    backbone that is `frozen` stays as it is. `backgrounds` and `photos` are the user's own, of
    which frames are made.
    """

    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
    init: Path | None = None
    backbone: str = YOLO
    frozen: bool = False
    backgrounds: Path | None = None
    photos: tuple[Path, ...] = ()

    def settings(self) -> dict[str, Any]:
        """All of it by name: what a card tells, and what a resumed run must share."""
        return {
            **asdict(self.schedule),
            "seed": self.seed,
            "init": started_from(self.init),
            "backbone": self.backbone,
            "frozen": self.frozen,
            "backgrounds": travelling(str(self.backgrounds or "")),
            "photos": [folder.name for folder in self.photos],
            "photo_names": digest_of(self.photos),
        }


@dataclass
class Run:
    """All that changes while training; what `GRID_STATE` holds."""

    network: Network
    average: Network  # of the weights over time: what is validated and shipped
    optimizers: list[torch.optim.Optimizer]
    step: int
    rows: list[dict[str, float]]
    losses: Counter[str] = field(default_factory=Counter)  # their sums since the last report
    seconds: float = 0.0  # of training since then

    def save(self, run_dir: Path, settings: dict[str, Any]) -> None:
        """Keep it for `saved_run`."""
        write_state(
            run_dir / GRID_STATE,
            {
                "settings": settings,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "step": self.step,
                "rows": self.rows,
                "losses": dict(self.losses),
                "seconds": self.seconds,
            },
        )

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what `saved_run` gave."""
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        for optimizer, values in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.step = saved["step"]
        self.rows = saved["rows"]
        self.losses = Counter(saved["losses"])
        self.seconds = saved["seconds"]


def saved_run(run_dir: Path, task: Task) -> dict[str, Any]:
    """What a stopped run with this task goes on from.

    Raises:
        InputError: there is none, it is damaged, or it has other settings.
    """
    settings = task.settings()
    last = run_dir / GRID_STATE
    if not last.exists():
        raise InputError(f"{last} does not exist. Start without --resume.")
    saved = read_state(last, torch.device("cpu"))
    if "settings" not in saved:
        raise InputError(f"{last} is of no run of a grid. Choose another -o.")
    before = saved["settings"]
    if before != settings:
        every = sorted({*before, *settings})
        others = [name for name in every if before.get(name) != settings.get(name)]
        if others == ["photo_names"]:
            raise InputError(
                f"The photos are not those that {last} was begun with. "
                "Put them back, or choose another -o."
            )
        began = ", ".join(_as_option(n, before.get(n)) for n in others if n != "photo_names")
        raise InputError(
            f"{last} was begun with {began}. Say the same options again, or choose another -o."
        )
    return saved


def _as_option(setting: str, value: Any) -> str:
    """A setting as the user may have said it to the command."""
    if setting == "frozen":  # its option has another name
        return "--freeze" if value else "no --freeze"
    name = f"--{setting.replace('_', '-')}"
    if isinstance(value, list | tuple):
        return " ".join(f"{name} {one}" for one in value) or f"no {name}"
    return f"no {name}" if value in (None, "") else f"{name} {value}"
