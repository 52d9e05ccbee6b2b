"""Figures that only the report has: runs side by side, and pictures of mistakes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fmnist.figures import BLUE, INK, MISSES, column, new_figure, over_epochs, save

COLOURS = (BLUE, MISSES(0.999))
ACROSS = 12  # mistakes in a row


def compare(runs: Mapping[str, Sequence[Mapping[str, str]]], path: Path) -> None:
    """Draw validation loss and accuracy of two runs (rows of metrics.csv by name) together."""
    figure = new_figure(8.6, 3.4)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for (name, rows), colour in zip(runs.items(), COLOURS, strict=True):
            values = column(rows, f"validation_{quantity}")
            axes.plot(column(rows, "epoch"), values, color=colour, linewidth=1.6, label=name)
        over_epochs(axes, quantity)
    save(figure, path)


def mistakes(shown: Sequence[tuple[np.ndarray, str, str, float]], path: Path) -> None:
    """Draw images [28 28] with their label, the network's answer and its probability 0..1."""
    down = max(1, -(-len(shown) // ACROSS))
    figure = new_figure(ACROSS * 0.95, down * 1.35)
    for axes in (cells := figure.subplots(down, ACROSS, squeeze=False)).flat:
        axes.set_axis_off()
    for axes, (image, label, answer, sure) in zip(cells.flat, shown, strict=False):
        axes.imshow(255 - image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(f"{label}\n{answer} {sure:.2f}", fontsize=6.5, color=INK, pad=3)
    save(figure, path)
