"""The mean of two grids."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from commands.detector_data import check_blend
from detector.layouts import MODEL, TRUNK
from detector.network import build, read
from detector.scene import Scene
from detector.training import blend as module
from detector.training.blend import blend, blended, measure_batch_norm
from fmnist.cards import read_card
from fmnist.checkpoint import save_checkpoint
from fmnist.errors import InputError
from tests.photo_folders import picture


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEASURED_ON", 32)


def noise(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
    frame = rng.integers(0, 256, (size_wh[1], size_wh[0], 3), np.uint8)
    box = np.array([[8, 8, 40, 60]], np.float32)
    return Scene(frame, box, np.zeros(1, np.int64))


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
    facts = {"command": "blend"}
    blend(network, {first: 0.6, second: 0.4}, noise, {"": [scene]}, target, facts)
    card = read_card(target)
    assert card["command"] == "blend" and card["licences"] == "CC0"
    assert card["blend"] == [
        {"weights": "grid", "share": 0.6, "image_size": 96, "command": "number 0"},
        {"weights": "grid", "share": 0.4, "image_size": 64, "command": "number 1"},
    ]
    assert card["image_size"] == 96 and card["statistics_of"] == 32
    assert str(card["looks_at"]) in card["looks"]
    weights, _ = read(target)
    expected = dict(blended(first, second, 0.4).named_parameters())
    assert all(torch.equal(expected[name], value) for name, value in weights.named_parameters())


def test_batch_norm_knows_what_the_mean_answers(tmp_path: Path) -> None:
    """Of several batches each counts alike; nothing else of the network changes."""
    network = build(0)
    before = {name: value.clone() for name, value in network.named_parameters()}
    norm = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    momentum, answers = norm.momentum, []
    hook = norm.register_forward_pre_hook(lambda _, given: answers.append(given[0].float()))
    network.eval()
    measure_batch_norm(network, noise, 64, 0)
    hook.remove()
    assert len(answers) == 2 and not network.training and norm.momentum == momentum
    means = torch.stack([answer.mean((0, 2, 3)) for answer in answers]).mean(0)
    variances = torch.stack([answer.var((0, 2, 3)) for answer in answers]).mean(0)
    torch.testing.assert_close(norm.running_mean, means, rtol=0.02, atol=1e-3)
    torch.testing.assert_close(norm.running_var, variances, rtol=0.02, atol=1e-3)
    assert all(torch.equal(before[name], value) for name, value in network.named_parameters())


def test_a_frozen_trunk_keeps_its_statistics() -> None:
    network = build(0, "vgg")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure_batch_norm(network, noise, 64, 0, is_frozen=True)
    after = network.state_dict()
    trunk = [name for name in after if int(name.split(".")[1]) < TRUNK]
    assert trunk and all(torch.equal(before[name], after[name]) for name in trunk)
    assert any(not torch.equal(before[name], value) for name, value in after.items())


def test_grids_of_two_kinds_have_no_mean(tmp_path: Path) -> None:
    first = grid(tmp_path / "a.safetensors", 0)
    check_blend(first, grid(tmp_path / "c.safetensors", 2, backbone="yolo11n"))
    with pytest.raises(InputError, match="a grid on yolo11n, .*b.safetensors one on vgg"):
        check_blend(first, grid(tmp_path / "b.safetensors", 1, backbone="vgg"))
