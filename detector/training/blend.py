"""A grid that was trained on, and one that it came from: the mean of their weights.

What is new is kept, and less of what was known is lost than by the training alone (WiSE-FT,
Wortsman et al. 2022, arXiv:2109.01903). Nothing is trained, and the mean costs as much as one.

Only the statistics of batch norm are measured anew, on frames of a training: what a mean of weights
answers varies less than the mean of what they answer (REPAIR, Jordan et al. 2022,
arXiv:2211.08403), so that the mean of their statistics makes a grid too unsure.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from detector.grid import Grid
from detector.layouts import MODEL, TRUNK, backbone_of
from detector.letterbox import as_input
from detector.network import Network, read
from detector.scene import Scene
from detector.training.batches import SceneBatches, SceneMaker, loader
from detector.training.inference_size import choose_inference_size
from detector.training.schedule import Schedule
from fmnist.cards import read_card
from fmnist.checkpoint import save_checkpoint
from fmnist.device import autocast
from fmnist.training.run_folder import name_of_weights

MEASURED_ON = 1536  # frames
# Of a card, what is not about the training; of a blend it would be told twice, or is its own.
NOT_TOLD = frozenset(
    ["model", "classes", "parameters", "validation", "looks_at", "looks", "licences", "backbone"]
)


def blended(first: Path, second: Path, share: float) -> Network:
    """The network with `share` (0..1) of the weights (and, so far, statistics) of the second.

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
    make: SceneMaker,
    validation: Mapping[str, Sequence[Scene]],
    target: Path,
    facts: Mapping[str, Any],
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Write what `blended` gave with a card that tells of all; how it looks is chosen here.

    Frames that `make` makes give the statistics of batch norm, in the larger one of the sizes that
    the grids were trained with; around that the frames of `validation` choose the size. `shares`
    are the files and their parts of it. `report` hears of every size.
    """
    cards = {path: read_card(path) for path in shares}
    image_size = max(card["image_size"] for card in cards.values())
    is_frozen = all(card.get("frozen") for card in cards.values())
    measure_batch_norm(network, make, image_size, seed, is_frozen)
    licences = dict.fromkeys(c["licences"] for c in cards.values() if "licences" in c)
    state: dict[str, Tensor] = {n: value.clone() for n, value in network.state_dict().items()}
    grid = Grid(network, image_size, torch.device("cpu"))
    looks_at, looks = choose_inference_size(grid, image_size, validation, report)
    settings = {
        "model": MODEL,
        **facts,
        "blend": [
            {"weights": name_of_weights(path), "share": share, **_training(cards[path])}
            for path, share in shares.items()
        ],
        "image_size": image_size,
        "statistics_of": MEASURED_ON,
        "backbone": backbone_of(next(iter(cards.values()))),
        "parameters": grid.parameters,
        "validation": {f"{prefix}n": len(scenes) for prefix, scenes in validation.items()},
        "looks_at": looks_at,
        "looks": looks,
        **({"licences": "; ".join(licences)} if licences else {}),
    }
    save_checkpoint(target, state, settings)


def measure_batch_norm(
    network: Network, make: SceneMaker, image_size: int, seed: int, is_frozen: bool = False
) -> None:
    """Take its statistics on `MEASURED_ON` frames anew; those of a trunk that `is_frozen` stay."""
    trunk = network.model[:TRUNK] if is_frozen else nn.Sequential()
    kept = copy.deepcopy(trunk.state_dict())
    schedule = Schedule(scenes=MEASURED_ON, image_size=image_size, shares=(1.0,))
    frames = loader(SceneBatches(schedule, make, seed), 0, workers=1)
    with autocast(torch.device("cpu")):
        update_bn((as_input(batch["images"]) for batch in frames), network)
    trunk.load_state_dict(kept)


def _training(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in card.items() if name not in NOT_TOLD}
