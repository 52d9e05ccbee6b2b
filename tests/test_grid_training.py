"""The grid's training: its batches, its schedule, stopped and gone on with, by heart."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.ops import box_convert

from detector.boxes import iou
from detector.grid import Grid
from detector.scene import Scene
from detector.training.batches import ASPECTS, SceneBatches, loader
from detector.training.grid import train_grid
from detector.training.loop import train
from detector.training.run import Task
from detector.training.schedule import Schedule
from fmnist.errors import InputError
from tests.photo_folders import with_masks

CPU = torch.device("cpu")
SHORT = Schedule(scenes=32, batch_size=4, image_size=64, shares=(0.6, 1.0), reports=4)
TINY = Task(SHORT)


def rectangles(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
    """None to two bright rectangles on a dark frame."""
    width, height = size_wh
    frame = np.full((height, width, 3), rng.integers(0, 60), np.uint8)
    boxes = []
    for left in (0.05, 0.55)[: rng.integers(0, 3)]:
        x1, x2 = width * left, width * (left + rng.uniform(0.2, 0.4))
        y1, y2 = height * rng.uniform(0.05, 0.3), height * rng.uniform(0.6, 0.95)
        box = [round(x1), round(y1), round(x2), round(y2)]
        frame[box[1] : box[3], box[0] : box[2]] = rng.integers(150, 256, 3)
        boxes.append(box)
    return Scene(frame, np.array(boxes, np.float32).reshape(-1, 4), np.zeros(len(boxes), np.int64))


def test_a_batch_depends_on_the_seed_and_its_number_alone() -> None:
    data = SceneBatches(SHORT, rectangles, seed=3)
    again = SceneBatches(SHORT, rectangles, seed=3)
    for name, value in data[5].items():
        assert torch.equal(value, again[5][name])
    assert not torch.equal(data[4]["bboxes"], data[5]["bboxes"])


def test_targets_cover_the_garments() -> None:
    for step in range(8):
        batch = SceneBatches(SHORT, rectangles, seed=0)[step]
        height, width = batch["images"].shape[1:3]
        scale = torch.tensor([width, height, width, height])
        boxes = box_convert(batch["bboxes"], "cxcywh", "xyxy") * scale
        assert (boxes >= 0).all() and (boxes <= scale).all()
        for owner, (x1, y1, x2, y2) in zip(
            batch["batch_idx"].int(), boxes.round().int(), strict=True
        ):
            inside = batch["images"][owner, y1 + 1 : y2 - 1, x1 + 1 : x2 - 1]
            assert inside.numel() == 0 or inside.min() > 120


def test_the_schedule_ends_slow_and_at_full_size() -> None:
    schedule = Schedule(scenes=16_000, batch_size=16, image_size=320)
    assert schedule.steps == 1000
    assert schedule.size_at(0) == 256 and schedule.size_at(999) == 320
    rates = [schedule.rate_at(step) for step in range(1000)]
    assert max(rates) == 1
    assert rates[0] < rates[40] and 0 < rates[-1] < 0.02 * max(rates)
    half = Schedule(scenes=16_000, batch_size=16, image_size=320, rate=0.5)
    assert [half.rate_at(step) for step in range(1000)] == [rate / 2 for rate in rates]


def test_a_stopped_and_resumed_training_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    validation = {"": [rectangles(np.random.default_rng(9), (64, 64))]}
    whole = train(TINY, rectangles, validation, tmp_path / "a", CPU, workers=0)
    stopped = train(TINY, rectangles, validation, tmp_path / "b", CPU, workers=0, max_minutes=0)
    assert stopped is None and not (tmp_path / "b" / "grid.safetensors").exists()
    resumed = train(TINY, rectangles, validation, tmp_path / "b", CPU, workers=1, resume=True)
    assert whole is not None and resumed is not None
    assert whole.read_bytes() == resumed.read_bytes()
    rows = metrics(tmp_path / "b")
    assert rows == metrics(tmp_path / "a")
    assert [row["scenes"] for row in rows] == [8, 16, 24, 32]
    card = json.loads(resumed.with_suffix(".json").read_text())
    assert card["image_size"] == 64 and card["parameters"] == 2_592_180
    with pytest.raises(InputError, match="was begun with --scenes 32. Say"):
        train(
            Task(replace(SHORT, scenes=64)),
            rectangles,
            validation,
            tmp_path / "b",
            CPU,
            resume=True,
        )
    with pytest.raises(InputError, match="--resume"):
        train(TINY, rectangles, validation, tmp_path / "c", CPU, resume=True)


def metrics(run_dir: Path) -> list[dict[str, float]]:
    """The reports of a run, without how long they took."""
    rows = csv.DictReader((run_dir / "metrics.csv").open())
    return [
        {name: float(value) for name, value in row.items() if name != "scenes_per_second"}
        for row in rows
    ]


def test_a_training_that_is_killed_goes_on_from_its_last_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[None] = []

    def fail(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        made.append(None)
        if len(made) > 5 * SHORT.batch_size:
            raise MemoryError
        return rectangles(rng, size_wh)

    whole = train(TINY, rectangles, {}, tmp_path / "a", CPU, workers=0)
    monkeypatch.setattr("detector.training.loop.KEEP_EVERY", 0.0)
    with pytest.raises(MemoryError):
        train(TINY, fail, {}, tmp_path / "b", CPU, workers=0)
    made.clear()
    resumed = train(TINY, fail, {}, tmp_path / "b", CPU, workers=0, resume=True)
    assert len(made) == 3 * SHORT.batch_size  # of 8 steps, 5 were done
    assert whole is not None and resumed is not None
    assert whole.read_bytes() == resumed.read_bytes()
    assert metrics(tmp_path / "a") == metrics(tmp_path / "b")


def test_other_settings_are_told_before_anything_is_read(tmp_path: Path) -> None:
    validation = {"": [rectangles(np.random.default_rng(9), (64, 64))]}
    train(TINY, rectangles, validation, tmp_path, CPU, workers=0, max_minutes=0)
    (photos := with_masks(tmp_path / "photos")).joinpath("photos/000.png").write_text("no picture")
    missing = tmp_path / "no data"
    with pytest.raises(InputError, match="with no --backgrounds, no --photos, --rate 1.0. Say"):
        train_grid(
            Task(replace(SHORT, rate=0.5), backgrounds=missing, photos=(photos,)),
            missing,
            tmp_path,
            CPU,
            workers=0,
            max_minutes=None,
            resume=True,
        )


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path: Path) -> None:
    task = Task(replace(SHORT, learning_rate=1e38))
    with pytest.raises(InputError, match="finite"):
        train(task, rectangles, {}, tmp_path, CPU, workers=0)
    assert not (tmp_path / "grid.safetensors").exists()


def test_it_learns_a_few_scenes_by_heart(tmp_path: Path) -> None:
    scenes = [rectangles(np.random.default_rng(seed), (64, 64)) for seed in range(4)]

    def known(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        return scenes[rng.integers(len(scenes))]

    schedule = Schedule(
        scenes=4 * 160, batch_size=4, image_size=96, shares=(1.0,), learning_rate=5e-3, reports=1
    )
    path = train(Task(schedule), known, {"": scenes}, tmp_path, CPU, workers=0)
    assert path is not None
    grid = Grid.load(path, CPU)
    for scene in scenes:
        xyxy = grid(scene.frame, 0.01).xyxy
        assert (iou(scene.xyxy, xyxy).max(axis=1, initial=0) > 0.5).all()


def test_targets_have_the_labels_of_what_they_are_around() -> None:
    def leveled(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        scene = rectangles(rng, size_wh)
        labels = rng.integers(0, 12, len(scene.labels))
        for (x1, y1, x2, y2), label in zip(scene.xyxy.astype(int), labels, strict=True):
            scene.frame[y1:y2, x1:x2] = 10 * label + 100
        return replace(scene, labels=labels)

    for step in range(8):
        batch = SceneBatches(SHORT, leveled, seed=0)[step]
        scale = torch.tensor(batch["images"].shape[2:0:-1])
        middles = (batch["bboxes"][:, :2] * scale).long()
        for owner, label, (x, y) in zip(
            batch["batch_idx"].long(), batch["cls"], middles, strict=True
        ):
            assert batch["images"][owner, y, x, 0] == 10 * label + 100


def test_no_two_batches_are_alike_and_all_shapes_come() -> None:
    sizes: list[tuple[int, int]] = []

    def noted(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        sizes.append(size_wh)
        return rectangles(rng, size_wh)

    long = Schedule(scenes=60, batch_size=1, image_size=320, shares=(1.0,))
    data = SceneBatches(long, noted, seed=0)
    pictures = {data[step]["images"].numpy().tobytes() for step in range(60)}
    assert len(pictures) == 60
    for width, height in ASPECTS:
        assert any(abs(size[0] / size[1] - width / height) < 0.02 for size in sizes)
    longest = [max(size) / 320 for size in sizes]
    assert min(longest) < 1.1 and 1.4 < max(longest) <= 1.51, "the network sees shrunk frames"


def test_batches_come_from_a_worker_as_they_are_and_not_through_shared_memory() -> None:
    """/dev/shm is small in a container; a worker that finds it full waits for ever."""
    data = SceneBatches(SHORT, rectangles, seed=3)
    batch = next(loader(data, 1, workers=1))
    assert not any(part.is_shared() for part in batch.values())
    assert all(torch.equal(part, batch[name]) for name, part in data[1].items())
