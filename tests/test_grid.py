"""The grid: boxes in pixels of any frame, its weights on disk, and its manners."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import box_convert

from detector.grid import Grid, _any_garment, _box_voting, _cells, _shares
from detector.layouts import MODEL
from detector.letterbox import as_input, letterbox
from detector.network import Network, build
from fmnist.checkpoint import Facts, save_checkpoint
from fmnist.errors import InputError

CPU = torch.device("cpu")
ROOT = Path(__file__).parent.parent


def noisy_network(seed: int = 0) -> Network:
    """A network that is sure of many boxes, with a batch normalisation that does something."""
    network = build(seed)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    for branch in network.model[-1].cv3:
        nn.init.normal_(branch[-1].weight, generator=generator)
        nn.init.zeros_(branch[-1].bias)
    return network


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_fresh_process_builds_a_grid_offline_and_writes_only_to_our_cache(
    tmp_path: Path,
) -> None:
    code = """
import os, socket, sys
import torch
import detector.network
assert "YOLO_AUTOINSTALL" not in os.environ and "ultralytics" not in sys.modules
def refuse(*arguments): raise AssertionError(f"network: {arguments}")
socket.socket.connect = socket.socket.sendto = socket.getaddrinfo = refuse
threads = torch.get_num_threads()
detector.network.build()
from ultralytics.utils import ONLINE
assert not ONLINE and torch.get_num_threads() == threads
names = "YOLO_AUTOINSTALL", "YOLO_OFFLINE", "ULTRALYTICS_SAFE_LOAD"
print(*(os.environ[name] for name in names))
"""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("YOLO_", "ULTRALYTICS_"))}
    places = {"HOME": tmp_path / "home", "XDG_CACHE_HOME": tmp_path / "cache"}
    work = tmp_path / "work"
    for folder in (*places.values(), work):
        folder.mkdir()
    environment = {
        **ours,
        **{name: str(path) for name, path in places.items()},
        "PYTHONPATH": str(ROOT),
        "YOLO_OFFLINE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=work, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["false", "1", "true"]  # what the user set is kept
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.is_relative_to("cache/fmnist/ultralytics") for path in written), written


def test_the_same_seed_builds_the_same_network_and_leaves_the_global_one_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = build(1), build(1), build(2)
    assert torch.rand(1) == expected
    name = "model.0.conv.weight"
    assert torch.equal(first.state_dict()[name], second.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


@pytest.mark.parametrize(
    ("size_wh", "shape"),
    [
        ((1280, 720), (192, 320)),
        ((320, 320), (320, 320)),
        ((100, 400), (320, 96)),
        ((1, 1), (320, 320)),
    ],
)
def test_a_frame_becomes_an_input_of_whole_cells(
    size_wh: tuple[int, int], shape: tuple[int, int]
) -> None:
    assert letterbox(noise(*size_wh), 320).shape == (*shape, 3)


def test_what_the_frame_leaves_free_is_as_gray_as_in_the_training_of_ultralytics() -> None:
    from ultralytics.data.augment import LetterBox

    theirs = np.asarray(LetterBox(new_shape=(320, 320), center=False)(image=noise(1280, 720)))
    free = letterbox(noise(1280, 720), 320)[180:]
    assert free.size and (free == theirs[180 : 180 + len(free)]).all()


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((8, 8, 3)),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.uint16),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((8, 0, 3), np.uint8),
        np.zeros(8, np.uint8),
        None,
    ],
)
def test_what_is_no_picture_is_refused(frame: np.ndarray | None) -> None:
    grid = Grid(noisy_network(), 320, torch.device("cpu"))
    look = inspect.unwrap(Grid.input)  # without the types that only tests check
    with pytest.raises(ValueError, match="a frame is (uint8 of the shape|one array, not None)"):
        look(grid, frame)


def test_every_cell_is_decoded_as_ultralytics_does() -> None:
    network = noisy_network().eval()
    images = as_input(torch.from_numpy(noise(160, 96)[None]))
    with torch.inference_mode():
        decoded = network(images)[0][0]
        network.model[-1].training = True
        maps = network(images)
    centre, stride = _cells(96, 160, CPU)
    sides = maps["boxes"][0].T.reshape(-1, 4, 16).softmax(2) @ torch.arange(16.0)
    xyxy = torch.cat([centre - sides[:, :2], centre + sides[:, 2:]], 1) * stride
    torch.testing.assert_close(
        xyxy, box_convert(decoded[:4].T, "cxcywh", "xyxy"), atol=1e-3, rtol=0
    )


def test_frames_are_looked_at_one_by_one_as_together() -> None:
    grid = Grid(noisy_network(), 64, CPU)
    frames = [noise(128, 72, 1), noise(50, 100, 2), noise(128, 72, 3)]
    together = grid.batch(frames, 0.3)
    assert all(len(boxes.xyxy) for boxes in together)
    for frame, boxes in zip(frames, together, strict=True):
        alone = grid(frame, 0.3)
        np.testing.assert_allclose(alone.xyxy, boxes.xyxy, atol=1e-2)
        np.testing.assert_allclose(alone.confidence, boxes.confidence, atol=1e-4)
        np.testing.assert_allclose(alone.probabilities, boxes.probabilities, atol=1e-3)
    assert grid.batch([]) == []


def test_boxes_lie_in_the_frame_the_most_confident_first() -> None:
    found = Grid(noisy_network(), 64, CPU)(noise(101, 57), 0.4)
    assert len(found) > 1
    np.testing.assert_allclose(found.probabilities.sum(1), 1, rtol=1e-5)
    assert (found.xyxy >= 0).all() and (found.xyxy <= [101, 57, 101, 57]).all()
    assert (np.diff(found.confidence) <= 0).all() and (found.confidence >= 0.4).all()


def test_a_box_is_the_mean_of_those_that_nearly_agree() -> None:
    xyxy = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 11], [0, 0, 10, 20], [5, 5, 5, 5]])
    scores = torch.tensor([0.9, 0.3, 0.8, 0.2])
    got = _box_voting(xyxy, scores, torch.tensor([0, 3]))
    torch.testing.assert_close(got, torch.tensor([[0, 0, 10, 10.25], [5, 5, 5, 5]]))
    assert _box_voting(xyxy, scores, torch.tensor([], dtype=torch.long)).shape == (0, 4)
    unsure = _box_voting(xyxy, torch.zeros(4), torch.tensor([0, 3]))
    torch.testing.assert_close(unsure, torch.tensor([[0, 0, 10, 10.5], [5, 5, 5, 5]]))


def test_a_frame_may_hold_nothing() -> None:
    assert len(Grid(build(), 64, CPU)(noise(64, 64), 0.999)) == 0


def test_footwear_of_untold_kind_is_any_kind_of_shoe_and_other_garments_are_not_wanted() -> None:
    answers = torch.zeros(3, 12)
    answers[0, 3], answers[0, 10] = 0.4, 0.9
    answers[1, 11], answers[1, 5] = 0.6, 0.2
    answers[2, 10] = 0.9
    torch.testing.assert_close(_any_garment(answers.T), torch.tensor([0.4, 0.68, 0.0]))
    shares = _shares(answers[:2])
    assert shares[0].argmax() == 3 and shares[0, 3] == 1
    torch.testing.assert_close(shares[1, [5, 7, 9]], torch.tensor([0.5, 0.25, 0.25]))


def test_saved_and_loaded_it_finds_the_same_boxes(tmp_path: Path) -> None:
    network = noisy_network()
    path = tmp_path / "grid.safetensors"
    save_checkpoint(path, network.state_dict(), {"model": MODEL, "image_size": 96})
    loaded = Grid.load(path, CPU)
    assert loaded.image_size == 96
    after, before = loaded(noise(90, 70)), Grid(network, 96, CPU)(noise(90, 70))
    assert len(after) > 0
    np.testing.assert_array_equal(after.xyxy, before.xyxy)
    np.testing.assert_array_equal(after.confidence, before.confidence)
    np.testing.assert_array_equal(after.probabilities, before.probabilities)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    state = build().state_dict()
    fewer = dict(list(state.items())[:-1])
    facts: Facts = {"model": MODEL, "image_size": 96}
    for number, (tensors, card) in enumerate(
        [
            (fewer, facts),
            (state, {"model": "vgg"}),
            (state, {"model": MODEL}),
            (state, {**facts, "backbone": []}),
            (state, {**facts, "looks_at": "x"}),
            (state, {**facts, "looks_at": 10**9}),
            ({}, facts),
        ]
    ):
        path = tmp_path / f"{number}.safetensors"
        save_checkpoint(path, tensors, card)
        with pytest.raises(InputError, match="holds no grid"):
            Grid.load(path, CPU)
    path.write_bytes(b"not weights")
    with pytest.raises(InputError, match="is not a readable safetensors file"):
        Grid.load(path, CPU)
    with pytest.raises(InputError, match="missing.safetensors: no such weights file"):
        Grid.load(tmp_path / "missing.safetensors", CPU)


@pytest.mark.parametrize("size_wh", [(1280, 720), (1920, 1080), (641, 480), (2560, 1440)])
def test_shrinking_in_steps_is_shrinking(size_wh: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (45, 80, 3), np.uint8)
    frame = cv2.resize(noise, size_wh, interpolation=cv2.INTER_CUBIC)
    width, height = 352, round(352 * size_wh[1] / size_wh[0])
    direct = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    stepped = letterbox(frame, 352)[:height, :width]
    difference = np.abs(stepped.astype(int) - direct)
    assert difference.mean() < 1.5 and difference.max() <= 24, "of 255, on noise"


@pytest.mark.parametrize(
    ("size_wh", "shape", "why"),
    [
        ((480, 640), (352, 288), "upright: the longest side is that size"),
        ((640, 640), (352, 352), "square"),
        ((640, 480), (352, 448), "a webcam: nearly as high"),
        ((1280, 720), (288, 512), "wide: at most 1.5 times as wide"),
        ((4000, 100), (32, 512), "a strip"),
    ],
)
def test_who_stands_in_a_wide_frame_is_not_looked_at_much_smaller(
    size_wh: tuple[int, int], shape: tuple[int, int], why: str
) -> None:
    grid = Grid(noisy_network(), 352, CPU)
    assert grid.input(noise(*size_wh)).shape == (*shape, 3), why
    assert grid.wide_hw == (288, 512)


def test_what_cells_say_are_boxes_of_their_own_frame_with_their_own_class() -> None:
    """Of 64x96 pixels there are 96 cells of 8, and then 24 of 16; two tell of nearly the same."""
    told = (
        (96 + 8, 4, 3.0, (2, 1, 1, 3)),
        (96 + 9, 4, 1.0, (3, 1, 1, 3)),
        (12 * 5 + 9, 7, 2.0, (1, 2, 2, 0)),
    )
    distances, answers = torch.zeros(2, 64, 126), torch.full((2, 12, 126), -12.0)
    for cell, label, sure, sides in told:
        answers[:, label, cell] = sure
        for side, bins in enumerate(sides):
            distances[:, 16 * side + bins, cell] = 50.0
    grid = Grid(build(), 64, CPU)
    grid._run = lambda images: (distances, answers)
    sizes = ((96, 48), (200, 100))
    for (width, _), boxes in zip(sizes, grid.batch([noise(*size) for size in sizes]), strict=True):
        # Their centres are at (40, 24), (56, 24) and (76, 44); the frame ends at a height of 48.
        expected = np.array([[8, 8, 56, 48], [68, 28, 92, 44]]) * width / 96
        np.testing.assert_allclose(boxes.xyxy, expected, rtol=1e-4)
        np.testing.assert_allclose(boxes.confidence, 1 / (1 + np.exp([-3.0, -2.0])), rtol=1e-3)
        assert boxes.probabilities.argmax(1).tolist() == [4, 7]


def test_a_box_is_the_same_whatever_confidence_is_asked_for() -> None:
    grid = Grid(noisy_network(), 64, CPU)
    every = grid(noise(160, 90), 0.0)
    for level in np.quantile(every.confidence, (0.2, 0.5, 0.8)).tolist():
        sure = every.confidence >= level
        assert 1 < sure.sum() < len(sure)
        np.testing.assert_allclose(grid(noise(160, 90), level).xyxy, every.xyxy[sure], rtol=1e-5)


def test_the_network_reads_blue_green_and_red_in_0_to_1() -> None:
    frame = noise(96, 64)
    read = as_input(torch.from_numpy(frame[None]))[0].numpy()
    np.testing.assert_allclose(read, frame.transpose(2, 0, 1) / 255, atol=1e-6)
