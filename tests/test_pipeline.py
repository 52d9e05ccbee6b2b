"""The whole detector: what the grid finds is named by the head."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from detector.grid import MODEL, Grid, build
from detector.head import Head
from detector.pipeline import Detector, judge
from fmnist.checkpoint import save_checkpoint
from fmnist.classes import CLASSES
from fmnist.models import build as build_classifier

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """Untrained parts from files, so eager that something is found in any frame."""
    folder = tmp_path_factory.mktemp("weights")
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


def test_every_box_of_the_grid_is_named_by_the_head(detector: Detector, frame: np.ndarray) -> None:
    found = detector(frame)
    xyxy, confidence = detector.grid(frame, 0.3)
    assert len(found) == len(xyxy) > 0
    np.testing.assert_array_equal(found.xyxy, xyxy)
    np.testing.assert_array_equal(found.confidence, confidence)
    np.testing.assert_array_equal(found.probabilities, detector.head(frame, xyxy).probabilities)
    assert found.track_id is None


def test_what_the_head_rejects_is_less_confident(detector: Detector, frame: np.ndarray) -> None:
    xyxy, confidence = detector.grid(frame, 0.3)
    assert isinstance(detector.head, Head)
    rejecting = Head(detector.head.model, CPU, rejects=True)
    garment = rejecting(frame, xyxy).garment
    found = judge(rejecting, frame, (xyxy, confidence))
    assert len(found) == len(xyxy) and (np.diff(found.confidence) <= 0).all()
    np.testing.assert_allclose(np.sort(found.confidence), np.sort(confidence * garment))
    kept = Detector(detector.grid, rejecting, 0.3)(frame)
    assert len(kept) == (confidence * garment >= 0.3).sum()


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
