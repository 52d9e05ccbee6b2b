"""Laws of Detections and of box arithmetic."""

import dataclasses

import numpy as np
import pytest

from detector.boxes import Detections, area, iou


def some(n: int, seed: int = 0) -> Detections:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 100, (n, 2)).astype(np.float32)
    size = rng.uniform(1, 50, (n, 2)).astype(np.float32)
    return Detections(
        np.concatenate([corner, corner + size], axis=1),
        rng.uniform(size=n).astype(np.float32),
        rng.dirichlet(np.ones(10), n).astype(np.float32).reshape(n, 10),
        np.arange(n, dtype=np.int64),
        rng.integers(0, 10, n),
    )


def test_empty_has_no_boxes_and_no_labels() -> None:
    empty = Detections.empty()
    assert len(empty) == 0
    assert empty.labels.shape == empty.label_confidence.shape == (0,)


def test_labels_are_the_most_likely_class_and_its_probability() -> None:
    seen = dataclasses.replace(some(7), kept_labels=None)
    rows = np.arange(7)
    assert (seen.probabilities[rows, seen.labels] == seen.label_confidence).all()
    assert (seen.label_confidence[:, None] >= seen.probabilities).all()


def test_a_kept_label_is_the_label_and_its_probability_is_told() -> None:
    seen = some(7)
    assert (seen.labels == seen.kept_labels).all()
    assert (seen.label_confidence == seen.probabilities[np.arange(7), seen.labels]).all()


def test_selecting_by_mask_equals_selecting_by_index() -> None:
    seen = some(6)
    mask = seen.confidence > np.median(seen.confidence)
    by_mask, by_index = seen.select(mask), seen.select(np.flatnonzero(mask))
    for field in dataclasses.fields(Detections):
        assert (getattr(by_mask, field.name) == getattr(by_index, field.name)).all()
    assert len(seen.select(np.asarray([]))) == 0


def test_nothing_can_be_changed_afterwards() -> None:
    boxes = np.array([[0, 0, 2, 2]], np.float32)
    seen = Detections(boxes, np.ones(1, np.float32), np.full((1, 10), 0.1, np.float32))
    boxes[0, 0] = 1
    assert seen.xyxy[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        seen.xyxy[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.confidence = np.zeros(1, np.float32)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"xyxy": np.array([[5, 0, 4, 1]], np.float32)}, "right >= left"),
        ({"xyxy": np.array([[np.nan, 0, 4, 1]], np.float32)}, "finite"),
        ({"kept_labels": np.array([10])}, "kept_labels: wanted values in 0..9"),
        ({"confidence": np.array([1.5], np.float32)}, "confidence: wanted values in 0..1"),
    ],
)
def test_a_bad_box_says_what_was_wanted(changed: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dataclasses.replace(some(1), **changed)


def test_iou_is_one_with_itself_symmetric_and_zero_when_apart() -> None:
    boxes = some(8).xyxy
    overlap = iou(boxes, boxes)
    assert np.allclose(np.diag(overlap), 1, atol=1e-6)
    assert np.allclose(overlap, overlap.T)
    assert (iou(boxes, boxes + np.float32(500)) == 0).all()


def test_iou_of_half_covered_boxes_is_a_third() -> None:
    a = np.array([[0, 0, 2, 2]], np.float32)
    assert iou(a, a + np.array([1, 0, 1, 0], np.float32)) == pytest.approx(1 / 3)
    assert area(a) == 4


def test_iou_of_boxes_without_area_or_of_no_boxes_is_zero_not_an_error() -> None:
    point = np.array([[1, 1, 1, 1]], np.float32)
    assert iou(point, point) == 0
    assert iou(point, np.zeros((0, 4), np.float32)).shape == (1, 0)


def test_selecting_takes_whole_rows_in_the_order_asked_for() -> None:
    seen, which = some(6), np.array([4, 1, 5])
    chosen = seen.select(which)
    for field in dataclasses.fields(Detections):
        np.testing.assert_array_equal(getattr(chosen, field.name), getattr(seen, field.name)[which])
