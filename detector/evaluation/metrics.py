"""How good a detector is: mean average precision, and labels on the boxes it got right."""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from detector.boxes import Detections, iou
from detector.defaults import CONFIDENCE
from detector.scene import Scene
from fmnist.classes import CLASSES, FOOTWEAR, OTHER, SHOES

LEAST_CONFIDENCE = 0.01  # average precision wants the unlikely boxes too
MIN_SCORE = 0.001  # below it a class of a box does not count, as in ultralytics' own validation

ScoredBoxes = tuple[np.ndarray, np.ndarray, np.ndarray]  # xyxy, score, class


@dataclass(frozen=True)
class DetectorEvaluation:
    """Figures over a set of frames with known garments; all in 0..1 but the counts.

    `map50` and `map50_95` are COCO's average precision (101 points, at most 100 boxes a frame)
    at IoU 0.5 and over 0.5, 0.55 .. 0.95. "agnostic" counts every garment as one class and
    scores a box by its confidence. For the ten classes a box stands for every class, scored by
    confidence times the probability of that class, as is usual for Faster R-CNN and YOLO; the
    mean is over the classes that occur. `label_accuracy` is over the garments that
    some box matches (IoU >= 0.5, the most confident box first, whatever its label).
    `calibration_error` is the expected one of their label confidences, in ten equal bins (Guo et
    al. 2017). Garments of none of the classes are neither to be found nor wrong to box, but wrong
    to name; of footwear whose kind nobody told, any kind of shoe is left out of the ten classes.
    Of the boxes that are shown, those of `CONFIDENCE` or more: `shown_recall` is the part of the
    garments that one of them matches, `shown_precision` the part of them that match one,
    `false_boxes_per_empty_frame` how many there are where no garment is. None: there is nothing
    that this could be a part or a mean of.
    """

    frames: int
    garments: int
    garments_of_class: tuple[int, ...]
    agnostic_map50: float | None
    agnostic_map50_95: float | None
    map50: float | None
    map50_95: float | None
    ap50_per_class: tuple[float | None, ...]
    matched: int
    label_accuracy: float | None
    calibration_error: float | None
    shown_recall: float | None
    shown_precision: float | None
    false_boxes_per_empty_frame: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, the classes by name."""
        return asdict(self) | {
            name: dict(zip(CLASSES, getattr(self, name), strict=True))
            for name in ("garments_of_class", "ap50_per_class")
        }


def from_detections(found: Sequence[Detections], scenes: Sequence[Scene]) -> DetectorEvaluation:
    """Judge what a detector found in frames with known garments.

    Average precision wants the unlikely boxes too: look with a confidence of `LEAST_CONFIDENCE`.
    """
    boxes = box_precision(found, scenes)
    of_class = [_per_class(d, scene) for d, scene in zip(found, scenes, strict=True)]
    named = [_named(scene) for scene in scenes]
    per_class = _average_precision(of_class, named)
    confidences, is_right = _labels_of_matched(found, scenes)
    sure = [int((detections.confidence >= CONFIDENCE).sum()) for detections in found]
    empty = [n for n, scene in zip(sure, scenes, strict=True) if len(scene.xyxy) == 0]
    ten = [ap for ap in per_class if ap is not None]
    garments = sum(int((s.labels != OTHER).sum()) for s in scenes)
    agnostic = boxes if garments else (None, None)
    hits, shown = _hits_of_shown(found, scenes)
    return DetectorEvaluation(
        frames=len(scenes),
        garments=garments,
        garments_of_class=_count(scenes),
        agnostic_map50=agnostic[0],
        agnostic_map50_95=agnostic[1],
        map50=float(np.mean([ap[0] for ap in ten])) if ten else None,
        map50_95=float(np.mean([ap[1] for ap in ten])) if ten else None,
        ap50_per_class=tuple(ap and ap[0] for ap in per_class),
        matched=len(is_right),
        label_accuracy=float(is_right.mean()) if len(is_right) else None,
        calibration_error=calibration_error(confidences, is_right),
        shown_recall=hits / garments if garments else None,
        shown_precision=hits / shown if shown else None,
        false_boxes_per_empty_frame=float(np.mean(empty)) if empty else None,
    )


def box_precision(found: Sequence[Detections], scenes: Sequence[Scene]) -> tuple[float, float]:
    """AP50 and AP50-95, every garment being of one class."""
    scored = []
    for seen, scene in zip(found, scenes, strict=True):
        kept = ~_shows(seen.xyxy, scene, scene.labels == OTHER)
        scored.append((seen.xyxy[kept], seen.confidence[kept], np.zeros(kept.sum(), np.int64)))
    wanted = [scene.xyxy[scene.labels != OTHER] for scene in scenes]
    truth = [(xyxy, np.ones(len(xyxy)), np.zeros(len(xyxy), np.int64)) for xyxy in wanted]
    return _average_precision(scored, truth)[0] or (0.0, 0.0)


def calibration_error(
    confidence: Float32[np.ndarray, " n"], is_right: Bool[np.ndarray, " n"]
) -> float | None:
    """Mean distance, over ten equal bins of the confidence, of it and of what is right; 0..1.

    None where nothing was said.
    """
    if not len(confidence):
        return None
    bins = np.minimum((confidence * 10).astype(int), 9)
    gap = np.bincount(bins, confidence - is_right, minlength=10)
    return float(np.abs(gap).sum() / len(confidence))


def match(
    xyxy: Float32[np.ndarray, "n 4"],
    confidence: Float32[np.ndarray, " n"],
    truth: Float32[np.ndarray, "m 4"],
) -> Int64[np.ndarray, " m"]:
    """The box that found each garment, or -1: the most confident box chooses first.

    It takes the garment that it overlaps most of those still free, if IoU >= 0.5.
    """
    box_of = np.full(len(truth), -1, np.int64)
    overlap = iou(xyxy, truth)
    for box in np.argsort(-confidence, kind="stable"):
        free = np.where(box_of < 0, overlap[box], -1)
        if len(free) and free.max() >= 0.5:
            box_of[free.argmax()] = box
    return box_of


def _hits_of_shown(found: Sequence[Detections], scenes: Sequence[Scene]) -> tuple[int, int]:
    """How many garments the shown boxes match, and how many of them there are.

    Boxes on garments of none of the classes are left out.
    """
    hits = shown = 0
    for detections, scene in zip(found, scenes, strict=True):
        beside = ~_shows(detections.xyxy, scene, scene.labels == OTHER)
        sure = detections.select(beside & (detections.confidence >= CONFIDENCE))
        box_of = match(sure.xyxy, sure.confidence, scene.xyxy[scene.labels != OTHER])
        hits += int((box_of >= 0).sum())
        shown += len(sure.xyxy)
    return hits, shown


def _labels_of_matched(
    found: Sequence[Detections], scenes: Sequence[Scene]
) -> tuple[Float32[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """For each garment of the ten classes that a box matches: the confidence of that box's label,
    and whether the label is right.
    """
    sure, right = [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)]
    for detections, scene in zip(found, scenes, strict=True):
        box_of = match(detections.xyxy, detections.confidence, scene.xyxy)
        hit = (box_of >= 0) & (scene.labels < len(CLASSES))
        sure.append(detections.label_confidence[box_of[hit]])
        right.append(detections.labels[box_of[hit]] == scene.labels[hit])
    return np.concatenate(sure), np.concatenate(right)


def _count(scenes: Sequence[Scene]) -> tuple[int, ...]:
    """Of the garments of each class; footwear of unknown kind is of none."""
    labels = np.concatenate([scene.labels for scene in scenes] or [np.zeros(0, np.int64)])
    return tuple(int((labels == number).sum()) for number in range(len(CLASSES)))


def _per_class(found: Detections, scene: Scene) -> ScoredBoxes:
    """Every class of every box; but no kind of shoe of a box on footwear of unknown kind."""
    scores = found.confidence[:, None] * found.probabilities
    untold = _shows(found.xyxy, scene, scene.labels == FOOTWEAR)
    scores[untold[:, None] & np.isin(np.arange(len(CLASSES)), SHOES)] = 0
    box, label = np.nonzero(scores >= MIN_SCORE)
    return found.xyxy[box], scores[box, label], label.astype(np.int64)


def _named(scene: Scene) -> ScoredBoxes:
    """The garments of the ten classes."""
    has_class = scene.labels < len(CLASSES)
    return scene.xyxy[has_class], np.ones(int(has_class.sum())), scene.labels[has_class]


def _shows(
    xyxy: Float32[np.ndarray, "n 4"], scene: Scene, which: Bool[np.ndarray, " m"]
) -> Bool[np.ndarray, " n"]:
    """Boxes on one of these garments: IoU >= 0.5, and more than with any other garment."""
    overlap = iou(xyxy, scene.xyxy)
    ours = overlap[:, which].max(1, initial=0)
    return (ours >= 0.5) & (ours > overlap[:, ~which].max(1, initial=0))


def _average_precision(
    found: Sequence[ScoredBoxes], truth: Sequence[ScoredBoxes]
) -> list[tuple[float, float] | None]:
    """AP50 and AP50-95 of each class by pycocotools; None for a class that does not occur."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        known, results = COCO(), COCO()
        for coco, annotations in ((known, truth), (results, found)):
            coco.dataset = _as_coco(annotations)
            coco.createIndex()
        run = COCOeval(known, results, "bbox")
        run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], ["all"]
        run.params.maxDets = [100]
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][..., 0, 0]  # [IoU recall class]
    return [
        (float(of_class[0].mean()), float(of_class.mean())) if (of_class >= 0).all() else None
        for of_class in precision.transpose(2, 0, 1)
    ]


def _as_coco(frames: Sequence[ScoredBoxes]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image_id, (xyxy, score, label) in enumerate(frames):
        sizes = xyxy[:, 2:] - xyxy[:, :2]
        for box, size, s, c in zip(xyxy, sizes, score, label, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(c),
                    "bbox": [*map(float, box[:2]), *map(float, size)],
                    "area": float(size.prod()),
                    "iscrowd": 0,
                    "score": float(s),
                }
            )
    return {
        "images": [{"id": i} for i in range(len(frames))],
        "categories": [{"id": i} for i in range(len(CLASSES))],
        "annotations": annotations,
    }


def label_name(label: int) -> str:
    """Of a class, or what stands for labels beside them."""
    return {FOOTWEAR: "footwear", OTHER: "another garment"}.get(label) or CLASSES[label]


def fits(said: int, label: int) -> bool:
    """Whether that class is the label, or some shoe where the label is footwear."""
    return said == label or (label == FOOTWEAR and said in SHOES)
