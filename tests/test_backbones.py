"""The VGG-like classifier as the grid's backbone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from detector.defaults import GRID_FILE
from detector.grid import Grid
from detector.layouts import LATER, LAYOUTS, MODEL, TRUNK, VGG, YOLO
from detector.network import build
from detector.scene import Scene
from detector.training.initial_weights import initial_network
from detector.training.loop import train
from detector.training.run import Task
from detector.training.schedule import Schedule
from fmnist.checkpoint import load_model, save_checkpoint
from fmnist.errors import InputError
from weights import WEIGHTS

CPU = torch.device("cpu")


def test_the_features_of_the_classifier_are_those_of_the_backbone() -> None:
    path = WEIGHTS / "vgg.safetensors"
    vgg = load_model(path)[0]
    assert isinstance(vgg.features, nn.Sequential)
    trunk = initial_network(path, VGG, 0).eval().model[:TRUNK]
    gray = torch.rand((4, 1, 28, 28), generator=torch.manual_seed(0))
    with torch.inference_mode():
        expected = vgg.features[:-2](gray)  # without the average over the 7x7
        found = trunk(gray.expand(-1, 3, -1, -1))
    assert expected.abs().max() > 1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_what_stands_behind_a_classifier_begins_as_in_the_shipped_grid() -> None:
    shipped, untrained = initial_network(GRID_FILE, YOLO, 0), build(0, VGG).state_dict()
    network = initial_network(WEIGHTS / "vgg.safetensors", VGG, 0)
    state = network.state_dict()
    same = [
        number
        for number in range(TRUNK, len(network.model))
        if all(
            torch.equal(value, shipped.model[number - LATER].state_dict().get(name, torch.zeros(0)))
            for name, value in network.model[number].state_dict().items()
        )
    ]
    assert same == list(range(TRUNK + 2, len(network.model)))  # the two before it have other inputs
    assert torch.equal(state["model.9.conv.weight"], untrained["model.9.conv.weight"])


def test_a_frozen_backbone_stays_what_it_was_and_the_rest_learns(tmp_path: Path) -> None:
    def scene(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        frame = rng.integers(0, 256, (*size_wh[::-1], 3), np.uint8)
        return Scene(frame, np.array([[8, 8, 56, 56]], np.float32), np.array([3]))

    start = WEIGHTS / "vgg.safetensors"
    watched = {"": [scene(np.random.default_rng(9), (64, 64))]}
    schedule = Schedule(scenes=8, batch_size=2, image_size=64, reports=2)
    task = Task(schedule, init=start, backbone=VGG, frozen=True)
    weights = train(task, scene, watched, tmp_path, CPU, workers=0)
    assert weights is not None
    before, after = initial_network(start, VGG, 0), initial_network(weights, VGG, 0)
    for number, (old, new) in enumerate(zip(before.model, after.model, strict=True)):
        pairs = zip(old.state_dict().items(), new.state_dict().values(), strict=True)
        changed = [name for (name, value), other in pairs if not torch.equal(value, other)]
        assert bool(changed) == (number >= TRUNK and bool(old.state_dict())), (number, changed)


@pytest.mark.parametrize("backbone", LAYOUTS)
def test_a_grid_is_read_with_the_backbone_of_its_card(backbone: str, tmp_path: Path) -> None:
    network = build(1, backbone).eval()
    facts = {"model": MODEL, "backbone": backbone, "image_size": 64}
    save_checkpoint(tmp_path / "x.safetensors", network.state_dict(), facts)
    again = initial_network(tmp_path / "x.safetensors", backbone, 0)
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    ours, theirs = Grid(network, 64, CPU), Grid.load(tmp_path / "x.safetensors", CPU)
    np.testing.assert_array_equal(ours(frame, 0.0).xyxy, theirs(frame, 0.0).xyxy)


@pytest.mark.parametrize(
    ("weights", "backbone", "told"),
    [
        ("lenet", VGG, "of such a grid or of a VGG-like classifier."),
        ("vgg", YOLO, "Give weights of such a grid."),
        ("grid", VGG, "is a grid on yolo11n. Add --backbone yolo11n"),
    ],
)
def test_weights_of_something_else_are_no_start(weights: str, backbone: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        initial_network(WEIGHTS / f"{weights}.safetensors", backbone, 0)
