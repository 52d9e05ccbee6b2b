"""The benchmark of the detector: real programs in turn, stages, growth, and the table of them."""

import json
import sys
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cli
from commands import benchmark_detect
from detector.backends.names import BACKENDS
from detector.benchmark import growth, stages
from detector.benchmark.end_to_end import Pass, in_turn, ours, summary, theirs
from detector.benchmark.figure import draw_growth
from detector.benchmark.table import TITLES, markdown
from detector.benchmark.throughput import BATCHES, ROUNDS, throughput
from detector.pipeline import Detector
from detector.video.frames import read
from fmnist.benchmark.program import run
from fmnist.errors import InputError
from fmnist.models import build
from tests import clips

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "clip.mp4"
    clips.clip(path)
    return path


def test_a_program_is_heard_line_by_line_and_its_memory_is_known() -> None:
    code = "import time, sys; print('a', flush=True); time.sleep(.1); sys.stderr.write('b\\n')"
    ended = run([sys.executable, "-c", code])
    (first, a), (second, b) = ended.lines
    assert (a, b) == ("a", "b")
    assert second > first
    greedy = run([sys.executable, "-c", "x = bytearray(200 * 2**20); print(len(x))"])
    assert greedy.peak_mb > ended.peak_mb + 150


def test_a_program_that_fails_is_told_by_its_last_line() -> None:
    with pytest.raises(InputError, match="ValueError: why not"):
        run([sys.executable, "-c", "raise ValueError('why not')"])
    with pytest.raises(InputError, match="no-such-program cannot be run"):
        run(["no-such-program"])


def test_programs_take_turns_and_are_compared_pair_by_pair() -> None:
    order: list[str] = []

    def program(name: str, *rates: float) -> object:
        left = list(rates)

        def once() -> Pass:
            order.append(name)
            return Pass(left.pop(0), 1.0, 10.0 * len(left), 2.0)

        return once

    programs = {"we": program("we", 30, 40, 90), "they": program("they", 10, 20, 30)}
    passes = in_turn(programs, 3, lambda line: None)  # type: ignore[arg-type]
    assert order == ["we", "they"] * 3
    row = summary("we", passes["we"], passes["they"])
    assert row["frames_per_second"] == {"n": 3, "median": 40, "values": [30, 40, 90]}
    assert row["ratio_to_yolo_predict"] == {"n": 3, "median": 3, "values": [3, 2, 3]}
    assert row["peak_mb"] == 20
    assert "ratio_to_yolo_predict" not in summary("they", passes["they"])


def test_both_real_programs_tell_how_fast_they_were(clip: Path, tmp_path: Path) -> None:
    mine = ours(clip, tmp_path / "drawn.mp4", 96, "cpu", "torch")
    peer = theirs(clip, tmp_path, 96, "cpu")
    for each in (mine, peer):
        assert each.frames_per_second > 0 and each.seconds > 0 and each.peak_mb > 100
    assert len(clips.frames_in(tmp_path / "drawn.mp4")) > 0
    written = [path for path in tmp_path.rglob("*") if path.suffix in (".avi", ".mp4")]
    assert len(written) == 2, "the peer writes its video, too"


