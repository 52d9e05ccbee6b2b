"""A grid that was trained on, and one that it came from: the mean of their weights.

What is new is kept, and less of what was known is lost than by the training alone (WiSE-FT,
Wortsman et al. 2022, arXiv:2109.01903). Nothing is trained, and the mean costs as much as one.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from detector.grid import Grid
from detector.layouts import MODEL, backbone_of
from detector.network import Network, read
from detector.scene import Scene
from detector.training.inference_size import choose_inference_size
from fmnist.cards import read_card
from fmnist.checkpoint import save_checkpoint
from fmnist.training.run_folder import name_of_weights

# Of a card, what is not about the training; of a blend it would be told twice, or is its own.
NOT_TOLD = frozenset(
    ["model", "classes", "parameters", "validation", "looks_at", "looks", "licences", "backbone"]
)


def blended(first: Path, second: Path, share: float) -> Network:
    """The network with `share` (0..1) of the weights (and running statistics) of the second.

    Both stand on the same backbone.

    Raises:
        InputError: one of them is damaged, or holds no grid.
    """
    network, other = read(first)[0], read(second)[0]
    theirs = other.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], share)
    return network


def blend(
    network: Network,
    shares: Mapping[Path, float],
    validation: Mapping[str, Sequence[Scene]],
    target: Path,
    facts: Mapping[str, Any],
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Write what `blended` gave with a card that tells of all; how it looks is chosen here.

    The frames of `validation` choose the size, around the larger one of those that the grids were
    trained with. `shares` are the files and their parts of it. `say` hears of
    every size.
    """
    cards = {path: read_card(path) for path in shares}
    image_size = max(card["image_size"] for card in cards.values())
    licences = dict.fromkeys(c["licences"] for c in cards.values() if "licences" in c)
    state: dict[str, Tensor] = {n: value.clone() for n, value in network.state_dict().items()}
    grid = Grid(network, image_size, torch.device("cpu"))
    looks_at, looks = choose_inference_size(grid, image_size, validation, say)
    settings = {
        "model": MODEL,
        **facts,
        "blend": [
            {"weights": name_of_weights(path), "share": share, **_training(cards[path])}
            for path, share in shares.items()
        ],
        "image_size": image_size,
        "backbone": backbone_of(next(iter(cards.values()))),
        "parameters": grid.parameters,
        "validation": {f"{prefix}n": len(scenes) for prefix, scenes in validation.items()},
        "looks_at": looks_at,
        "looks": looks,
        **({"licences": "; ".join(licences)} if licences else {}),
    }
    save_checkpoint(target, state, settings)


def _training(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in card.items() if name not in NOT_TOLD}
