"""`fmnist train` and `fmnist detector train` as users run them: stopped by Ctrl-C, then resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import cli
from commands.options import weights_file
from fmnist.training.run_folder import LOCK, claimed
from fmnist.training.settings import plan, prepare, read_settings
from tests.command import ROOT, fmnist
from weights import WEIGHTS

RUN = [sys.executable, "-c", "import cli; cli.main()"]


def interrupted_after(sign: Path, folder: Path, data: Path, *arguments: str) -> str:
    """Run a command, press Ctrl-C once the file `sign` is there, and give what the user reads."""
    process = subprocess.Popen(
        [*RUN, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FMNIST_DATA": str(data)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while not sign.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{sign.name} did not come"
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    return told


def finished(folder: Path, data: Path, *arguments: str) -> str:
    """Run a command to its good end; stderr."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FMNIST_DATA": str(data)}
    done = subprocess.run(
        [*RUN, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_classifier_is_stopped_and_resumed(fashion_mnist: Path, tmp_path: Path) -> None:
    # By `report` two epochs end at 79.5 % with one thread, 81.5 with two, which round differently;
    # by `best` at 86.
    start = ("train", "lenet", "--recipe", "best", "--epochs", "2", "-o", "run")
    here = ("--device", "cpu")
    told = interrupted_after(tmp_path / "run/state.pt", tmp_path, fashion_mnist, *start, *here)
    again = "stopped; go on with: fmnist train --resume run --device cpu"
    assert again in told, "what is said of the machine holds again"
    assert not (tmp_path / "run/result.json").exists()
    finished(tmp_path, fashion_mnist, "train", "--resume", "run")
    assert len((tmp_path / "run/metrics.csv").read_text().splitlines()) == 1 + 2
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert 0.8 < result["test"]["accuracy"] < 0.95
    finished(tmp_path, fashion_mnist, "evaluate", "run", "--json", "x.json")
    judged = json.loads((tmp_path / "x.json").read_text())
    assert (judged["weights"], judged["accuracy"]) == ("run", result["test"]["accuracy"])
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left >= {"best.safetensors", "last.safetensors", "curves.png", "confusion.png"}


def test_a_run_resumed_before_its_first_epoch_begins_with_the_same_weights(
    fashion_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fmnist.training import runs

    began: list[Path | None] = []

    def stop(*_: Any, initial: Path | None, **__: Any) -> None:
        began.append(initial)
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "train", stop)
    data = f"--data-dir {fashion_mnist}"
    assert cli.run(f"train vgg --init vgg-plain --epochs 1 -o run {data}".split()) == 130
    assert cli.run(f"train --resume run {data}".split()) == 130
    assert began == [WEIGHTS / "vgg-plain.safetensors"] * 2


def test_a_run_is_prolonged_once_its_data_are_there(
    fashion_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fmnist.training import runs

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "train", lambda *_, **__: None)
    prepare(tmp_path / "run", plan("lenet", "report", 1, 0))
    resume = ["train", "--resume", "run", "--epochs", "3", "--data-dir"]
    for folder, code, epochs in ((tmp_path, 2, 1), (fashion_mnist, 0, 3)):
        assert cli.run([*resume, str(folder)]) == code
        assert read_settings(tmp_path / "run").epochs == epochs


def test_a_grid_is_stopped_and_resumed(fashion_mnist: Path, tmp_path: Path) -> None:
    start = ("detector", "train", "--scenes", "80", "--image-size", "64", "-o", "run")
    told = interrupted_after(tmp_path / "run/last.pt", tmp_path, fashion_mnist, *start)
    assert "go on from its last minute with the same command and --resume" in told
    assert not (tmp_path / "run/grid.safetensors").exists()
    finished(tmp_path, fashion_mnist, *start, "--resume")
    assert len((tmp_path / "run/metrics.csv").read_text().splitlines()) == 1 + 5
    card = json.loads((tmp_path / "run/grid.json").read_text())
    assert card["scenes"] == 80 and card["image_size"] == 64


@pytest.mark.parametrize("more", [(), ("--epochs", "5")])
def test_a_run_that_another_process_trains_is_left_alone(
    fashion_mnist: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    prepare(tmp_path / "run", plan("lenet", "report", 1, 0))
    before = (tmp_path / "run/settings.json").read_bytes()
    data = {"FMNIST_DATA": str(fashion_mnist)}
    with claimed(tmp_path / "run"):
        done = fmnist("train", "--resume", "run", *more, folder=tmp_path, environment=data)
    assert done.code == 2 and done.err.startswith("fmnist: Another process trains in run. Wait")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"settings.json", LOCK}
    assert (tmp_path / "run/settings.json").read_bytes() == before


def test_a_grid_that_another_process_trains_is_left_alone(
    fashion_mnist: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    with claimed(tmp_path / "run"):
        data = {"FMNIST_DATA": str(fashion_mnist)}
        done = fmnist("detector", "train", "-o", "run", folder=tmp_path, environment=data)
    assert (done.code, "Another process trains in run" in done.err) == (2, True), done.err
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]


def test_who_dies_lets_go_of_the_run(tmp_path: Path) -> None:
    killed = "import os; from pathlib import Path; from fmnist.training.run_folder import claimed\n"
    killed += "with claimed(Path('.')): os.kill(os.getpid(), 9)"
    done = subprocess.run(
        [sys.executable, "-c", killed], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == -signal.SIGKILL
    with claimed(tmp_path):
        assert (tmp_path / LOCK).exists()


def test_what_a_run_has_settled_cannot_be_told_again(tmp_path: Path) -> None:
    prepare(tmp_path / "run", plan("vgg", "report", 1, 0))
    for words in (["lenet"], ["--recipe", "best"], ["--seed", "1"], ["--set", "dropout=0"]):
        done = fmnist("train", *words, "--resume", "run", folder=tmp_path)
        assert done.code == 2 and "has its settings in run" in done.err


def test_photos_for_a_recipe_of_plain_images_are_told(tmp_path: Path) -> None:
    (tmp_path / "photos/dress").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "photos/dress/1.png"), np.zeros((8, 8, 3), np.uint8))
    done = fmnist("train", "vgg", "--photos", "photos", folder=tmp_path)
    assert done.code == 2 and "learns from no photos" in done.err


def test_a_run_that_is_there_is_kept_and_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/settings.json").write_text("{}")
    done = fmnist("train", "lenet", "-o", "run", folder=tmp_path)
    assert done.code == 2 and "torch" not in done.modules
    assert "run already holds a run. Go on with --resume run" in done.err
    assert (tmp_path / "run/settings.json").read_text() == "{}"


def test_a_run_s_folder_never_stands_for_weights_that_ship(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("grid", "mine"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "grid.safetensors").touch()
    assert weights_file("grid") == WEIGHTS / "grid.safetensors"
    assert weights_file("./grid") == Path("grid/grid.safetensors")
    assert weights_file("mine") == Path("mine/grid.safetensors")
    assert weights_file("grid") == WEIGHTS / "grid.safetensors"
    told = "grid are the weights that ship; the run here is ./grid\n"
    assert capsys.readouterr().err == told, "once"
