"""The detector's figures: known answers for perfect, shifted, chance and empty detections."""

import json
from pathlib import Path

import numpy as np
import pytest

from detector.boxes import Detections
from detector.evaluation.comparison import shortest
from detector.evaluation.metrics import calibration_error, from_detections, match
from detector.scene import Scene
from fmnist.classes import FOOTWEAR, OTHER


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
    assert 0.2 < told(result.agnostic_map50_95) < 0.9
    assert result.label_accuracy == 1
    far = from_detections([found(scene, shift=25) for scene in frames], frames)
    assert far.agnostic_map50 == far.map50 == 0
    assert far.label_accuracy is far.calibration_error is None


def test_a_head_that_guesses_is_at_chance_on_perfect_boxes() -> None:
    rng = np.random.default_rng(1)
    frames = scenes(400)
    guesses = [found(scene, labels=rng.integers(0, 10, len(scene.labels))) for scene in frames]
    result = from_detections(guesses, frames)
    assert result.agnostic_map50 == pytest.approx(1)
    assert result.label_accuracy == pytest.approx(0.1, abs=0.04)
    assert told(result.map50) < 0.1


def told(figure: float | None) -> float:
    assert figure is not None
    return figure


def test_nothing_found_scores_zero() -> None:
    frames = scenes()
    result = from_detections([Detections.empty() for _ in frames], frames)
    assert result.agnostic_map50 == result.map50 == result.shown_recall == result.matched == 0
    assert result.label_accuracy is result.calibration_error is None, "nothing was named"


def test_boxes_in_empty_frames_cost_precision_and_are_counted() -> None:
    frames = scenes()
    box = np.array([[10, 10, 50, 50]], np.float32)
    sure = Detections(box, np.array([0.99], np.float32), np.eye(10, dtype=np.float32)[:1])
    result = from_detections([found(s) if len(s.labels) else sure for s in frames], frames)
    assert result.false_boxes_per_empty_frame == 1
    assert told(result.agnostic_map50) < 0.95
    assert result.label_accuracy == 1


def test_without_any_garment_there_is_no_precision_to_speak_of() -> None:
    empty = [scene for scene in scenes() if len(scene.labels) == 0]
    result = from_detections([Detections.empty()] * len(empty), empty)
    assert result.ap50_per_class == (None,) * 10
    assert result.agnostic_map50 is result.map50 is result.shown_recall is None
    assert result.false_boxes_per_empty_frame == 0


def test_of_the_boxes_that_are_shown_it_tells_how_many_are_right_and_what_they_miss() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    xyxy = np.array([[0, 0, 20, 20], [30, 0, 50, 20], [60, 0, 80, 20], [0, 60, 20, 80]], np.float32)
    scene = Scene(frame, xyxy, np.array([1, 2, 3, OTHER]))
    boxes = np.concatenate([xyxy, xyxy[:1], [[40, 60, 60, 80]]]).astype(np.float32)
    confidence = np.array([0.9, 0.25, 0.2, 0.9, 0.5, 0.4], np.float32)  # the third is not shown
    probabilities = np.eye(10, dtype=np.float32)[[1, 2, 3, 4, 1, 5]]
    result = from_detections([Detections(boxes, confidence, probabilities)], [scene])
    assert result.shown_recall == pytest.approx(2 / 3)
    assert result.shown_precision == pytest.approx(2 / 4), "a double and one on nothing are wrong"
    none = from_detections([Detections.empty()], [scene])
    assert (none.shown_recall, none.shown_precision) == (0, None)


def test_the_second_most_likely_class_counts_for_average_precision_not_for_accuracy() -> None:
    frames = scenes()
    results = []
    for scene in frames:
        sure = found(scene)
        probabilities = 0.4 * sure.probabilities + 0.6 * np.roll(sure.probabilities, 1, axis=1)
        results.append(Detections(sure.xyxy, sure.confidence, probabilities))
    result = from_detections(results, frames)
    assert result.label_accuracy == 0
    assert 0.2 < told(result.map50) < 1


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
    assert sum(row["garments_of_class"].values()) == row["garments"]


def test_other_garments_need_not_be_found_and_may_be_boxed_but_not_named() -> None:
    frames = scenes()
    others = [Scene(s.frame, s.xyxy, np.full_like(s.labels, OTHER)) for s in scenes(8, seed=3)]
    missed = [found(s) for s in frames] + [Detections.empty()] * 8
    result = from_detections(missed, frames + others)
    assert (result.agnostic_map50, result.map50, result.garments) == (1, 1, 60)
    boxed = [found(s, labels=0 * s.labels) for s in others] + [found(s) for s in frames]
    result = from_detections(boxed, others + frames)
    assert result.agnostic_map50 == 1 and result.label_accuracy == 1 and result.matched == 60
    first, *rest = (ap or 0 for ap in result.ap50_per_class)
    assert first < 0.95 and min(rest) == 1


