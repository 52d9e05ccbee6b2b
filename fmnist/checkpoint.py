"""A checkpoint: NAME.safetensors with the weights, NAME.json beside it with the facts."""

import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from fmnist.atomic import write_atomically
from fmnist.cards import Facts, card_of, classifier_card, no_weights, write_json
from fmnist.errors import InputError
from fmnist.models import build


def read_state(path: Path, device: torch.device) -> dict[str, Any]:
    """What `write_state` wrote.

    Raises:
        InputError: it is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except torch.OutOfMemoryError:
        raise
    except (
        RuntimeError,
        UnpicklingError,
        EOFError,
        OSError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise _damaged(path) from error
    if not isinstance(state, dict):
        raise _damaged(path)
    return state


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path} is damaged: the run cannot go on. Start a new one in another folder."
    )


def write_state(path: Path, state: dict[str, Any]) -> None:
    """What a stopped training goes on from (`torch.load` with `weights_only`), atomically."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def save_checkpoint(path: Path, state: dict[str, Tensor], facts: Facts) -> None:
    """Write the weights to `path` (.safetensors) and the facts beside it (.json).

    `facts` names at least the `model`, so that the network can be built again.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    write_atomically(path, save(tensors))
    write_json(path.with_suffix(".json"), facts)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights, whose card has been read. InputError where they are damaged or not finite."""
    try:
        weights = load(path.read_bytes())
    except SafetensorError as error:
        raise no_weights(path) from error
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise InputError(
            f"{path} holds weights that are not finite: its training went wrong. "
            "Use those of an earlier epoch, or train again."
        )
    return weights


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[nn.Module, Facts]:
    """The classifier in evaluation mode on the device, and its facts.

    Raises:
        InputError: the file is missing, corrupt, of another program, or of other classes.
    """
    facts = classifier_card(path)
    state = read_weights(path)
    with torch.random.fork_rng(devices=[]):  # the weights that are drawn go at once
        model = build(facts["model"])
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"{path} does not hold the weights of {facts['model']}. "
            "Use the weights and the card of one training."
        ) from error
    return model.to(device).eval(), facts


def weights_of(model: str, path: Path) -> dict[str, Tensor]:
    """The weights at `path`, to begin with.

    Raises:
        InputError: as `load_model`, or they are of another network than `model`.
    """
    card_of(model, path)
    return load_model(path)[0].state_dict()
