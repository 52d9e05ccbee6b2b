"""The detector's figures: known answers for perfect, shifted, chance and empty detections."""

import json

import numpy as np
import pytest

from detector.boxes import Detections
from detector.evaluation import evaluate, from_detections, match
from detector.synthesis.scenes import Scene


def scenes(count: int = 40, seed: int = 0) -> list[Scene]:
    """Frames that nobody looks at, with 0, 1, 2, 3, 0, .. boxes of all classes, well apart."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        garments = number % 4
        corner = np.arange(garments)[:, None] * 60 + rng.uniform(0, 10, (garments, 2))
        xyxy = np.concatenate([corner, corner + rng.uniform(20, 40, (garments, 2))], 1)
        labels = (np.arange(garments) + 3 * number) % 10
        frame = np.zeros((200, 200, 3), np.uint8)
        made.append(Scene(frame, xyxy.astype(np.float32), labels.astype(np.int64)))
    return made


def found(scene: Scene, shift: float = 0.0, labels: np.ndarray | None = None) -> Detections:
    labels = scene.labels if labels is None else labels
    n = len(labels)
    confidence = np.full(n, 0.9, np.float32)
    probabilities = np.eye(10, dtype=np.float32)[labels]
    return Detections(scene.xyxy + np.float32(shift), confidence, probabilities)


def test_perfect_detections_score_one() -> None:
    frames = scenes()
    result = from_detections([found(scene) for scene in frames], frames)
    figures = (result.agnostic_map50, result.agnostic_map50_95, result.map50, result.map50_95)
    assert figures == pytest.approx((1, 1, 1, 1))
    assert result.ap50_per_class == pytest.approx((1,) * 10)
    assert result.label_accuracy == 1
    assert (result.frames, result.garments, result.matched) == (40, 60, 60)
    assert result.false_boxes_per_empty_frame == 0


def test_shifted_boxes_lose_at_strict_overlaps_first() -> None:
    frames = scenes()
    result = from_detections([found(scene, shift=3) for scene in frames], frames)
    assert result.agnostic_map50 == pytest.approx(1)
    assert 0.2 < result.agnostic_map50_95 < 0.9
    assert result.label_accuracy == 1
    far = from_detections([found(scene, shift=25) for scene in frames], frames)
    assert far.agnostic_map50 == far.map50 == far.label_accuracy == 0


def test_a_head_that_guesses_is_at_chance_on_perfect_boxes() -> None:
    rng = np.random.default_rng(1)
    frames = scenes(400)
    guesses = [found(scene, labels=rng.integers(0, 10, len(scene.labels))) for scene in frames]
    result = from_detections(guesses, frames)
    assert result.agnostic_map50 == pytest.approx(1)
    assert result.label_accuracy == pytest.approx(0.1, abs=0.04)
    assert result.map50 < 0.1


def test_nothing_found_scores_zero() -> None:
    frames = scenes()
    result = evaluate(lambda frame: Detections.empty(), frames)
    assert result.agnostic_map50 == result.map50 == result.label_accuracy == 0
    assert result.matched == 0


def test_boxes_in_empty_frames_cost_precision_and_are_counted() -> None:
    frames = scenes()
    box = np.array([[10, 10, 50, 50]], np.float32)
    sure = Detections(box, np.array([0.99], np.float32), np.eye(10, dtype=np.float32)[:1])
    result = from_detections([found(s) if len(s.labels) else sure for s in frames], frames)
    assert result.false_boxes_per_empty_frame == 1
    assert result.agnostic_map50 < 0.95
    assert result.label_accuracy == 1


def test_without_any_garment_there_is_no_precision_to_speak_of() -> None:
    empty = [scene for scene in scenes() if len(scene.labels) == 0]
    result = from_detections([Detections.empty()] * len(empty), empty)
    assert result.ap50_per_class == (None,) * 10
    assert result.agnostic_map50 == 0


def test_the_second_most_likely_class_counts_for_average_precision_not_for_accuracy() -> None:
    frames = scenes()
    results = []
    for scene in frames:
        sure = found(scene)
        probabilities = 0.4 * sure.probabilities + 0.6 * np.roll(sure.probabilities, 1, axis=1)
        results.append(Detections(sure.xyxy, sure.confidence, probabilities))
    result = from_detections(results, frames)
    assert result.label_accuracy == 0
    assert 0.2 < result.map50 < 1


def test_the_most_confident_box_takes_the_garment() -> None:
    truth = np.array([[0, 0, 10, 10], [100, 100, 110, 110]], np.float32)
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    box_of = match(xyxy, np.array([0.5, 0.8, 0.9], np.float32), truth)
    assert box_of.tolist() == [1, -1]


def test_figures_become_json() -> None:
    frames = scenes()
    row = from_detections([found(scene) for scene in frames], frames).to_dict()
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row["ap50_per_class"]["Ankle boot"] == pytest.approx(1)