def test_footwear_of_untold_kind_is_to_be_found_and_any_shoe_may_be_its_name() -> None:
    frames = scenes()
    shoes = [Scene(s.frame, s.xyxy, np.full_like(s.labels, FOOTWEAR)) for s in scenes(8, seed=3)]
    for label, is_right in ((7, True), (8, False)):
        named = [found(s, labels=0 * s.labels + label) for s in shoes] + [found(s) for s in frames]
        result = from_detections(named, shoes + frames)
        assert result.agnostic_map50 == 1 and result.garments == 72
        assert ((result.ap50_per_class[label] or 0) == 1) == is_right
    missed = [found(s) for s in frames] + [Detections.empty()] * 8
    result = from_detections(missed, frames + shoes)
    assert told(result.agnostic_map50) < 0.9 and result.map50 == 1


def test_confidence_that_is_as_often_right_has_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 20_000).astype(np.float32)
    is_right = rng.random(20_000) < confidence
    assert told(calibration_error(confidence, is_right)) < 0.02
    assert calibration_error(np.ones(10, np.float32), np.arange(10) < 6) == pytest.approx(0.4)
    assert calibration_error(np.zeros(0, np.float32), np.zeros(0, np.bool_)) is None


def one(*boxes: tuple[list[float], int]) -> Scene:
    """A frame with these garments."""
    xyxy = np.array([box for box, _ in boxes], np.float32).reshape(-1, 4)
    labels = np.array([label for _, label in boxes], np.int64)
    return Scene(np.zeros((100, 100, 3), np.uint8), xyxy, labels)


def test_a_part_of_a_high_garment_counts_by_its_iou() -> None:
    scene, lower = one(([0, 0, 10, 40], 3)), np.array([[0, 11, 10, 40]], np.float32)
    seen = Detections(lower, np.array([0.9], np.float32), np.eye(10, dtype=np.float32)[[3]])
    result = from_detections([seen], [scene])
    assert (result.agnostic_map50, result.map50, result.matched) == pytest.approx((1, 1, 1))
    of_ten = pytest.approx(5 / 10)  # an IoU of 0.725 is enough for 0.5, 0.55 .. 0.7
    assert result.agnostic_map50_95 == of_ten and result.map50_95 == of_ten
    less = np.array([[0, 21, 10, 40]], np.float32)
    assert match(less, seen.confidence, scene.xyxy).tolist() == [-1]


@pytest.mark.parametrize(("wrong", "precision"), [(0.1, 1.0), (0.99, 0.5)])
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_wrong_box_costs_precision_by_its_confidence(
    wrong: float, precision: float, order: list[int]
) -> None:
    xyxy = np.array([[0, 0, 20, 20], [50, 50, 70, 70]], np.float32)[order]
    confidence = np.array([0.9, wrong], np.float32)[order]
    seen = Detections(xyxy, confidence, np.eye(10, dtype=np.float32)[[2, 2]])
    result = from_detections([seen], [one(([0, 0, 20, 20], 2))])
    for figure in (result.agnostic_map50, result.map50):
        assert figure == pytest.approx(precision, abs=0.01)


def test_a_box_belongs_to_the_garment_that_it_overlaps_most() -> None:
    """A coat on something of none of the classes is to be found all the same."""
    scene = one(([0, 0, 20, 20], 4), ([0, 0, 20, 30], OTHER))
    result = from_detections([found(one(([0, 0, 20, 20], 4)))], [scene])
    assert result.agnostic_map50 == pytest.approx(1)
    assert result.shown_recall == result.shown_precision == 1


def test_too_sure_and_too_unsure_do_not_make_up_for_each_other() -> None:
    confidence = np.repeat(np.array([0.95, 0.05], np.float32), 10)
    assert calibration_error(confidence, np.arange(20) % 2 == 0) == pytest.approx(0.45, abs=1e-6)


def test_weights_that_ship_have_their_name_in_the_folder_of_a_run_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "metrics.csv").write_text("epoch\n")
    (tmp_path / "last.safetensors").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert shortest(["vgg", "last.safetensors"]) == ["vgg", tmp_path.name]
