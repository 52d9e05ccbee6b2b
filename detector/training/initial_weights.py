"""What a training of the grid starts from: nothing, a grid, a classifier, or ultralytics' YOLO11n.

Theirs were learnt with SiLU between the layers, and a grid has ReLU, which is cheaper.
So a training begins with theirs, and one activation after another becomes ours, from the input on,
in its first half: each is a small change, which the steps until the next one mend.
"""

from pathlib import Path

import torch
from torch import nn

from detector.backbones import carry_behind, carry_over
from detector.defaults import GRID_FILE
from detector.layouts import MODEL, TRUNK, VGG, YOLO, backbone_of, is_ultralytics_file
from detector.network import Network, build, read
from detector.ultralytics_weights import load_yolo
from fmnist.cards import read_card
from fmnist.checkpoint import read_weights, weights_of
from fmnist.errors import InputError
from fmnist.training.run_folder import name_of_weights

RELU_BY = 0.5  # of the training, until all activations are ours
CLASSES_OF_THEIRS = ".cv3."  # layers whose sizes follow from how many classes there are


def started_from(init: Path | None) -> str:
    """How a run names these weights; a file of ultralytics with its suffix."""
    if init is None:
        return ""
    return init.name if is_ultralytics_file(init) else name_of_weights(init)


def _check(init: Path, backbone: str) -> None:
    """Raises InputError where weights are no start for a grid on that backbone, by their card."""
    if is_ultralytics_file(init):
        if backbone != YOLO:
            raise InputError(
                f"{init.name} is no start for a grid on {backbone}. "
                "Leave --backbone out, or give other weights."
            )
        return
    card = read_card(init)
    of = backbone_of(card)
    if card["model"] == MODEL and of != backbone:
        raise InputError(f"{init.name} is a grid on {of}. Add --backbone {of}.")
    if card["model"] != MODEL and (card["model"], backbone) != (VGG, VGG):
        wanted = "such a grid" + (" or of a VGG-like classifier" if backbone == VGG else "")
        raise InputError(
            f"{init.name} is no start for a grid on {backbone}. Give weights of {wanted}."
        )


def initial_network(init: Path | None, backbone: str, seed: int) -> Network:
    """The network that a training starts from: untrained, or with the weights `init`.

    Those may be of a VGG-like classifier or of ultralytics, if that is the backbone. What stands
    behind a classifier begins with the weights of the shipped grid.

    Raises:
        InputError: the files are missing, damaged, or of something else.
    """
    if init is None:
        return build(seed, backbone)
    _check(init, backbone)
    if is_ultralytics_file(init):
        network = build(seed, backbone)
        carry_over_theirs(init, network)
        return network
    if read_card(init)["model"] == MODEL:
        return read(init)[0]
    network = build(seed, backbone)
    carry_over(weights_of(VGG, init), network.model[:TRUNK])
    carry_behind(read_weights(GRID_FILE), network)
    return network


@torch.no_grad()
def carry_over_theirs(weights: Path, network: Network) -> None:
    """Give an untrained grid the weights of a YOLO11n; of the classes' layers those that fit.

    Of any task that has boxes (detect, pose, segment). They read RGB, a grid reads BGR. Ultralytics
    is asked to rebuild the classes of its own list only, so that the file runs no foreign code.

    Raises:
        InputError: the file is missing, damaged, or of another network.
    """
    model = load_yolo(weights).model
    theirs = model.float().state_dict() if isinstance(model, nn.Module) else {}
    state = network.state_dict()
    for name, value in state.items():
        if name in theirs and theirs[name].shape == value.shape:
            value.copy_(theirs[name])
        elif CLASSES_OF_THEIRS not in name:
            raise InputError(
                f"{weights} holds no YOLO11n. Give yolo11n.pt, or a file trained from it."
            )
    first = state["model.0.conv.weight"]
    first.copy_(first.flip(1))


def silu_to_relu(network: Network, done: float) -> None:
    """Have the activations that a training from their weights has after the part `done` of it."""
    kinds = nn.ReLU | nn.SiLU
    blocks = [m for m in network.modules() if isinstance(getattr(m, "act", None), kinds)]
    ours = round(min(1.0, done / RELU_BY) * len(blocks))
    for number, block in enumerate(blocks):
        kind = nn.ReLU if number < ours else nn.SiLU
        if not isinstance(block.act, kind):
            block.act = kind()
