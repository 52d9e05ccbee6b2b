"""What a card and the beginning of a file tell, however they are spoilt."""

import json
from pathlib import Path

import pytest

from fmnist.cards import card_of, classifier_card, read_json
from fmnist.classes import CLASSES
from fmnist.errors import InputError

CARD = {"model": "lenet", "classes": list(CLASSES)}
HEADER = json.dumps(
    {"__metadata__": {}, "x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
).encode()
WHOLE = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)


def placed(folder: Path, weights: bytes, card: object) -> Path:
    path = folder / "x.safetensors"
    path.write_bytes(weights)
    path.with_suffix(".json").write_text(json.dumps(card))
    return path


def test_a_whole_file_with_its_card_passes(tmp_path: Path) -> None:
    assert classifier_card(placed(tmp_path, WHOLE, CARD)) == CARD
    assert card_of("lenet", tmp_path / "x.safetensors") == CARD
    with pytest.raises(InputError, match="holds a lenet, not a vgg"):
        card_of("vgg", tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "weights",
    [b"", b"\xff" * 100, WHOLE[:-1], WHOLE + b"x", WHOLE[:20], b"\2" + bytes(7) + b"{}", bytes(8)],
)
def test_weights_that_are_cut_or_foreign_are_told(weights: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a readable safetensors file"):
        classifier_card(placed(tmp_path, weights, CARD))


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"model": ["lenet"]}, "does not name its model"),
        ({**CARD, "classes": 10}, "other classes"),
        ({**CARD, "model": "yolo"}, "no classifier of fmnist"),
        (3, "holds no JSON object"),
        ({**CARD, "recipe": 5}, "holds no recipe"),
        ({**CARD, "recipe": {"held_out": "x"}}, "holds no recipe"),
    ],
)
def test_cards_of_a_wrong_kind_are_told(card: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        classifier_card(placed(tmp_path, WHOLE, card))


def test_json_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="is not valid JSON"):
        read_json(tmp_path / "x.json")
