"""The head: squares around boxes, cut from the full frame, named in one batch."""

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from detector.head import LARGEST, Head, square_crop
from fmnist.checkpoint import save_checkpoint
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from fmnist.models import build

CPU = torch.device("cpu")


def trained_enough(name: str) -> torch.nn.Module:
    """A network whose batch normalisation is not the identity, as after training."""
    torch.manual_seed(0)
    model = build(name)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.rand(8, 1, 28, 28))
    return model.eval()


def frame(seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    return cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC)


BOXES = np.array(
    [[10, 20, 60, 120], [0, 0, 320, 240], [300, 200, 320, 240], [5, 5, 9, 8]], np.float32
)


def test_a_box_of_28_pixels_is_taken_as_it_is() -> None:
    image = frame()
    crop = square_crop(image, np.array([40, 50, 68, 78], np.float32))
    np.testing.assert_array_equal(crop, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[50:78, 40:68])


def test_a_tall_box_is_seen_with_what_is_beside_it() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[:, 80:120] = 255
    crop = square_crop(image, np.array([80, 40, 120, 152], np.float32))
    assert (crop[:, :8] == 0).all() and (crop[:, -8:] == 0).all()
    assert (crop[:, 10:18] == 255).all()


@pytest.mark.parametrize("long", [(9000, 600), (600, 9000)])
def test_the_square_around_a_strip_is_shrunk_first(long: tuple[int, int]) -> None:
    strip = cv2.resize(frame()[:, :240], long, interpolation=cv2.INTER_LINEAR)
    box = np.array([0, 0, *long], np.float32)
    tracemalloc.start()
    crop = square_crop(strip, box)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * LARGEST**2  # of 81 million pixels
    whole = cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY)
    margins = [(max(long) - side) // 2 for side in long[::-1]]
    rows, columns = margins
    square = cv2.copyMakeBorder(whole, rows, rows, columns, columns, cv2.BORDER_REPLICATE)
    expected = cv2.resize(square, (28, 28), interpolation=cv2.INTER_AREA)
    assert abs(crop.astype(int) - expected).max() <= 2


def test_shrinking_averages() -> None:
    checkers = (np.indices((280, 280)).sum(0) % 2 * 255).astype(np.uint8)
    crop = square_crop(np.dstack([checkers] * 3), np.array([0, 0, 280, 280], np.float32))
    assert abs(crop.astype(int) - 127).max() <= 1


@pytest.mark.parametrize(
    "box", [[100, 100, 100, 100], [320, 240, 320, 240], [319, 0, 320, 0], [0, 0, 0.4, 0.4]]
)
def test_a_box_without_area_still_has_a_crop(box: list[float]) -> None:
    assert square_crop(frame(), np.array(box, np.float32)).shape == (28, 28)


@pytest.mark.parametrize("name", ["vgg", "lenet"])
def test_the_folded_network_says_what_the_network_says(name: str) -> None:
    model = trained_enough(name)
    crops = np.stack([square_crop(frame(), box) for box in BOXES])
    with torch.inference_mode():
        images = torch.from_numpy(crops)[:, None].float() / 255
        expected = model(images).softmax(1).numpy()
    verdict = Head(model, CPU)(frame(), BOXES)
    np.testing.assert_allclose(verdict.probabilities, expected, atol=1e-4)
    np.testing.assert_array_equal(verdict.garment, np.ones(len(BOXES)))


def test_boxes_are_named_one_by_one_as_together() -> None:
    head = Head(trained_enough("lenet"), CPU)
    together = head(frame(), BOXES).probabilities
    for i in range(len(BOXES)):
        np.testing.assert_allclose(
            head(frame(), BOXES[i : i + 1]).probabilities[0], together[i], atol=1e-5
        )
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)


def test_no_boxes_no_probabilities() -> None:
    head = Head(trained_enough("lenet"), CPU)
    garment, probabilities = head(frame(), np.zeros((0, 4), np.float32))
    assert garment.shape == (0,) and probabilities.shape == (0, 10)


def test_weights_of_a_classifier_load_and_those_of_a_grid_do_not(tmp_path: Path) -> None:
    model = trained_enough("lenet")
    facts = {"model": "lenet", "classes": list(CLASSES)}
    save_checkpoint(tmp_path / "a.safetensors", model.state_dict(), facts)
    loaded = Head.load(tmp_path / "a.safetensors", CPU)
    expected = Head(model, CPU)(frame(), BOXES)
    np.testing.assert_allclose(loaded(frame(), BOXES).probabilities, expected[1], atol=1e-6)
    save_checkpoint(tmp_path / "b.safetensors", model.state_dict(), {**facts, "model": "grid"})
    with pytest.raises(InputError, match="grid"):
        Head.load(tmp_path / "b.safetensors", CPU)


def test_a_head_trained_with_nothing_can_reject(tmp_path: Path) -> None:
    model = trained_enough("lenet")
    facts = {"model": "lenet", "classes": list(CLASSES), "recipe": {"nothing": 0.4}}
    save_checkpoint(tmp_path / "a.safetensors", model.state_dict(), facts)
    plain, rejecting = Head(model, CPU)(frame(), BOXES), Head.load(tmp_path / "a.safetensors", CPU)
    garment, probabilities = rejecting(frame(), BOXES)
    np.testing.assert_allclose(probabilities, plain.probabilities, atol=1e-6)
    assert ((garment > 0) & (garment < 1)).all()


def test_who_leaves_the_frame_is_seen_as_if_its_edge_went_on() -> None:
    image, more = frame(), 100
    larger = cv2.copyMakeBorder(image, more, more, more, more, cv2.BORDER_REPLICATE)
    edges = [[100, 0, 200, 30], [100, 210, 200, 240], [0, 70, 20, 150], [300, 70, 320, 150]]
    for box in np.array([*edges, [0, 0, 90, 20], [200, 230, 320, 240]], np.float32):
        np.testing.assert_array_equal(square_crop(image, box), square_crop(larger, box + more))
