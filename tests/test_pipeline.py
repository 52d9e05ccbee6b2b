"""The whole detector: what the grid finds is named by the head."""

import copy
import multiprocessing
import pickle
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from detector.boxes import Detections
from detector.grid import Grid
from detector.head import Head
from detector.layouts import MODEL
from detector.network import build
from detector.pipeline import REJECTION, Detector, fuse, watch
from detector.soft_nms import soft_nms
from fmnist.checkpoint import save_checkpoint
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from fmnist.models import build as build_classifier

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """Untrained parts from files, so eager that something is found in any frame."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)  # of others two classes may be level, in bf16
    network = build()
    for branch in network.model[-1].cv3:
        torch.nn.init.zeros_(branch[-1].bias)
    grid, head = folder / "grid.safetensors", folder / "head.safetensors"
    save_checkpoint(grid, network.state_dict(), {"model": MODEL, "image_size": 64})
    classifier = build_classifier("lenet")
    save_checkpoint(head, classifier.state_dict(), {"model": "lenet", "classes": list(CLASSES)})
    return Detector.load(CPU, grid, head, confidence=0.3)


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 160, 3)).astype(np.uint8)


def test_another_process_sees_the_same(detector: Detector, frame: np.ndarray) -> None:
    here = detector(frame)
    assert len(here)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(detector))(frame).xyxy, here.xyxy)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply_async(detector, [frame]).get(timeout=240)
    np.testing.assert_allclose(there.xyxy, here.xyxy, atol=0.5)
    np.testing.assert_allclose(there.probabilities, here.probabilities, atol=0.02)


def test_a_copy_has_weights_of_its_own(detector: Detector, frame: np.ndarray) -> None:
    twin, before = copy.deepcopy(detector), detector(frame)
    with torch.no_grad():
        for branch in twin.grid.graph.network.model[-1].cv3:
            branch[-1].bias.fill_(-20)
    assert len(before) and not len(twin(frame))
    np.testing.assert_array_equal(detector(frame).xyxy, before.xyxy)


def test_every_box_of_the_grid_is_named_by_the_head(detector: Detector, frame: np.ndarray) -> None:
    boxes = detector.grid(frame, 0.3)
    found = fuse(detector.head, frame, boxes)
    assert sorted(map(tuple, found.xyxy)) == sorted(map(tuple, boxes.xyxy))
    assert len(found) > 0 and found.track_id is None
    sure = found.select(found.confidence >= 0.3)
    np.testing.assert_array_equal(detector(frame).xyxy, sure.xyxy)


def test_boxes_on_one_another_are_less_sure_with_a_head_and_without(
    detector: Detector, frame: np.ndarray
) -> None:
    boxes = detector.grid(frame, 0.3)
    found, alone = fuse(detector.head, frame, boxes), fuse(None, frame, boxes)
    expected = soft_nms(boxes)
    np.testing.assert_array_equal(alone.xyxy, expected.xyxy)
    np.testing.assert_array_equal(alone.confidence, expected.confidence)
    assert boxes.confidence.sum() - alone.confidence.sum() > 0.1
    assert boxes.confidence.sum() - found.confidence.sum() > 0.1  # this head rejects nothing


def test_a_class_is_as_likely_as_both_say(detector: Detector, frame: np.ndarray) -> None:
    boxes = detector.grid(frame, 0.3)
    assert detector.head
    head = detector.head(frame, boxes.xyxy).probabilities
    even = np.full_like(boxes.probabilities, 0.1)
    agreed = fuse(detector.head, frame, replace(boxes, probabilities=head)).probabilities
    assert (agreed.argmax(1) == head.argmax(1)).all()
    undecided = fuse(detector.head, frame, replace(boxes, probabilities=even)).probabilities
    assert (undecided.argmax(1) == head.argmax(1)).all()
    sure = np.zeros_like(even)
    sure[:, 7] = 1
    decided = fuse(detector.head, frame, replace(boxes, probabilities=sure)).probabilities
    assert (decided[:, 7] > head[:, 7]).all()
    np.testing.assert_allclose(decided.sum(1), 1, rtol=1e-5)


def test_what_the_head_rejects_is_less_confident(detector: Detector, frame: np.ndarray) -> None:
    boxes = detector.grid(frame, 0.3)
    xyxy, confidence = boxes.xyxy, boxes.confidence
    assert isinstance(detector.head, Head)
    rejecting = Head(detector.head.graph.network, CPU, rejects=True)
    garment = rejecting(frame, xyxy).garment
    found = fuse(rejecting, frame, boxes)
    assert len(found) == len(xyxy) and (np.diff(found.confidence) <= 0).all()
    product = confidence * garment**REJECTION
    assert (found.confidence <= np.sort(product)[::-1] * (1 + 1e-6)).all()
    np.testing.assert_allclose(found.confidence[0], product.max(), rtol=1e-6)
    kept = Detector(detector.grid, rejecting, 0.3)(frame)
    assert len(kept) == (found.confidence >= 0.3).sum()


def test_in_a_video_boxes_are_tracked_and_in_an_image_or_on_request_they_are_not(
    detector: Detector, frame: np.ndarray
) -> None:
    tracked, plain = watch(detector, 25.0), watch(detector, 25.0, track=False)
    first, second = tracked(frame), tracked(frame)
    assert len(first) > 0 and first.track_id is not None and second.track_id is not None
    assert set(first.track_id.tolist()) & set(second.track_id.tolist())
    assert set(map(tuple, first.xyxy)) <= set(map(tuple, plain(frame).xyxy))
    assert plain(frame).track_id is None
    assert watch(detector)(frame).track_id is None
    assert watch(detector, 25.0)(frame).track_id is not None  # one knows nothing of another


def test_nothing_is_confident_enough(detector: Detector, frame: np.ndarray) -> None:
    assert len(Detector(detector.grid, detector.head, confidence=1.0)(frame)) == 0


def test_it_leaves_the_frame_as_it_was(detector: Detector, frame: np.ndarray) -> None:
    before = frame.copy()
    frame.setflags(write=False)
    detector(frame)
    np.testing.assert_array_equal(frame, before)


def test_it_cannot_be_changed(detector: Detector) -> None:
    with pytest.raises(FrozenInstanceError):
        detector.confidence = 0.9  # type: ignore[misc]


def test_the_shipped_weights_load() -> None:
    shipped = Detector.load(CPU)
    assert isinstance(shipped.grid, Grid) and isinstance(shipped.head, Head)
    assert len(shipped(np.zeros((72, 128, 3), np.uint8))) == 0


class Dimming(Grid):
    """Stands for a grid that finds one garment, which moves and is less and less sure."""

    def __init__(self, *confidences: float) -> None:
        self._confidences = iter(confidences)
        self._left = 20.0

    def __call__(self, frame: np.ndarray, confidence: float = 0.25) -> Detections:
        self._left += 3
        found = next(self._confidences)
        if found < confidence:
            return Detections.empty()
        box = np.array([[self._left, 10, self._left + 40, 60]], np.float32)
        return Detections(box, np.array([found], np.float32), np.full((1, 10), 0.1, np.float32))


def test_in_a_video_an_unsure_box_continues_a_garment(frame: np.ndarray) -> None:
    seen = watch(Detector(Dimming(0.9, 0.9, 0.15, 0.12), None, 0.25), 25.0)
    lefts = [seen(frame).xyxy[:, 0].tolist() for _ in range(4)]
    assert lefts == [[23], [26], [29], [32]], "where it is found, not where it is expected"


@pytest.mark.parametrize("confidence", [0.02, 0.05])
def test_a_video_shows_what_is_as_unsure_as_was_asked_for(
    confidence: float, frame: np.ndarray
) -> None:
    seen = watch(Detector(Dimming(*[0.06] * 3), None, confidence), 25.0)
    assert [len(seen(frame)) for _ in range(3)] == [1, 1, 1]


def test_no_class_is_out_of_the_question_for_the_grid(
    detector: Detector, frame: np.ndarray
) -> None:
    boxes = detector.grid(frame, 0.3)
    sure = np.zeros_like(boxes.probabilities)
    sure[:, 7] = 1
    decided = fuse(detector.head, frame, replace(boxes, probabilities=sure)).probabilities
    assert decided.min() > 1e-3


def test_it_looks_with_another_size_where_one_is_told(untrained: Path) -> None:
    files = CPU, untrained / "grid.safetensors", untrained / "head.safetensors"
    assert Detector.load(*files).grid.image_size == 128
    assert Detector.load(*files, image_size=96).grid.image_size == 96


def test_it_can_be_without_a_head_and_its_files_told_as_text(
    untrained: Path, frame: np.ndarray
) -> None:
    alone = Detector.load("cpu", str(untrained / "grid.safetensors"), None, confidence=1e-4)
    boxes = alone.grid(frame, 1e-4)
    np.testing.assert_array_equal(alone(frame).xyxy, soft_nms(boxes).xyxy[: len(alone(frame))])
    assert len(alone(frame)) > 0


@pytest.mark.parametrize("confidence", [-0.1, 2.0, float("nan")])
def test_a_confidence_is_between_zero_and_one(detector: Detector, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        replace(detector, confidence=confidence)


@pytest.mark.parametrize("size", [-5, 0, 31, 5000])
def test_a_size_is_one_that_a_grid_can_read(size: int) -> None:
    with pytest.raises(ValueError, match="32 to 4096 pixels"):
        Detector.load("cpu", image_size=size)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_device_that_is_not_here_is_told_however_it_is_named(untrained: Path) -> None:
    for device in ("cuda", torch.device("cuda")):
        with pytest.raises(InputError, match="cuda is not available"):
            Detector.load(device, untrained, None)


def test_another_default_of_torch_changes_nothing(detector: Detector, frame: np.ndarray) -> None:
    frame = np.ascontiguousarray(frame[:-40])  # of a size that no test before it had
    torch.set_default_dtype(torch.float64)
    try:
        found = detector(frame)
    finally:
        torch.set_default_dtype(torch.float32)
    assert np.array_equal(found.xyxy, detector(frame).xyxy)
