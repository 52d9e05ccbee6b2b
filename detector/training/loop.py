"""Train the grid on frames that are made while it trains, each of them seen once."""

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from detector.backbones import freeze
from detector.defaults import GRID_FILE
from detector.evaluation.metrics import LEAST_CONFIDENCE, box_precision
from detector.grid import Grid
from detector.layouts import MODEL, is_ultralytics_file
from detector.letterbox import as_input
from detector.network import Network
from detector.scene import Scene
from detector.training.batches import SceneBatches, SceneMaker, loader
from detector.training.inference_size import choose_inference_size
from detector.training.initial_weights import initial_network, silu_to_relu
from detector.training.run import Run, Task, saved_run
from detector.training.schedule import Schedule
from fmnist.cards import figures_line, write_csv
from fmnist.checkpoint import save_checkpoint
from fmnist.device import autocast, keep_memory, product_dtype
from fmnist.errors import InputError
from fmnist.training.muon import Muon
from fmnist.training.run_folder import METRICS

KEEP_EVERY = 60.0  # seconds


def train(
    task: Task,
    make: SceneMaker,
    validation: Mapping[str, Sequence[Scene]],
    run_dir: Path,
    device: torch.device,
    *,
    workers: int = 1,
    max_minutes: float | None = None,
    resume: bool = False,
    facts: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Path | None:
    """Train the grid from what the task starts with (`detector.training.initial_weights`).

    Leaves `grid.safetensors` with its card, `metrics.csv` and `last.pt` in `run_dir`.

    The run can be stopped at any time: it is kept every minute, `resume` goes on from there and
    ends as the run would have ended without the stop. `workers` processes make the frames.
    `validation` are sets of frames by the prefix of their columns. `facts` are added to the card.

    Returns:
        The weights, or None where `max_minutes` ended the run first.

    Raises:
        InputError: the loss is no longer finite, or there is nothing to resume.
    """
    keep_memory()
    end = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    schedule, settings = task.schedule, task.settings()
    network = initial_network(task.init, task.backbone, task.seed).to(device).train()
    if task.frozen:
        freeze(network)
    run = Run(network, copy.deepcopy(network).eval(), _optimizers(network, schedule), 0, [])
    if resume:
        run.restore(saved_run(run_dir, task))
    run_dir.mkdir(parents=True, exist_ok=True)
    batches = loader(SceneBatches(schedule, make, task.seed), run.step, workers)
    before = kept = time.monotonic()
    for losses in _steps(run, batches, schedule, device, from_silu=is_ultralytics_file(task.init)):
        now = time.monotonic()
        run.losses.update(losses)
        run.seconds += now - before
        reported = run.step % schedule.period == 0 or run.step == schedule.steps
        if reported:
            row = _row(run, schedule) | _validated(_averaged(run, schedule, device), validation)
            run.rows.append(row)
            run.losses, run.seconds = Counter(), 0.0
            write_csv(run_dir / METRICS, run.rows)
            say(figures_line(row))
        late = end is not None and now > end
        if reported or late or now - kept > KEEP_EVERY:
            run.save(run_dir, settings)
            kept = now
        if late:
            break
        before = time.monotonic()
    if run.step < schedule.steps:
        done = f"stopped after {run.step} of {schedule.steps} steps"
        say(f"{done}; go on with the same command and --resume")
        return None
    grid = _averaged(run, schedule, device)
    looks_at, looks = choose_inference_size(grid, schedule.image_size, validation, say)
    card = {
        "model": MODEL,
        **(facts or {}),
        **settings,
        "parameters": grid.parameters,
        "validation": {
            **{f"{prefix}n": len(scenes) for prefix, scenes in validation.items()},
            **run.rows[-1],
        },
        "looks_at": looks_at,
        "looks": looks,
    }
    path = run_dir / GRID_FILE.name
    save_checkpoint(path, run.average.state_dict(), card)
    return path


def _averaged(run: Run, schedule: Schedule, device: torch.device) -> Grid:
    """What would ship now: a copy, because a grid folds its batch norms."""
    return Grid(copy.deepcopy(run.average), schedule.image_size, device)


def _validated(grid: Grid, validation: Mapping[str, Sequence[Scene]]) -> dict[str, float]:
    row: dict[str, float] = {}
    for prefix, scenes in validation.items():
        ap50, ap = box_precision([grid(s.frame, LEAST_CONFIDENCE) for s in scenes], scenes)
        row |= {f"{prefix}mAP50": ap50, f"{prefix}mAP50-95": ap}
    return row


def _optimizers(network: Network, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon for the filters that a batch norm follows: it makes their length free."""
    blocks = [m for m in network.modules() if hasattr(m, "conv") and hasattr(m, "bn")]
    filters = [m.conv.weight for m in blocks if m.conv.groups == 1 and m.conv.weight.requires_grad]
    taken = {id(p) for p in filters}
    others = [p for p in network.parameters() if p.requires_grad and id(p) not in taken]
    decayed = [p for p in others if p.ndim > 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": schedule.weight_decay},
        {"params": [p for p in others if p.ndim <= 1]},
    ]
    # Fused: on a CPU a step of Adam takes 3 ms so, and 47 ms tensor by tensor.
    adam = torch.optim.AdamW(groups, schedule.learning_rate, weight_decay=0.0, fused=True)
    dtype = product_dtype(filters[0].device)
    optimizers = [adam, Muon(filters, schedule.filter_learning_rate, dtype=dtype)]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def _steps(
    run: Run,
    batches: Iterable[dict[str, Tensor]],
    schedule: Schedule,
    device: torch.device,
    *,
    from_silu: bool,
) -> Iterator[dict[str, float]]:
    """Take one step a batch; gives the losses of each.

    The activations of one `from_silu` become ReLU with the steps, see
    `detector.training.initial_weights`.
    """
    old, new = _floats(run.average), _floats(run.network)
    clipped = [p for group in run.optimizers[0].param_groups for p in group["params"]]
    for batch in batches:
        for optimizer in run.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * schedule.rate_at(run.step)
        if from_silu:
            for network in (run.network, run.average):
                silu_to_relu(network, (run.step + 1) / schedule.steps)
        with autocast(device):
            maps = run.network(as_input(batch["images"].to(device)))
        maps |= {name: maps[name].float() for name in ("boxes", "scores")}
        loss, parts = run.network.loss(batch, maps)
        total = loss.sum()
        if not total.isfinite():
            raise InputError(
                f"The loss is no longer finite at step {run.step}. "
                "Start again with a smaller --rate or another --seed, and another -o."
            )
        run.network.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(clipped, 10.0)
        for optimizer in run.optimizers:
            optimizer.step()
        run.step += 1
        keep = min(0.999, run.step / (9 + run.step))  # a memory that grows up to 1000 steps
        get_ema_multi_avg_fn(keep)(old, new, run.step)
        yield {name: float(value) for name, value in parts.items()}


def _row(run: Run, schedule: Schedule) -> dict[str, float]:
    """The mean losses and the scenes per second since the last line."""
    steps = (run.step - 1) % schedule.period + 1
    means = {name: value / steps for name, value in run.losses.items()}
    speed = steps * schedule.batch_size / run.seconds
    return {"scenes": run.step * schedule.batch_size, **means, "scenes_per_second": speed}


def _floats(module: nn.Module) -> list[Tensor]:
    """Parameters and running statistics, not the count of batches that nobody reads."""
    return [value for value in module.state_dict().values() if value.is_floating_point()]
