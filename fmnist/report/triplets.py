"""The confused classes with and without the triplet loss, paired by seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fmnist.benchmark.spread import spread
from fmnist.benchmark.tables import NOT_MEASURED
from fmnist.cards import Facts
from fmnist.classes import CLASSES
from fmnist.report.page import Section, Table
from fmnist.training.metric_learning import CONFUSED


def triplets(rows: Sequence[Facts]) -> Section:
    confused = [CLASSES[index] for index in CONFUSED]
    return Section(
        "The confused classes",
        "T-shirt, pullover, coat and shirt look alike at 28 pixels. The triplet loss with "
        "distance-weighted sampling (Wu et al. 2017) pulls their places apart beside the cross "
        "entropy.",
        [
            Table(
                f"{row}: F1 on the test set, means over seeds; the difference is paired by seed.",
                ("class", "cross entropy", "with triplets", "difference (95 % interval)"),
                [
                    *(_f1_line(name, [name], plain, triplet) for name in confused),
                    _f1_line("mean of the four", confused, plain, triplet),
                ],
            )
            for row, plain, triplet in pairs(rows)
        ],
    )


def pairs(rows: Sequence[Facts]) -> list[tuple[str, Facts | None, Facts | None]]:
    """Each measured row with triplets, its name first, and the row without them."""
    measured = {
        (row["model"], row["recipe"], *row["changes"]): row
        for row in rows
        if row["n"] and "recipe" in row  # what others train has none
    }
    found: list[tuple[str, Facts | None, Facts | None]] = []
    for key, row in measured.items():
        without = tuple(part for part in key if not part.startswith("triplet="))
        if without != key:
            found.append((row["row"], measured.get(without), row))
    return found or [("vgg:best:triplet=0.2", None, None)]


def _f1_line(
    title: str, classes: Sequence[str], plain: Facts | None, triplet: Facts | None
) -> list[str]:
    means = [_mean_f1(row, classes) if row else None for row in (plain, triplet)]
    return [title, *(f"{m['mean']:.4f}" if m else NOT_MEASURED for m in means), paired(*means)]


def _mean_f1(row: Facts, classes: Sequence[str]) -> dict[str, Any]:
    """Of these classes together, over the seeds."""
    values = np.array([row["test_f1"][name]["values"] for name in classes])
    return {**spread(values.mean(0).tolist()), "seeds": row.get("seeds", [*range(row["n"])])}


def paired(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """The mean difference over the seeds that both have, with its interval where there are two."""
    if not before or not after:
        return NOT_MEASURED
    first, second = (dict(zip(m["seeds"], m["values"], strict=True)) for m in (before, after))
    both = [seed for seed in first if seed in second]
    if not both:
        return NOT_MEASURED
    facts = spread([second[seed] - first[seed] for seed in both])
    interval = ""
    if "interval_95" in facts:
        interval = f" ({facts['interval_95'][0]:+.4f} to {facts['interval_95'][1]:+.4f})"
    return f"{facts['mean']:+.4f}{interval}, n = {facts['n']}"
