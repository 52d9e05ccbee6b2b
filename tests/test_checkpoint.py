"""Weights and card: a round trip changes nothing, and anything else is refused in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fmnist.cards import Facts, read_card
from fmnist.checkpoint import load_model, save_checkpoint
from fmnist.classes import CLASSES
from fmnist.data import load
from fmnist.errors import InputError
from fmnist.evaluation import from_logits, predict_logits
from fmnist.models import MODELS, build
from weights import WEIGHTS

FACTS: Facts = {"model": "lenet", "classes": list(CLASSES)}


@pytest.mark.parametrize("name", MODELS)
def test_loaded_weights_give_equal_logits(name: str, tmp_path: Path) -> None:
    model = build(name).eval()
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, model.state_dict(), {**FACTS, "model": name, "seed": 3})
    loaded, facts = load_model(path)
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(model(images), loaded(images))
    assert facts["seed"] == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.json", "x.safetensors"]


@pytest.mark.parametrize("name", ["lenet", "lenet-plain", "vgg", "vgg-plain", "resnet10-56"])
def test_shipped_weights_are_as_good_as_their_card_says(fashion_mnist: Path, name: str) -> None:
    model, card = load_model(WEIGHTS / f"{name}.safetensors")
    some = load(fashion_mnist, "test").select(slice(1000))
    judged = from_logits(predict_logits(model, some.images), some.labels)
    assert judged.accuracy == pytest.approx(card["test"]["accuracy"], abs=0.02)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("missing", "no such weights file"),
        ("corrupt", "not a readable safetensors file"),
        ("no card", "has no card beside it"),
        ("card is text", "not valid JSON"),
        ("card is a list", "holds no JSON object"),
        ("nameless", "does not name its model"),
        ("foreign", "no classifier of fmnist"),
        ("classes", "other classes"),
        ("mixed", "does not hold the weights of vgg"),
        ("gone wrong", "holds weights that are not finite"),
    ],
)
def test_a_wrong_checkpoint_is_refused_in_its_own_sentence(
    spoil: str, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.safetensors"
    card = path.with_suffix(".json")
    save_checkpoint(path, build("lenet").state_dict(), FACTS)
    endless = {name: value / 0 for name, value in build("lenet").state_dict().items()}
    changes: dict[str, Callable[[], object]] = {
        "gone wrong": lambda: save_checkpoint(path, endless, FACTS),
        "missing": path.unlink,
        "corrupt": lambda: path.write_bytes(path.read_bytes()[:1000]),
        "no card": card.unlink,
        "card is text": lambda: card.write_text("hello"),
        "card is a list": lambda: card.write_text("[]"),
        "nameless": lambda: card.write_text("{}"),
        "foreign": lambda: card.write_text(json.dumps({**FACTS, "model": "yolo"})),
        "classes": lambda: card.write_text(json.dumps({**FACTS, "classes": ["cat", "dog"]})),
        "mixed": lambda: card.write_text(json.dumps({**FACTS, "model": "vgg"})),
    }
    changes[spoil]()
    with pytest.raises(InputError, match=sentence):
        load_model(path)


def test_a_card_is_read_without_the_weights(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(FACTS))
    (tmp_path / "x.safetensors").touch()
    assert read_card(tmp_path / "x.safetensors") == FACTS


def test_numbers_that_json_lacks_are_refused_before_anything_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, build("lenet").state_dict(), FACTS)
    with pytest.raises(ValueError):
        save_checkpoint(path, build("lenet").state_dict(), {**FACTS, "loss": float("nan")})
    assert read_card(path) == FACTS


def test_loading_leaves_the_random_numbers_of_the_process_as_they_were() -> None:
    before = torch.get_rng_state()
    load_model(WEIGHTS / "lenet.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
