"""Figures that only the report has: runs side by side, and pictures of mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fmnist.figures import BLUE, INK, LINE, MISSES, column, new_figure, over_epochs, plain

COLOURS = (BLUE, MISSES(0.999))
ACROSS = 12  # mistakes in a row


@dataclass(frozen=True)
class Measured:
    """Accuracies of a row, 0..1; `reported` is that of the report on its validation images."""

    name: str
    validation: float
    test: float
    interval: tuple[float, float]  # of the test accuracy
    reported: float | None


def accuracies(rows: Sequence[Measured]) -> Figure:
    """Draw the accuracies of rows beneath each other, those of the report beside them."""
    figure = new_figure(10.6, 0.9 + 0.36 * len(rows))
    axes = figure.subplots()
    for y, row in enumerate(rows):
        axes.plot(row.interval, (y, y), color=INK, linewidth=1.4, solid_capstyle="round")
        axes.plot(row.test, y, "o", color=INK, markersize=5, label="test")
        axes.plot(row.validation, y, "o", color=BLUE, markersize=7, label="validation")
        if row.reported is not None:
            (ring,) = axes.plot(row.reported, y, "o", color=COLOURS[1], markersize=8)
            ring.set(markerfacecolor="none", markeredgewidth=1.6, label="validation in the report")
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    plain(axes, spines=[])
    axes.tick_params(length=0)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    names, rings = list(handles), list(handles.values())
    legend = figure.legend(rings, names, loc="outside upper left", ncols=3, fontsize=9)
    legend.set_frame_on(False)
    return figure


def compare(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Draw validation loss and accuracy of two runs (their epochs by name) together."""
    figure = new_figure(8.6, 3.4)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for (name, rows), colour in zip(runs.items(), COLOURS, strict=True):
            values = column(rows, f"validation_{quantity}")
            axes.plot(column(rows, "epoch"), values, color=colour, linewidth=1.6, label=name)
        over_epochs(axes, quantity)
    return figure


def mistakes(shown: Sequence[tuple[np.ndarray, str, str, float]]) -> Figure:
    """Draw images [28 28] with their label, the network's answer and its probability 0..1."""
    down = max(1, -(-len(shown) // ACROSS))
    figure = new_figure(ACROSS * 0.95, down * 1.35)
    for axes in (cells := figure.subplots(down, ACROSS, squeeze=False)).flat:
        axes.set_axis_off()
    for axes, (image, label, answer, sure) in zip(cells.flat, shown, strict=False):
        axes.imshow(255 - image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(f"{label}\n{answer} {sure:.2f}", fontsize=6.5, color=INK, pad=3)
    return figure
