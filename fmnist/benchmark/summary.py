"""Rows of networks and recipes, trained over seeds, and what was measured of them.

Every run has a folder of its own and goes on where it was stopped; a table can be made at any time
of the runs that are finished.
"""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from fmnist.benchmark.inference import measured
from fmnist.benchmark.rows import Row
from fmnist.benchmark.spread import spread
from fmnist.benchmark.tables import SPEEDS, kept_speeds
from fmnist.cards import Facts, read_csv, read_json, write_json
from fmnist.device import describe
from fmnist.errors import InputError
from fmnist.models.size import size_of
from fmnist.training.run_folder import METRICS, RESULT, is_finished


def summarize(rows: Sequence[Row], seeds: int, base: Path) -> list[Facts]:
    """What the finished runs in `base` say; a row without one has its size and n = 0."""
    return [_row(row, seeds, base) for row in rows]


def _row(row: Row, seeds: int, base: Path) -> Facts:
    size = size_of(row.model)
    facts: Facts = {
        "row": str(row),
        "model": row.model,
        "recipe": row.recipe,
        "changes": list(row.changes),
        "numbers": row.resolved().to_dict(),
        "parameters": size.parameters,
        "macs": size.macs,
        "seeds_wanted": seeds,
    }
    found = {seed: row.folder(base, seed) for seed in range(seeds)}
    found = {seed: path for seed, path in found.items() if is_finished(path)}
    folders = list(found.values())
    facts |= {"n": len(found), "seeds": list(found)}
    try:
        return facts | (_measured(folders) if folders else {})
    except (KeyError, IndexError, TypeError, ValueError, OSError) as error:
        raise InputError(
            f"The runs of {row} in {base} are damaged. Remove {folders[0].parent}, or choose "
            "another -o."
        ) from error


def _measured(folders: Sequence[Path]) -> Facts:
    """What finished runs of one row say together."""
    results = [read_json(folder / RESULT) for folder in folders]
    return {
        "pretrained": results[0].get("pretrained", ""),
        "teachers": results[0].get("teachers", []),
        "compiled": results[0].get("compiled", False),
        "epochs": results[0]["epochs"],
        "seconds": statistics.fmean(r["seconds"] for r in results),
        "longest_seconds": max(r["seconds"] for r in results),
        "seconds_an_epoch": statistics.median(_seconds(folders)),
        "validation_n": results[0]["validation"]["n"],
        "validation_loss": statistics.fmean(r["validation"]["loss"] for r in results),
        "validation_accuracy": spread([r["validation"]["accuracy"] for r in results]),
        "test_loss": statistics.fmean(r["test"]["loss"] for r in results),
        "test_accuracy": spread([r["test"]["accuracy"] for r in results]),
        "test_interval_95": results[0]["test"]["accuracy_interval_95"],
        "test_f1": {
            part["name"]: spread([r["test"]["classes"][index]["f1"] for r in results])
            for index, part in enumerate(results[0]["test"]["classes"])
        },
        "curves": _curves(folders[0]),
        "machine": results[0]["machine"],
        "commits": sorted({r["commit"] for r in results}),
    }


def _curves(folder: Path) -> dict[str, list[float]]:
    """The columns of a run's metrics.csv: with them in the benchmark, a page needs no runs."""
    lines = read_csv(folder / METRICS)
    return {name: [float(line[name]) for line in lines] for name in lines[0]}


def _seconds(folders: Sequence[Path]) -> list[float]:
    """Of every epoch of these runs."""
    seconds = []
    for folder in folders:
        seconds += [float(line["seconds"]) for line in read_csv(folder / METRICS)]
    return seconds


SAME_MACHINE = ("device", "threads", "precision", "torch")  # speeds of others are no answer


def add_inference(
    rows: Sequence[Facts], base: Path, device: torch.device, measure_new: bool = True
) -> None:
    """Add the speed of each network, which is measured once a machine and kept in `base`."""
    path = base / SPEEDS
    kept = kept_speeds(path)
    here = describe(device)
    for row in rows:
        machine = kept.get(row["model"], {}).get("machine", {})
        is_old = any(machine.get(key) != here[key] for key in SAME_MACHINE)
        if is_old and measure_new:
            kept[row["model"]] = measured(row["model"], device)
            write_json(path, kept)
        if row["model"] in kept:
            row["inference"] = kept[row["model"]]


def with_earlier(rows: Sequence[Facts], earlier: Sequence[Facts]) -> list[Facts]:
    """These rows; an earlier one takes the place of one not measured here, others come last.

    What was measured with other numbers of the recipe than the row has now is left out.
    """
    here = {row["row"]: row for row in rows}
    kept = {}
    for row in earlier:
        now = here.get(row["row"], {"n": 0})
        is_same = row.get("numbers") in (None, now.get("numbers", row.get("numbers")))
        if row["n"] and not now["n"] and is_same:
            kept[row["row"]] = row
    return [kept.pop(row["row"], row) for row in rows] + list(kept.values())


def longest(rows: Sequence[Facts]) -> float:
    """Seconds that the longest of the finished runs trained; 0 where there is none."""
    return max((float(row["longest_seconds"]) for row in rows if row["n"]), default=0.0)


def run_all(
    rows: Sequence[Row], seeds: int, base: Path, run: Callable[[Row, int, Path], bool]
) -> bool:
    """Train what is not finished, all rows with one seed before any with the next.

    `run` says whether it came to its end; at the first that did not, this stops and says so too.
    """
    for seed in range(seeds):
        for row in rows:
            folder = row.folder(base, seed)
            if not is_finished(folder) and not run(row, seed, folder):
                return False
    return True
