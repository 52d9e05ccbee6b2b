"""Facts as JSON and CSV, and the card beside weights, which is read before torch is loaded."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from fmnist.atomic import write_atomically
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from fmnist.models import MODELS

Facts = dict[str, Any]


def write_json(path: Path, facts: Facts | list[Facts]) -> None:
    """Facts as readable JSON, atomically."""
    write_atomically(path, (json.dumps(facts, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Facts:
    """The object in a JSON file of ours.

    Raises:
        InputError: it holds no JSON, or no object.
        OSError: it is not there.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON. Copy it again from where it was.") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path} holds no JSON object. Copy it again from where it was.")
    return facts


def write_csv(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Rows of the same columns under a header line, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def figures_line(row: Mapping[str, float]) -> str:
    """Name and value of each figure in one line for a terminal, to four significant digits."""
    return "  ".join(f"{name} {value:.4g}" for name, value in row.items())


def read_csv(path: Path) -> list[dict[str, str]]:
    """What `write_csv` wrote, as text."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_card(path: Path) -> Facts:
    """The facts beside the weights at `path`, without reading the weights.

    Raises:
        InputError: the weights or their card are missing, or the card names no model.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file. Train one with `fmnist train`.")
    card = path.with_suffix(".json")
    if not card.is_file():
        raise InputError(f"{path} has no card beside it. Put {card.name} into the same folder.")
    facts = read_json(card)
    if not isinstance(facts.get("model"), str):
        raise InputError(f"{card} does not name its model. Use a card that `fmnist train` wrote.")
    recipe = facts.get("recipe", {})
    if not isinstance(recipe, dict) or not all(
        isinstance(recipe.get(name, 0), int | float) for name in ("held_out", "nothing")
    ):
        raise InputError(f"{card} holds no recipe. Use a card that `fmnist train` wrote.")
    return facts


def classifier_card(path: Path) -> Facts:
    """The card of a classifier of fmnist, the beginning of whose weights has been looked at.

    Raises:
        InputError: as `read_card`; the weights are cut or no safetensors, or by the card of another
            program or of other classes.
    """
    facts = read_card(path)
    path.open("rb").close()  # says why it cannot be read, as safetensors does not
    try:
        with safe_open(path, "np") as file:  # the length and the header, no tensor
            is_empty = not file.keys()
    except SafetensorError as error:
        raise no_weights(path) from error
    if is_empty:
        raise no_weights(path)
    if facts["model"] not in MODELS:
        known = ", ".join(MODELS)
        raise InputError(
            f"{path} holds the model {facts['model']!r}, which is no classifier of fmnist. "
            f"Use weights of one of: {known}."
        )
    if facts.get("classes") != list(CLASSES):
        raise InputError(
            f"{path} was trained on other classes than the ten of Fashion-MNIST. "
            "Use weights that `fmnist train` wrote."
        )
    return facts


def no_weights(path: Path) -> InputError:
    return InputError(
        f"{path} is not a readable safetensors file. Copy it again, or train it anew."
    )


def card_of(model: str, path: Path) -> Facts:
    """The card of weights to begin with.

    Raises:
        InputError: as `classifier_card`, or they are of another network than `model`.
    """
    facts = classifier_card(path)
    if facts["model"] != model:
        raise InputError(
            f"{path} holds a {facts['model']}, not a {model}. "
            "Give --init weights of the same network."
        )
    return facts
