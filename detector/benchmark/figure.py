"""How cost grows, as a picture."""

from pathlib import Path
from typing import Any

from detector.benchmark.table import TITLES
from fmnist.figures import BLUE, new_figure, plain, save, title


def draw_growth(growth: dict[str, Any], path: Path) -> None:
    """Three panels: boxes, size of the frame, streams; milliseconds upwards, from zero."""
    figure = new_figure(9.6, 3.0)
    for axes, (text, key) in zip(figure.subplots(1, len(TITLES)), TITLES.items(), strict=True):
        names, times = [*growth[key]], [*growth[key].values()]
        axes.plot(names, times, color=BLUE, marker="o", markersize=4)
        for name, ms in zip(names, times, strict=True):
            axes.annotate(f"{ms:.1f}", (name, ms), (0, 6), textcoords="offset points", fontsize=8)
        axes.set_ylim(0, 1.2 * max(times))
        axes.set_ylabel("ms")
        plain(axes, spines=["left", "bottom"])
        title(axes, text)
    save(figure, path)
