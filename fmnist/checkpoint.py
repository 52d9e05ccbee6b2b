"""A checkpoint: NAME.safetensors with the weights, NAME.json beside it with the facts."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from fmnist.atomic import write_atomically
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from fmnist.models import MODELS, build

Facts = dict[str, Any]


def write_json(path: Path, facts: Facts) -> None:
    """Facts as readable JSON, atomically."""
    write_atomically(path, (json.dumps(facts, indent=2, allow_nan=False) + "\n").encode())


def write_csv(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Rows of the same columns under a header line, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def read_csv(path: Path) -> list[dict[str, str]]:
    """What `write_csv` wrote, as text."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_state(path: Path, device: torch.device) -> dict[str, Any]:
    """What `write_state` wrote.

    Raises:
        InputError: it is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError, OSError) as error:
        raise InputError(
            f"{path} is damaged: the run cannot go on. Start a new one in another folder."
        ) from error
    return state


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


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], Facts]:
    """Read weights and facts.

    Raises:
        InputError: a file is missing, or it is not what save_checkpoint wrote.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file. Train one with `fmnist train`.")
    try:
        state = load(path.read_bytes())
    except SafetensorError as error:
        raise InputError(
            f"{path} is not a readable safetensors file. Copy it again, or train it anew."
        ) from error
    return state, read_card(path)


def read_card(path: Path) -> Facts:
    """The facts beside the weights at `path`, without reading the weights."""
    card = path.with_suffix(".json")
    if not card.is_file():
        raise InputError(f"{path} has no card beside it. Put {card.name} into the same folder.")
    facts = read_json(card)
    if "model" not in facts:
        raise InputError(f"{card} does not name its model. Use a card that `fmnist train` wrote.")
    return facts


def read_json(path: Path) -> Facts:
    """The object in a JSON file of ours."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON. Copy it again from where it was.") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path} holds no JSON object. Copy it again from where it was.")
    return facts


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[nn.Module, Facts]:
    """The classifier in evaluation mode on the device, and its facts.

    Raises:
        InputError: the file is missing, corrupt, of another program, or of other classes.
    """
    state, facts = load_checkpoint(path)
    if facts["model"] not in MODELS:
        known = ", ".join(MODELS)
        raise InputError(
            f"{path} holds the model {facts['model']!r}, which is no classifier of fmnist. "
            f"Use weights of one of: {known}."
        )
    if tuple(facts.get("classes", ())) != CLASSES:
        raise InputError(
            f"{path} was trained on other classes than the ten of Fashion-MNIST. "
            "Use weights that `fmnist train` wrote."
        )
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
    known, facts = load_model(path)
    if facts["model"] != model:
        raise InputError(
            f"{path} holds a {facts['model']}, not a {model}. "
            "Give --init weights of the same network."
        )
    return known.state_dict()
