"""Commands and Python that the README shows, to their good end on small data."""

import csv
import json
import re
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

import cli
from detector import frame_sets
from detector.evaluation.faults import FAULTS
from detector.training import crops, grid
from detector.video.frames import Reader
from fmnist import data, files
from fmnist.cards import read_json
from fmnist.classes import FOOTWEAR
from fmnist.data import Split, Splits
from tests import clips, photo_folders
from tests.command import ROOT


@pytest.fixture(autouse=True)
def small(
    tiny_split: Split,
    splits: Splits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder to work in, where the data set has 64 images and a training watches two frames."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "find", lambda data_dir=None: tmp_path)
    monkeypatch.setattr(data, "load_splits", lambda folder: splits)
    for module in (data, grid):
        monkeypatch.setattr(module, "load", lambda folder, part: tiny_split)
        monkeypatch.setattr(module, "hold_out", lambda train: splits[:2])
    few = partial(frame_sets.validation_scenes, count=2)
    monkeypatch.setattr(frame_sets, "validation_scenes", few)


def test_the_networks_are_listed_with_what_they_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["models", "--json", "models.json"]) == 0
    told = {row["model"]: row for row in json.loads(Path("models.json").read_text())}
    assert told["vgg"]["parameters"] == 1_148_618 and told["lenet"]["parameters"] == 173_962
    assert "1,148,618" in capsys.readouterr().out


def test_the_report_stands_beside_the_benchmark() -> None:
    benchmark = str(ROOT / "results/benchmark.json")
    assert cli.run(["report", "--benchmark", benchmark, "--weights", "lenet", "-o", "page"]) == 0
    text = Path("page/report.md").read_text()
    measured = read_json(ROOT / "results/benchmark.json")["rows"]
    assert all(f"| {row['row']} " in text for row in measured)


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite("photo.jpg", clips.numbered(3))
    clips.clip(Path("video.mp4"), [0.0, 0.04])
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    detecting, training = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    exec(detecting, {})
    assert "0.04" in capsys.readouterr().out
    exec(training, {})
    assert Path("runs/mine/result.json").is_file()


def test_a_search_tells_what_to_train_with(capsys: pytest.CaptureFixture[str]) -> None:
    words = "tune lenet --trials 1 --epochs 1 --images 100 --search erasing --device cpu -o search"
    assert cli.run(words.split()) == 0
    assert "--set erasing=" in capsys.readouterr().out


def test_a_loss_that_is_not_finite_ends_the_training_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = "train lenet --recipe report --epochs 2 --set learning_rate=1e30 --device cpu -o run"
    assert cli.run(words.split()) == 2
    told = capsys.readouterr().err
    assert "not finite" in told and "Nothing of it is kept in run." in told
    assert "Traceback" not in told


def test_the_head_learns_crops_of_painted_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "JUDGED", 20)
    monkeypatch.setattr(crops, "CHUNK", 20)
    words = "train lenet --recipe crops --epochs 1 --set crops=20 --set batch_size=8 -o run"
    assert cli.run([*words.split(), "--device", "cpu"]) == 0
    result = read_json(Path("run/result.json"))
    assert result["test"]["n"] == 20, "judged on crops"
    assert Path("run/last.safetensors").is_file()


def test_the_head_learns_crops_of_photos_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "JUDGED", 20)
    monkeypatch.setattr(crops, "CHUNK", 20)
    photo_folders.with_masks(Path("street"))
    changes = "--set crops=20 --set photo_crops=20 --set batch_size=8"
    words = f"train lenet --recipe worn --photos street --epochs 1 {changes} -o run --device cpu"
    assert cli.run(words.split()) == 0
    with np.load("run/crops.npz") as rendered:
        labels = rendered["labels0"]
        assert len(labels) >= 40, "painted ones, and those of photos"
        assert FOOTWEAR in labels, "nobody tells the kind of painted shoes so"