def test_stages_growth_table_and_picture(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = Detector.load(CPU, image_size=96)
    told = {"backend": "torch", **stages.measure(clip, detector)}
    assert told["frames"] == len(clips.frames_in(clip))
    names = ["decode", "grid", "crops and head", "tracks", "draw", "encode"]
    assert [*told["mean_ms"]] == [*told["median_ms"]] == names
    assert told["sum_of_means_ms"] == pytest.approx(sum(told["mean_ms"].values()))

    monkeypatch.setattr(growth, "SECONDS", 0.0)
    monkeypatch.setattr(growth, "ROUNDS", 3)
    monkeypatch.setattr(growth, "BOXES", (1, 100))
    frame = next(read(clip)).image
    grown = {"backend": "torch", **growth.measure(frame, detector)}
    assert [*grown["head_ms_of_boxes"]] == [1, 100]
    assert min(grown["head_ms_of_boxes"].values()) > 0

    rows = [summary("fmnist detect, torch", [Pass(30, 9, 800, 2)], [Pass(15, 9, 900, 0)])]
    text = markdown({"rows": rows, "stages": [told], "growth": json.loads(json.dumps(grown))})
    assert "| fmnist detect, torch | 30.0 (1) | 2.00 x | 800 MB |" in text
    assert all(title in text for title in TITLES)
    draw_growth(grown, tmp_path / "growth.png")
    assert next(read(tmp_path / "growth.png")).image.shape[1] > 1000


def test_where_the_bundled_clip_is_not_installed_a_video_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "garments.mp4"
    monkeypatch.setattr("commands.benchmark_detect.CLIP", clip)
    assert cli.run(["benchmark", "detect", str(clip)]) == 2
    assert "Name a VIDEO." in capsys.readouterr().err


def test_boxes_for_the_head_lie_in_the_frame() -> None:
    boxes = growth._boxes(np.random.default_rng(1), 50, (1280, 720))
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= (1280, 720)).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 99).all()


def test_a_classifier_answers_with_every_backend_that_is_here() -> None:
    found = throughput(build("lenet"), torch.device("cpu"), seconds=0)
    assert found.pop("batch") == BATCHES["cpu"]
    here = [name for name, its in BACKENDS.items() if "cpu" in its.devices and not its.missing]
    assert sorted(found) == sorted(here)
    assert all(rate["n"] == ROUNDS and min(rate["values"]) > 0 for rate in found.values())


def test_the_benchmark_of_detection_measures_programs_stages_and_growth(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(module: str, *words: str) -> dict[str, Any]:
        """In this process, where less is measured."""
        with redirect_stdout(StringIO()) as out:
            {"stages": stages, "growth": growth}[module].main(*words)
        facts: dict[str, Any] = json.loads(out.getvalue())
        return facts

    monkeypatch.setattr(benchmark_detect, "_told", told)
    for name, value in {"BOXES": (1, 2), "STREAMS": (1, 2), "SECONDS": 0.0, "ROUNDS": 1}.items():
        monkeypatch.setattr(growth, name, value)
    monkeypatch.setattr(growth, "SIZES_WH", {"720p": (320, 180)})
    target, plot = tmp_path / "x.json", tmp_path / "x.png"
    words = ["benchmark", "detect", str(clip), "--no-peer", "--rounds", "1", "--backends", "torch"]
    outputs = ["--json", str(target), "--plot", str(plot), "--device", "cpu"]
    assert cli.run([*words, "--image-size", "64", *outputs]) == 0
    facts = json.loads(target.read_text())
    (row,), (seen,) = facts["rows"], facts["stages"]
    assert row["row"] == "fmnist detect, torch" and row["frames_per_second"]["median"] > 0
    assert seen["frames"] == 50 and set(seen["median_ms"]) >= {"decode", "grid", "encode"}
    assert facts["growth"]["head_ms_of_boxes"].keys() == {"1", "2"}
    assert facts["image_size"] == 64 and "ratio_to_yolo_predict" not in facts
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_benchmark_of_training_stands_beside_a_plain_loop(
    fashion_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "detector.benchmark.throughput.throughput", partial(throughput, seconds=0.05)
    )
    monkeypatch.setattr("fmnist.benchmark.inference.SECONDS", 0.1)
    target = tmp_path / "x.json"
    words = ["benchmark", "speed", "lenet", "--images", "256", "--rounds", "1", "--no-peer"]
    places = ["--data-dir", str(fashion_mnist), "--json", str(target), "-o", str(tmp_path / "runs")]
    assert cli.run([*words, *places, "--device", "cpu"]) == 0
    facts = json.loads(target.read_text())
    assert [row["row"] for row in facts["rows"]] == ["plain PyTorch loop, fp32", "fmnist train"]
    assert all(row["images_per_second"]["median"] > 0 for row in facts["rows"])
    assert facts["answers"] and facts["inference"]
