"""The size at which a grid looks at frames: the smallest one that is nearly as good as any."""

from collections.abc import Callable, Mapping, Sequence

from detector.evaluation.metrics import LEAST_CONFIDENCE, box_precision
from detector.grid import Grid
from detector.layouts import CELLS, LARGEST
from detector.scene import Scene
from fmnist.cards import figures_line

FACTORS = (0.7, 0.8, 0.9, 1.0, 1.1)  # times the longest side in training
NEARLY = 0.005  # AP50 that a smaller, and so faster, look may cost; a head makes up for it


def choose_inference_size(
    grid: Grid,
    image_size: int,
    validation: Mapping[str, Sequence[Scene]],
    say: Callable[[str], None] = lambda line: None,
) -> tuple[int, dict[str, dict[str, float]]]:
    """The longest side of an upright frame in pixels; the AP50 of each size on each set of frames.

    The grid looks with that size from then on. `say` hears of each that was tried.
    A size other than that of training can be the better one (Touvron et al. 2019,
    arXiv:1906.06423). On no set of frames another size is better by more than `NEARLY`; where no
    size is that good on all of them, it is that of training.
    """
    asked = (round(factor * image_size / CELLS) * CELLS for factor in FACTORS)
    sizes = sorted({min(max(CELLS, size), LARGEST) for size in asked})
    told: dict[str, dict[str, float]] = {}
    for size in sizes:
        grid.image_size = size
        figures = told[str(size)] = {}
        for name, scenes in validation.items():
            found = [grid(scene.frame, LEAST_CONFIDENCE) for scene in scenes]
            figures[f"{name}mAP50"] = box_precision(found, scenes)[0]
        say(f"{size} px  {figures_line(figures)}")
    best = {name: max(figures[name] for figures in told.values()) for name in told[str(sizes[0])]}
    good = (
        size
        for size in sizes
        if all(told[str(size)][name] >= value - NEARLY for name, value in best.items())
    )
    grid.image_size = next(good, image_size)
    return grid.image_size, told
