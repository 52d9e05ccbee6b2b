"""In a video the head is asked again only where something changed, or after some frames."""

import numpy as np
import pytest
import torch

from detector.head import Head, Verdict
from detector.tracking.cached_head import LASTS, CachedHead
from fmnist.models import build

BOXES = np.array([[10, 20, 60, 120], [150, 40, 250, 140]], np.float32)


class Counting(Head):
    """A head that tells how many crops it was asked about, call by call."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(build("lenet"), torch.device("cpu"), rejects=True)
        self.asked: list[int] = []

    def classify(self, crops: np.ndarray) -> Verdict:
        self.asked.append(len(crops))
        return super().classify(crops)


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)


@pytest.fixture
def head() -> Counting:
    return Counting()


def asked_by(head: Counting, *looks: tuple[np.ndarray, np.ndarray]) -> list[int]:
    memory = CachedHead(head)
    head.asked.clear()
    for frame, boxes in looks:
        memory(frame, boxes)
    return head.asked


def test_an_answer_serves_some_frames_and_no_more(head: Counting, frame: np.ndarray) -> None:
    looks = [(frame, BOXES)] * (2 * LASTS + 1)
    once = [2, *[0] * (LASTS - 1)]
    assert asked_by(head, *looks) == [*once, *once, 2]


def test_what_it_keeps_is_what_the_head_said(head: Counting, frame: np.ndarray) -> None:
    memory, said = CachedHead(head), head(frame, BOXES)
    for boxes, order in ((BOXES, [0, 1]), (BOXES[::-1].copy() + 1, [1, 0]), (BOXES[:1], [0])):
        verdict = memory(frame, boxes)
        np.testing.assert_array_equal(verdict.garment, said.garment[order])
        np.testing.assert_array_equal(verdict.probabilities, said.probabilities[order])
    assert head.asked[-2:] == [0, 0]


def test_a_box_elsewhere_is_new(head: Counting, frame: np.ndarray) -> None:
    moved = BOXES + np.array([[0, 0, 0, 0], [40, 0, 40, 0]], np.float32)
    assert asked_by(head, (frame, BOXES), (frame, moved)) == [2, 1]


def test_another_picture_in_the_same_place_is_new(head: Counting, frame: np.ndarray) -> None:
    cut = frame.copy()
    cut[:, :100] = 0
    assert asked_by(head, (frame, BOXES), (cut, BOXES)) == [2, 1]


def test_small_changes_do_not_add_up(head: Counting) -> None:
    looks = [(np.full((240, 320, 3), level, np.uint8), BOXES) for level in (0, 20, 40)]
    assert asked_by(head, *looks) == [2, 0, 2]


def test_frames_without_boxes(head: Counting, frame: np.ndarray) -> None:
    none = np.zeros((0, 4), np.float32)
    assert asked_by(head, (frame, BOXES), (frame, none), (frame, BOXES)) == [2, 0, 2]
    garment, probabilities = CachedHead(head)(frame, none)
    assert garment.shape == (0,) and probabilities.shape == (0, 10)


def test_every_box_has_an_answer_of_its_own_age(head: Counting, frame: np.ndarray) -> None:
    later = BOXES[::-1].copy()  # the second box comes in before the first one
    looks = [(frame, boxes) for boxes in (BOXES[:1], later, BOXES[:1], BOXES[:1])]
    assert LASTS == 3 and asked_by(head, *looks) == [1, 1, 0, 1]