def test_a_grid_learns_from_photos_too() -> None:
    photo_folders.with_masks(Path("street"))
    photo_folders.write(Path("things/thing.png"), photo_folders.picture(3))
    shown = "--photos street --backgrounds things --scenes 16"
    words = f"detector train {shown} --image-size 64 --reports 1 --device cpu"
    assert cli.run([*words.split(), "--workers", "0", "-o", "run"]) == 0
    (row,) = csv.DictReader(Path("run/metrics.csv").read_text().splitlines())
    assert {"mAP50", "photos mAP50"} <= row.keys()
    card = read_json(Path("run/grid.json"))
    assert card["photos"] == ["street"] and card["scenes"] == 16


def test_a_grid_does_not_go_on_with_other_photos(capsys: pytest.CaptureFixture[str]) -> None:
    photo_folders.with_masks(Path("street"))
    words = "detector train --photos street --scenes 32 --image-size 64 --reports 2 --device cpu"
    begin = [*words.split(), "--workers", "0", "-o", "run"]
    assert cli.run([*begin, "--max-minutes", "0"]) == 0
    Path("street/photos/000.png").unlink()
    before = Path("run/last.pt").read_bytes()
    assert cli.run([*begin, "--resume"]) == 2
    assert "The photos are not those that run/last.pt was begun with." in capsys.readouterr().err
    assert Path("run/last.pt").read_bytes() == before


@pytest.mark.parametrize("left", ["settings.json", "metrics.csv", "grid.json", "last.pt"])
def test_a_grid_replaces_nothing_of_another_run(
    left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run").mkdir()
    Path("run", left).write_text("of another run")
    assert cli.run(["detector", "train", "--scenes", "16", "-o", "run"]) == 2
    assert ("run holds a run." if left == "last.pt" else "another run") in capsys.readouterr().err
    Path("run/last.pt").write_text("of another run")
    assert cli.run(["detector", "train", "--scenes", "16", "-o", "run", "--resume"]) == 2
    assert "is damaged" in capsys.readouterr().err
    assert Path("run", left).read_text() == "of another run"


def test_photos_without_frames_cannot_choose_how_a_mean_looks(
    untrained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("grid.safetensors", "grid.json"):
        shutil.copy(untrained / name, f"other.{name.partition('.')[2]}")
    photo_folders.of_single_garments(Path("single"))
    words = ["detector", "blend", str(untrained / "grid.safetensors"), "other.safetensors"]
    assert cli.run([*words, "--photos", "single", "-o", "mean.safetensors"]) == 2
    assert "hold no frame to choose by" in capsys.readouterr().err


def test_photos_of_one_garment_are_not_spoiled(capsys: pytest.CaptureFixture[str]) -> None:
    photo_folders.of_single_garments(Path("single"))
    assert cli.run(["detector", "evaluate", "--photos", "single", "--faults", "gray"]) == 2
    assert "--faults is about boxes, photos of one garment have none." in capsys.readouterr().err


def test_a_detector_is_judged_on_painted_frames_and_its_mistakes_drawn(untrained: Path) -> None:
    grid = str(untrained / "grid.safetensors")
    words = ["detector", "evaluate", "--grid", grid, "--heads", "none,lenet", "--frames", "3"]
    outputs = ["--json", "x.json", "--misses", "misses.png", "--device", "cpu"]
    assert cli.run([*words, "--faults", "all", *outputs]) == 0
    told = read_json(Path("x.json"))
    spoiled = [f"lenet, {fault}" for fault in FAULTS]
    assert [row["head"] for row in told["rows"]] == ["none", "lenet", *spoiled]
    assert [row.get("fault") for row in told["rows"]] == [None, None, *FAULTS]
    assert next(iter(Reader(Path("misses.png")))).image.size


def test_two_grids_have_a_mean(untrained: Path) -> None:
    for name in ("grid.safetensors", "grid.json"):
        shutil.copy(untrained / name, f"other.{name.partition('.')[2]}")
    first = str(untrained / "grid.safetensors")
    words = ["detector", "blend", first, "other.safetensors", "--share", "0.25"]
    assert cli.run([*words, "-o", "mean.safetensors"]) == 0
    assert read_json(Path("mean.json"))["looks_at"]


def test_the_demo_clip_is_rendered() -> None:
    assert cli.run(["detector", "clip", "--seconds", "0.2", "-o", "clip.mp4"]) == 0
    assert len(list(Reader(Path("clip.mp4")))) > 2
