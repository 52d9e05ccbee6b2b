"""Boxes on one another: only those that tell of the same garment once more become less sure."""

import numpy as np
import pytest

from detector.boxes import Detections
from detector.soft_nms import SIGMA, soft_nms

COAT, BAG = 4, 8


def detections(*boxes: tuple[tuple[float, float, float, float], float, int]) -> Detections:
    """Of each a box, its confidence, its class."""
    xyxy, confidence, labels = zip(*boxes, strict=True)
    sure = np.eye(10, dtype=np.float32)[list(labels)]
    return Detections(np.array(xyxy, np.float32), np.array(confidence, np.float32), sure)


def crowd(rng: np.random.Generator, n: int = 40) -> Detections:
    """Many boxes on one another."""
    corner, size = rng.uniform(0, 60, (n, 2)), rng.uniform(20, 60, (n, 2))
    xyxy = np.concatenate([corner, corner + size], 1).astype(np.float32)
    confidence = rng.uniform(0, 1, n).astype(np.float32)
    return Detections(xyxy, confidence, rng.dirichlet(np.ones(10), n).astype(np.float32))


def test_the_same_box_again_is_less_sure_by_the_gaussian_of_the_paper() -> None:
    box = (0.0, 0.0, 10.0, 20.0)
    found = soft_nms(detections((box, 0.8, COAT), (box, 0.9, COAT)))
    np.testing.assert_allclose(found.confidence, [0.9, 0.8 * np.exp(-1 / SIGMA)], rtol=1e-6)


def test_half_of_a_box_counts_by_the_square_of_its_iou() -> None:
    whole, half = (0.0, 0.0, 10.0, 20.0), (0.0, 0.0, 10.0, 10.0)
    found = soft_nms(detections((whole, 0.9, COAT), (half, 0.8, COAT)))
    np.testing.assert_allclose(found.confidence[1], 0.8 * np.exp(-0.25 / SIGMA), rtol=1e-6)


@pytest.mark.parametrize(
    ("second", "label"), [((0.0, 0.0, 10.0, 20.0), BAG), ((10.0, 0.0, 20.0, 20.0), COAT)]
)
def test_another_class_and_another_place_are_another_garment(
    second: tuple[float, float, float, float], label: int
) -> None:
    first = (0.0, 0.0, 10.0, 20.0)
    found = soft_nms(detections((second, 0.8, label), (first, 0.9, COAT)))
    np.testing.assert_array_equal(found.confidence, np.array([0.9, 0.8], np.float32))
    np.testing.assert_array_equal(found.labels, [COAT, label])


def test_a_box_that_became_unsure_hides_nothing() -> None:
    """The second lies on both others, but the first leaves it less sure than the third."""
    row = [(x, 0.0, x + 10.0, 10.0) for x in (0.0, 2.0, 4.0)]
    found = soft_nms(detections(*((box, 0.9 - i / 100, COAT) for i, box in enumerate(row))))
    np.testing.assert_array_equal(found.xyxy[:, 0], [0, 4, 2])
    third = 0.88 * np.exp(-((6 / 14) ** 2) / SIGMA)
    np.testing.assert_allclose(found.confidence[1], third, rtol=1e-6)


def test_none_gains_all_stay_and_the_surest_loses_nothing() -> None:
    before = crowd(np.random.default_rng(0))
    after = soft_nms(before)
    was = dict(zip(map(tuple, before.xyxy), before.confidence, strict=True))
    assert set(was) == set(map(tuple, after.xyxy))
    assert all(after.confidence <= [was[tuple(box)] for box in after.xyxy])
    assert after.confidence[0] == before.confidence.max()
    assert (np.diff(after.confidence) <= 0).all()


@pytest.mark.parametrize("least", [0.05, 0.2, 0.5])
def test_what_is_dropped_first_or_last_changes_none_that_stay(least: float) -> None:
    found = crowd(np.random.default_rng(1))
    late = soft_nms(found)
    late = late.select(late.confidence >= least)
    early = soft_nms(found.select(found.confidence >= least))
    early = early.select(early.confidence >= least)
    assert len(late) > 1
    np.testing.assert_array_equal(early.xyxy, late.xyxy)
    np.testing.assert_allclose(early.confidence, late.confidence, rtol=1e-5)


def test_the_order_they_come_in_makes_no_difference() -> None:
    found = crowd(np.random.default_rng(2))
    mixed = soft_nms(found.select(np.random.default_rng(3).permutation(len(found))))
    np.testing.assert_array_equal(mixed.xyxy, soft_nms(found).xyxy)


def test_boxes_without_area_and_without_an_opinion_stay_as_they_are() -> None:
    line = (5.0, 0.0, 5.0, 20.0)
    flat = detections((line, 0.9, COAT), (line, 0.8, COAT))
    np.testing.assert_array_equal(soft_nms(flat).confidence, flat.confidence)
    box = (0.0, 0.0, 10.0, 20.0)
    mute = detections((box, 0.9, COAT), (box, 0.8, COAT))
    mute = Detections(mute.xyxy, mute.confidence, 0 * mute.probabilities)
    np.testing.assert_array_equal(soft_nms(mute).confidence, mute.confidence)


def test_nothing_stays_nothing() -> None:
    assert len(soft_nms(Detections.empty())) == 0
