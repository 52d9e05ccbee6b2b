"""Figures of the data and of training, as PNG files that can be printed as they are."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fmnist.atomic import write_atomically
from fmnist.classes import CLASSES
from fmnist.errors import InputError

INK = "#22282f"
QUIET = "#7a838d"
LINE = "#d9dde1"
BLUE = "#2f6690"
DPI = 200
COLUMNS = 16  # of the sample grid

HITS = LinearSegmentedColormap.from_list("hits", ["#ffffff", "#9dbcd4", "#2f6690"])
MISSES = LinearSegmentedColormap.from_list("misses", ["#ffffff", "#f3bd8d", "#b8430c"])


def class_distribution(counts: Int[np.ndarray, "10"]) -> Figure:
    """Draw how many images each class has, as bars in the order of the labels."""
    figure = new_figure(6.4, 3.8)
    axes = figure.subplots()
    bars = axes.barh(CLASSES, counts, height=0.66, color=BLUE)
    counts_shown = [f"{count:,}" for count in counts]
    for text in axes.bar_label(bars, counts_shown, padding=5, color=INK, fontsize=9):
        text.set_verticalalignment("center_baseline")  # level with the names
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.xaxis.set_visible(False)
    plain(axes, spines=["left"])
    axes.tick_params(axis="y", length=0)
    title(axes, f"{int(counts.sum()):,} images by class")
    return figure


def sample_grid(
    images: UInt8[np.ndarray, "n 28 28"],
    labels: Int[np.ndarray, " n"],
) -> Figure:
    """Draw the first `COLUMNS` images of each class, one row a class, as negatives: dark on white.

    The files hold light garments on black; paper is white.
    """
    gap, cell, inches = 4, 32, 0.42
    figure = new_figure(inches * COLUMNS + 1.1, inches * len(CLASSES) + 0.5)
    axes = figure.subplots()
    sheet = np.full((cell * len(CLASSES) - gap, cell * COLUMNS - gap), 255, np.uint8)
    for row in range(len(CLASSES)):
        for column, image in enumerate(images[labels == row][:COLUMNS]):
            sheet[cell * row :, cell * column :][:28, :28] = 255 - image
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks(cell * np.arange(len(CLASSES)) + 14, CLASSES)
    axes.set_xticks([])
    axes.tick_params(length=0)
    plain(axes, spines=[])
    title(axes, f"The first {COLUMNS} images of each class (negatives)")
    return figure


def curves(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Draw loss and accuracy over the epochs, training beside validation.

    `rows` are those of metrics.csv. The cross entropy is in nats, accuracies are 0..1.
    """
    if not rows:
        raise ValueError("there is no epoch to draw")
    epochs = column(rows, "epoch")
    figure = new_figure(8.6, 3.4)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, colour in (("train", QUIET), ("validation", BLUE)):
            values = column(rows, f"{part}_{quantity}")
            last = f"{values[-1]:.3f}" if quantity == "loss" else f"{values[-1]:.2%}"
            label = f"{part}, last {last}"
            axes.plot(epochs, values, color=colour, linewidth=1.6, label=label)
            axes.plot(epochs[-1:], values[-1:], "o", color=colour, markersize=4)
        axes.margins(x=0.02)
        over_epochs(axes, quantity)
    return figure


def confusion(matrix: Int[np.ndarray, "10 10"]) -> Figure:
    """Draw the confusion matrix, row = truth: counts, and per cent of the row beneath.

    Blue is right, orange is wrong. Both colours show the share of the row, on scales that are the
    same in every figure: blue linear to 100 %, orange by the square root to 25 %, so that an error
    of 1 % can be seen.
    """
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = new_figure(7.9, 7.6)
    axes = figure.subplots()
    right = np.eye(len(CLASSES), dtype=bool)
    for colours, scale, shown in (
        (HITS, PowerNorm(1, 0, 1), right),
        (MISSES, PowerNorm(0.5, 0, 0.25), ~right),
    ):
        axes.imshow(np.ma.masked_array(share, ~shown), colours, scale)
    for row, column in np.ndindex(matrix.shape):
        _cell(axes, row, column, int(matrix[row, column]), float(share[row, column]))
    ticks = np.arange(len(CLASSES))
    axes.set_xticks(ticks, CLASSES, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, CLASSES)
    axes.set_xticks(ticks[1:] - 0.5, minor=True)
    axes.set_yticks(ticks[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("prediction", color=INK, labelpad=8)
    axes.set_ylabel("truth", color=INK, labelpad=8)
    plain(axes, spines=[])
    n = int(matrix.sum())
    correct = int(matrix.trace())
    title(axes, f"{correct:,} of {n:,} right ({correct / max(n, 1):.2%})")
    return figure


def _cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    dark = share > (0.8 if row == column else 0.16)
    colour = "white" if dark else INK if count else LINE
    percent = f"{share:.1%}" if share < 0.9995 else "100%"
    lines = [(-0.12, 10, f"{count:,}"), (0.2, 7, percent)] if count else [(0.0, 9, "0")]
    for down, size, text in lines:
        axes.text(column, row + down, text, color=colour, fontsize=size, ha="center", va="center")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches, without pyplot: nothing global is touched or kept."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, wspace=0.04)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def over_epochs(axes: Axes, quantity: str) -> None:
    """The look of a curve of the "loss" or the "accuracy" over the epochs."""
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    plain(axes, spines=["bottom"])
    title(axes, "Cross entropy" if quantity == "loss" else "Accuracy")
    if quantity == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(labelcolor=INK, fontsize=9, framealpha=1, edgecolor="white")


def plain(axes: Axes, spines: Sequence[str]) -> None:
    for side, spine in axes.spines.items():
        spine.set_visible(side in spines)
        spine.set_color(LINE)
    axes.tick_params(color=LINE, labelcolor=INK, labelsize=9)


def title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", color=INK, fontsize=11, pad=10)


def column(rows: Sequence[Mapping[str, float]], name: str) -> Float[np.ndarray, " rows"]:
    return np.array([row[name] for row in rows], float)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file; the same one has the same bytes."""
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})  # no version in it
    return picture.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write a PNG that appears whole or not at all; of parents only the last may be missing."""
    picture = png(figure)
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, picture)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}. Choose another place."
        ) from error
