"""A grid that was trained on, and the one that it started from: the mean of their weights.

What is new is kept, and less of what was known is lost than by the training alone (WiSE-FT,
Wortsman et al. 2022, arXiv:2109.01903). Nothing is trained, and the mean costs as much as one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from detector.grid import Grid
from detector.layouts import MODEL, SAME
from detector.look import choose_look
from detector.network import Network, read
from detector.synthesis.scenes import Scene
from fmnist.cards import read_card
from fmnist.checkpoint import save_checkpoint


def blended(first: Path, second: Path, share: float) -> Network:
    """The network with `share` of the weights (and running statistics) of the second."""
    network, other = read(first)[0], read(second)[0]
    theirs = other.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], share)
    return network


def blend(
    first: Path,
    second: Path,
    share: float,
    validation: Mapping[str, Sequence[Scene]],
    target: Path,
    facts: Mapping[str, Any],
) -> None:
    """Write the blend with its card; the size at which it looks is chosen on `validation`."""
    network = blended(first, second, share)
    card = read_card(second)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    parameters = sum(p.numel() for p in network.parameters())
    grid = Grid(network, card["image_size"], torch.device("cpu"))
    looks_at, looks = choose_look(grid, card["image_size"], validation)
    settings = {
        "model": MODEL,
        **facts,
        "blend": {first.stem: round(1 - share, 6), second.stem: share},
        **{name: card[name] for name in SAME if name in card},
        "parameters": parameters,
        "validation": {f"{prefix}n": len(scenes) for prefix, scenes in validation.items()},
        "looks_at": looks_at,
        "looks": looks,
        "trained": {path.stem: _training(path) for path in (first, second)},
    }
    save_checkpoint(target, state, settings)


def _training(path: Path) -> dict[str, Any]:
    """What the card tells of how those weights were made."""
    card = read_card(path)
    told = ("command", "commit", "machine", "seed", "init", "backgrounds", "photos", "blend")
    return {name: card[name] for name in told if name in card}
