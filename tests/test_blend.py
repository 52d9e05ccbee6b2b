"""The mean of two grids."""

from pathlib import Path

import pytest
import torch

from commands.detector_data import check_blend
from detector.layouts import MODEL
from detector.network import build, read
from detector.scene import Scene
from detector.training.blend import blend, blended
from fmnist.cards import read_card
from fmnist.checkpoint import save_checkpoint
from fmnist.errors import InputError
from tests.photo_folders import picture


def grid(path: Path, seed: int, **facts: object) -> Path:
    card = {"model": MODEL, "image_size": 96, "command": f"number {seed}", **facts}
    save_checkpoint(path, build(seed).state_dict(), card)
    return path


def test_each_weight_lies_between_the_two(tmp_path: Path) -> None:
    first, second = grid(tmp_path / "a.safetensors", 0), grid(tmp_path / "b.safetensors", 1)
    one, other = (read(path)[0].state_dict() for path in (first, second))
    for share in (0.0, 0.25, 1.0):
        for name, value in blended(first, second, share).state_dict().items():
            wanted = one[name] * (1 - share) + other[name] * share
            torch.testing.assert_close(value, wanted.to(value.dtype))


def test_a_blend_is_a_grid_whose_card_tells_of_both(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    first = grid(tmp_path / "grid.safetensors", 0, licences="CC0")
    second = grid(tmp_path / "new" / "grid.safetensors", 1, image_size=64)
    target = tmp_path / "c.safetensors"
    box = torch.tensor([[8.0, 8.0, 40.0, 60.0]]).numpy()
    scene = Scene(picture(0, (96, 96)), box, torch.zeros(1, dtype=torch.int64).numpy())
    network = blended(first, second, 0.4)
    blend(network, {first: 0.6, second: 0.4}, {"": [scene]}, target, {"command": "blend"})
    card = read_card(target)
    assert card["command"] == "blend" and card["licences"] == "CC0"
    assert card["blend"] == [
        {"weights": "grid", "share": 0.6, "image_size": 96, "command": "number 0"},
        {"weights": "grid", "share": 0.4, "image_size": 64, "command": "number 1"},
    ]
    assert card["image_size"] == 96
    assert str(card["looks_at"]) in card["looks"]
    weights, _ = read(target)
    expected = blended(first, second, 0.4).state_dict()
    assert all(torch.equal(expected[name], value) for name, value in weights.state_dict().items())


def test_grids_of_two_kinds_have_no_mean(tmp_path: Path) -> None:
    first = grid(tmp_path / "a.safetensors", 0)
    check_blend(first, grid(tmp_path / "c.safetensors", 2, backbone="yolo11n"))
    with pytest.raises(InputError, match="a grid on yolo11n, .*b.safetensors one on vgg"):
        check_blend(first, grid(tmp_path / "b.safetensors", 1, backbone="vgg"))
