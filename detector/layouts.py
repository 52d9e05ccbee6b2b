"""The grids that can be built: YOLO11 as it is, or on the VGG-like classifier of the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmnist.cards import Facts, read_card
from fmnist.errors import InputError

YOLO, VGG = "yolo11n", "vgg"  # the backbones
LAYOUTS = {name: Path(__file__).with_name(f"grid-{name}.yaml") for name in (YOLO, VGG)}
TRUNK = 9  # first layers of grid-vgg.yaml: gray, then those of the VGG-like
SHARED_FROM = 4  # the layer of grid-yolo11n.yaml from which both are the same, but for its inputs
LATER = 6  # a shared layer's number in grid-vgg.yaml is larger by so much
STRIDES = (8, 16, 32)  # pixels of a cell in each of the three maps
BINS = 16  # of the distribution of each distance (Li et al. 2020, Generalized Focal Loss)
CELLS = max(STRIDES)  # both sides of an input are multiples
LARGEST = 4096  # pixels that may be asked of a side: more would need tens of GB
SAME_GARMENT = 0.6  # IoU from which the less sure of two boxes is dropped
MOST_BOXES = 100  # of a frame, as COCO counts them
MODEL = "grid"  # as a card names the weights of one
THEIRS = ".pt"  # files of ultralytics; ours are .safetensors


def grid_card(path: Path) -> Facts:
    """The card of a grid; its weights are not read.

    Raises:
        InputError: the files are missing, or not those of a grid.
    """
    card = read_card(path)
    sizes = card.get("image_size"), card.get("looks_at") or CELLS
    if (
        card["model"] != MODEL
        or card.get("backbone", YOLO) not in [*LAYOUTS]  # what cannot be hashed, too
        or not all(isinstance(size, int) and CELLS <= size <= LARGEST for size in sizes)
    ):
        raise not_a_grid(path)
    return card


def not_a_grid(path: Path) -> InputError:
    """The error for weights of something else."""
    return InputError(
        f"{path.name} holds no grid of this version. "
        "Give weights that `fmnist detector train` wrote."
    )


def backbone_of(card: Mapping[str, Any]) -> str:
    """What a grid stands on, by its card; older ones do not tell."""
    backbone: str = card.get("backbone", YOLO)
    return backbone


def is_ultralytics_file(init: Path | None) -> bool:
    """Whether these weights are a file of ultralytics."""
    return init is not None and init.suffix == THEIRS
