"""A grid that starts from weights of ultralytics' YOLO11n."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from detector.grid import Grid
from detector.layouts import VGG, YOLO
from detector.network import Network
from detector.scene import Scene
from detector.training.initial_weights import RELU_BY, initial_network, silu_to_relu, started_from
from detector.training.loop import train
from detector.training.run import Task
from detector.training.schedule import Schedule
from detector.ultralytics_weights import load_yolo
from fmnist.errors import InputError
from tests.command import fmnist
from tests.photo_folders import with_masks
from tests.theirs import saved

CPU = torch.device("cpu")
HEAD = 23  # the layer of the boxes and classes


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("starts") / "yolo11n-own.pt", ("person", "dog"))


def features(network: Network, images: torch.Tensor) -> list[torch.Tensor]:
    """What the layers below the boxes make of the images, at the three sizes of cells.

    Normalised by these images: untrained, the network makes next to nothing of them otherwise.
    """
    found: list[torch.Tensor] = []
    head = network.model[HEAD]
    hook = head.register_forward_pre_hook(
        lambda _, given: found.extend(t.clone() for t in given[0])
    )
    with torch.inference_mode():
        network.train()(images)
    hook.remove()
    return found


def test_its_features_are_theirs_with_the_colours_in_our_order(weights: Path) -> None:
    theirs = load_yolo(weights).model.float()
    ours = initial_network(weights, YOLO, 0)
    silu_to_relu(ours, 0.0)
    rgb = torch.rand((2, 3, 64, 96), generator=torch.manual_seed(0))
    expected = features(theirs, rgb)
    assert len(expected) == 3
    for mine, wanted in zip(features(ours, rgb.flip(1)), expected, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-3, atol=1e-3)
    wrong_order = features(ours, rgb)[0]
    assert (wrong_order - expected[0]).abs().max() > 0.1


def activations(network: Network) -> list[type]:
    kinds = nn.ReLU | nn.SiLU
    acts = [getattr(module, "act", None) for module in network.modules()]
    return [type(act) for act in acts if isinstance(act, kinds)]


def test_one_activation_after_another_becomes_ours(weights: Path) -> None:
    network = initial_network(weights, YOLO, 0)
    counts = []
    for done in np.linspace(0, 1, 41):
        silu_to_relu(network, float(done))
        found = activations(network)
        counts.append(found.count(nn.ReLU))
        assert found == sorted(found, key=lambda kind: kind is nn.SiLU)  # from the input on
    assert counts[0] == 0 and counts == sorted(counts)
    assert set(counts[round(40 * RELU_BY) :]) == {len(found)}
    assert max(np.diff(counts)) <= 5


def test_a_training_from_them_ends_as_a_grid_and_resumes_as_it_would_have_ended(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scene(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        width, height = size_wh
        frame = rng.integers(0, 256, (height, width, 3), np.uint8)
        box = np.array([[8, 8, width - 8, height - 8]], np.float32)
        return Scene(frame, box, np.array([3]))

    schedule = Schedule(scenes=16, batch_size=2, image_size=64, reports=4)
    watched = {"": [scene(np.random.default_rng(9), (64, 64))]}
    asked: list[float] = []
    said: list[str] = []

    def recorded(network: Network, done: float) -> None:
        asked.append(done)
        silu_to_relu(network, done)

    monkeypatch.setattr("detector.training.loop.silu_to_relu", recorded)
    task = Task(schedule, init=weights)
    start = partial(train, task, scene, watched, device=CPU, workers=0, say=said.append)
    whole = start(tmp_path / "whole")
    every_step = [step / 8 for step in range(1, 9) for _ in ("network", "average")]
    assert asked == every_step
    asked.clear()
    assert whole is not None
    run_dir = tmp_path / "parts"
    assert start(run_dir, max_minutes=0) is None
    parts = start(run_dir, resume=True)
    assert parts is not None
    assert asked == every_step
    frame = watched[""][0].frame
    one, other = Grid.load(whole, CPU)(frame, 0.0), Grid.load(parts, CPU)(frame, 0.0)
    assert len(one.xyxy) > 0
    np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_a_run_tells_their_file_from_one_of_ours() -> None:
    assert started_from(None) == ""
    assert started_from(Path("a/x.pt")) == "x.pt"
    assert started_from(Path("a/x.safetensors")) == "x"


def test_the_number_of_their_classes_does_not_matter(tmp_path: Path) -> None:
    names = tuple(f"thing {number}" for number in range(80))  # as COCO has: wider layers
    theirs = load_yolo(saved(tmp_path / "coco.pt", names)).model.float().state_dict()
    ours = initial_network(tmp_path / "coco.pt", YOLO, 0).state_dict()
    for name, value in ours.items():
        if ".cv3." not in name and name != "model.0.conv.weight":
            assert torch.equal(value, theirs[name]), name


def test_other_files_are_no_start(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="own.pt is no start for a grid on vgg"):
        initial_network(weights, VGG, 0)
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(InputError, match=r"text.pt cannot be read"):
        initial_network(tmp_path / "text.pt", YOLO, 0)
    larger = saved(tmp_path / "larger.pt", ("person",), "yolo11s.yaml")
    with pytest.raises(InputError, match=r"larger.pt holds no YOLO11n. Give yolo11n.pt"):
        initial_network(larger, YOLO, 0)


def test_a_bad_start_is_told_before_photos_are_read(tmp_path: Path, fashion_mnist: Path) -> None:
    photos = with_masks(tmp_path / "photos")
    (photos / "photos" / "000.png").write_text("no picture")
    (tmp_path / "text.pt").write_text("no weights")
    words = ("detector", "train", "--photos", "photos", "--data-dir", str(fashion_mnist))
    assert "000.png is not an image" in fmnist(*words, folder=tmp_path).err
    refused = fmnist(*words, "--init", "text.pt", folder=tmp_path)
    assert refused.code == 2 and "text.pt cannot be read" in refused.err
    assert not (tmp_path / "runs").exists()


def test_a_file_that_is_not_there_is_told_by_the_command(tmp_path: Path) -> None:
    refused = fmnist("detector", "train", "--init", "yolo11n.pt", folder=tmp_path)
    assert refused.code == 2
    assert "yolo11n.pt: no such file. Give ultralytics' yolo11n.pt" in refused.err
    assert not (tmp_path / "runs").exists()
