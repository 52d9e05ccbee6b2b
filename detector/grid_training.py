"""Train the grid on frames that are made while it trains, each of them seen once."""

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from detector.batches import SceneBatches, SceneMaker, Schedule, loader
from detector.evaluation import box_precision
from detector.grid import MODEL, Grid, Network, as_input, build, read
from detector.synthesis.scenes import Scene
from fmnist.checkpoint import save_checkpoint, write_csv, write_state
from fmnist.device import autocast
from fmnist.errors import InputError


@dataclass
class Run:
    """All that changes while training; what `last.pt` holds."""

    network: Network
    average: Network  # of the weights over time: what is validated and shipped
    optimizer: torch.optim.Optimizer
    step: int
    rows: list[dict[str, float]]

    def save(self, path: Path, settings: dict[str, Any]) -> None:
        write_state(
            path,
            {
                "settings": settings,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "rows": self.rows,
            },
        )

    def restore(self, path: Path, settings: dict[str, Any]) -> None:
        """Raises InputError where there is nothing to resume, or it is of another schedule."""
        if not path.exists():
            raise InputError(f"{path} does not exist. Start without --resume.")
        saved = torch.load(path, weights_only=True, map_location="cpu")
        if saved["settings"] != settings:
            raise InputError(
                f"{path} is of a run with other settings ({saved['settings']}). "
                "Resume with the same ones, or choose another folder."
            )
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = saved["step"]
        self.rows = saved["rows"]


def train(
    schedule: Schedule,
    make: SceneMaker,
    validation: Sequence[Scene],
    run_dir: Path,
    device: torch.device,
    *,
    seed: int = 0,
    workers: int = 1,
    max_minutes: float | None = None,
    init: Path | None = None,
    resume: bool = False,
    facts: dict[str, Any] | None = None,
    report: Callable[[str], None] = print,
) -> Path | None:
    """Train from scratch or from the weights `init`.

    Leaves `grid.safetensors` with its card, `metrics.csv` and `last.pt` in `run_dir`.

    The run can be stopped at any time: `resume` goes on from the last report and ends as the
    run would have ended without the stop. `facts` are added to the card.

    Returns:
        The weights, or None where `max_minutes` ended the run first.

    Raises:
        InputError: the loss is no longer finite, or there is nothing to resume.
    """
    started = time.monotonic()
    settings = {**asdict(schedule), "seed": seed, "init": init.stem if init else ""}
    last = run_dir / "last.pt"
    network = (read(init)[0] if init else build(seed)).to(device).train()
    decayed = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    rest = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": schedule.weight_decay},
        {"params": rest},
    ]
    optimizer = torch.optim.AdamW(
        groups,
        weight_decay=0.0,
        fused=True,  # on a CPU a step of Adam takes 3 ms so, and 47 ms tensor by tensor
    )
    run = Run(network, copy.deepcopy(network).eval(), optimizer, 0, [])
    if resume:
        run.restore(last, settings)
    run_dir.mkdir(parents=True, exist_ok=True)
    batches = iter(loader(SceneBatches(schedule, make, seed), run.step, workers))
    while run.step < schedule.steps:
        loss = _train_period(run, islice(batches, schedule.period), schedule, device)
        grid = Grid(copy.deepcopy(run.average), schedule.image_size, device)
        ap50, ap = box_precision([grid(s.frame, 0.01) for s in validation], validation)
        row = {"scenes": run.step * schedule.batch_size, **loss, "mAP50": ap50, "mAP50-95": ap}
        run.rows.append(row)
        run.save(last, settings)
        write_csv(run_dir / "metrics.csv", run.rows)
        report("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if max_minutes is not None and time.monotonic() - started > max_minutes * 60:
            break
    if run.step < schedule.steps:
        report(f"stopped after {run.step} of {schedule.steps} steps; go on with --resume")
        return None
    card = {
        "model": MODEL,
        **(facts or {}),
        **settings,
        "parameters": sum(p.numel() for p in network.parameters()),
        "validation": {"n": len(validation), **run.rows[-1]},
    }
    path = run_dir / "grid.safetensors"
    save_checkpoint(path, run.average.state_dict(), card)
    return path


def _train_period(
    run: Run, batches: Iterable[dict[str, Tensor]], schedule: Schedule, device: torch.device
) -> dict[str, float]:
    """Take one step a batch; gives the mean losses and the scenes per second."""
    started = time.monotonic()
    totals: Counter[str] = Counter()
    steps = 0
    old, new = _floats(run.average), _floats(run.network)
    for batch in batches:
        for group in run.optimizer.param_groups:
            group["lr"] = schedule.rate_at(run.step)
        with autocast(device):
            maps = run.network(as_input(batch["images"], device))
        maps |= {name: maps[name].float() for name in ("boxes", "scores")}
        loss, parts = run.network.loss(batch, maps)
        total = loss.sum()
        if not total.isfinite():
            raise InputError(
                f"the loss is no longer finite at step {run.step}. Lower the learning rate."
            )
        run.optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(run.network.parameters(), 10.0)
        run.optimizer.step()
        run.step += 1
        keep = min(0.999, run.step / (9 + run.step))  # a memory that grows up to 1000 steps
        get_ema_multi_avg_fn(keep)(old, new, run.step)
        totals.update({name: float(value) for name, value in parts.items()})
        steps += 1
    seconds = time.monotonic() - started
    means = {name: value / steps for name, value in totals.items()}
    return {**means, "scenes_per_second": steps * schedule.batch_size / seconds}


def _floats(module: nn.Module) -> list[Tensor]:
    """Parameters and running statistics, not the count of batches that nobody reads."""
    return [value for value in module.state_dict().values() if value.is_floating_point()]
