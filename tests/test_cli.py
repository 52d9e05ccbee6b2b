"""What the command prints, its exit code and what it leaves, most of all where it cannot work."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import pytest
from typer.main import get_command

import cli
from tests import clips
from tests.bad_input import BAD_INPUT
from tests.command import fmnist

HEAVY = {"torch", "ultralytics", "matplotlib"}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, and what is in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad inputs, and results that must not be overwritten."""
    folder = tmp_path_factory.mktemp("cli") / "desk"
    (folder / "clips").mkdir(parents=True)
    clips.clip(folder / "clips" / "clip.mp4")
    clips.clip(folder / "good.mp4")
    cv2.imwrite(str(folder / "picture.png"), clips.numbered(1))
    (folder / "cut.jpg").write_bytes(cv2.imencode(".jpg", clips.numbered(1))[1].tobytes()[:300])
    clips.truncated(folder / "truncated.mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("This is no video.\n" * 50)
    (folder / "taken.mp4").write_bytes(b"an earlier result")
    (folder / "taken.json").write_bytes(b"{}")
    (folder / "taken.onnx").write_bytes(b"an earlier export")
    (folder / "corrupt.safetensors").write_bytes(b"\xff" * 100)
    return folder


def refused(desk: Path, arguments: str) -> str:
    """What the user reads; nothing heavy was loaded, nothing written or lost for it."""
    before = tree(desk)
    outcome = fmnist(*arguments.split(), folder=desk)
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert outcome.err.startswith("fmnist: ")
    assert tree(desk) == before
    assert not HEAVY & outcome.modules
    return outcome.err.removeprefix("fmnist: ").rstrip("\n")


def test_help_names_every_command_and_loads_nothing_heavy(desk: Path) -> None:
    outcome = fmnist("--help", folder=desk)
    assert outcome.code == 0
    commands: dict[str, Any] = getattr(get_command(cli.app), "commands", {})
    assert len(commands) > 10
    for command in commands:
        assert f"\n  {command} " in outcome.out
    assert not (HEAVY | {"numpy", "cv2", "rich"}) & outcome.modules


def commands_of(group: Any, name: str = "") -> Iterator[str]:
    """Every command by its words, those of groups too."""
    for word, command in getattr(group, "commands", {}).items():
        yield f"{name} {word}".strip()
        yield from commands_of(command, f"{name} {word}".strip())


@pytest.mark.parametrize("command", commands_of(get_command(cli.app)))
def test_every_command_has_help(desk: Path, command: str) -> None:
    outcome = fmnist(*command.split(), "--help", folder=desk)
    assert outcome.code == 0
    assert f"Usage: fmnist {command}" in outcome.out
    assert not HEAVY & outcome.modules


def test_without_arguments_the_help_is_shown(desk: Path) -> None:
    assert fmnist(folder=desk).out == fmnist("--help", folder=desk).out


def test_version_is_that_of_the_package(desk: Path) -> None:
    try:
        installed = version("fmnist")
    except PackageNotFoundError:
        pytest.skip("fmnist is not installed: make install")
    assert fmnist("--version", folder=desk).out == f"fmnist {installed}\n"


# Each row: the arguments, what the user reads.
@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT)
def test_bad_input_is_told_in_a_sentence_before_anything_is_loaded(
    desk: Path, arguments: str, message: str
) -> None:
    assert message in refused(desk, arguments)


@pytest.fixture(scope="module")
def weights(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the desk with weights of every bad kind, and a data set that is only a name."""
    from fmnist.checkpoint import save_checkpoint
    from fmnist.classes import CLASSES
    from fmnist.files import FILES
    from fmnist.models import build

    folder = tmp_path_factory.mktemp("weights") / "desk"
    shutil.copytree(desk, folder)
    state = build("lenet").state_dict()
    facts = {"model": "lenet", "classes": list(CLASSES)}
    save_checkpoint(folder / "lenet.safetensors", state, facts)
    save_checkpoint(folder / "mixed.safetensors", state, facts | {"model": "vgg"})
    save_checkpoint(folder / "animals.safetensors", state, facts | {"classes": ["cat", "dog"]})
    (folder / "corrupt.json").write_bytes((folder / "lenet.json").read_bytes())
    (folder / "named").mkdir()
    for name in FILES:
        (folder / "named" / name).touch()
    return folder


# Each row: weights, what the user reads.
CHECKPOINTS = [
    ("corrupt", "corrupt.safetensors is not a readable safetensors file."),
    ("mixed", "mixed.safetensors does not hold the weights of vgg."),
    ("animals", "animals.safetensors was trained on other classes"),
    ("lenet", "named/t10k-images-idx3-ubyte"),  # of the data set that is empty
]


def refused_here(
    folder: Path, arguments: str, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The same in this process, where torch is loaded already."""
    patch.chdir(folder)
    before = tree(folder)
    assert cli.run(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert tree(folder) == before
    return err.removeprefix("fmnist: ")


@pytest.mark.parametrize(("name", "message"), CHECKPOINTS)
def test_weights_that_cannot_be_used_are_told(
    weights: Path,
    name: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = f"evaluate {name}.safetensors --data-dir named --json x.json --device cpu"
    assert message in refused_here(weights, arguments, monkeypatch, capsys)


def test_a_device_that_is_not_there_is_told_with_those_that_are(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "evaluate lenet.safetensors --data-dir named --device cuda:77"
    text = refused_here(weights, arguments, monkeypatch, capsys)
    assert text.startswith("cuda:77 is not available; this machine has: cpu")


def run_here(
    folder: Path, arguments: str, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run the command in this process; stdout, where it succeeded."""
    patch.chdir(folder)
    code = cli.run(arguments.split())
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


@pytest.fixture(scope="module")
def detector(weights: Path) -> Path:
    """Beside the weights: those of a grid that has not learnt anything."""
    from detector.network import build
    from fmnist.checkpoint import save_checkpoint

    facts = {"model": "grid", "image_size": 128}
    save_checkpoint(weights / "blank.safetensors", build().state_dict(), facts)
    return weights


UNTRAINED = (
    "--grid blank.safetensors --head lenet.safetensors --conf 0.001 --device cpu --backend torch"
)


def test_detect_leaves_a_video_its_json_lines_and_a_contact_sheet(
    detector: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = f"-o {tmp_path}/x.mp4 --json {tmp_path}/x.jsonl --contact-sheet {tmp_path}/x.png"
    text = run_here(
        detector, f"detect good.mp4 --max-frames 4 {UNTRAINED} {out}", monkeypatch, capsys
    )
    assert text == ""
    assert {path.name for path in tmp_path.iterdir()} == {"x.mp4", "x.jsonl", "x.png"}
    assert len(clips.frames_in(tmp_path / "x.mp4")) == 4
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    weights = {"grid": "blank", "head": "lenet", "backend": "torch", "image_size": 128}
    assert lines[0]["weights"] == weights
    assert [line["frame"] for line in lines[1:]] == [0, 1, 2, 3]


def test_json_on_stdout_is_nothing_but_json(
    detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(detector)
    arguments = f"detect good.mp4 --every 25 --no-video --json - {UNTRAINED}"
    text = run_here(detector, arguments, monkeypatch, capsys)
    assert [json.loads(line).get("frame") for line in text.splitlines()] == [None, 0, 25]
    assert tree(detector) == before


def test_ids_are_told_unless_nobody_wants_tracks(
    detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, tracked in (("--track", True), ("--no-track", False)):
        arguments = f"detect good.mp4 --max-frames 2 --no-video --json - {UNTRAINED} {option}"
        header, *frames = map(
            json.loads, run_here(detector, arguments, monkeypatch, capsys).splitlines()
        )
        boxes = [box for line in frames for box in line["boxes"]]
        assert boxes and all((box["id"] is not None) == tracked for box in boxes)
        assert header["settings"]["track"] == tracked


def test_the_figures_of_tracks_come_as_a_table_or_as_json(
    detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run_here(detector, f"detector tracks good.mp4 {UNTRAINED}", monkeypatch, capsys)
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [
        ["good.mp4", "without"],
        ["good.mp4", "with"],
    ]
    arguments = f"detector tracks good.mp4 --json - {UNTRAINED}"
    rows = json.loads(run_here(detector, arguments, monkeypatch, capsys))["rows"]
    assert [row["tracked"] for row in rows] == [False, True]
    assert all(row["frames"] == 50 for row in rows)


def test_noise_and_strictly_taken_damage_end_in_a_sentence(
    untrained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    clips.undecodable(tmp_path / "noise.mkv")
    clips.damaged(tmp_path / "damaged.mp4")
    weights = f"--grid {untrained}/grid.safetensors --head {untrained}/head.safetensors"
    assert cli.run(f"detect noise.mkv {weights}".split()) == 2
    assert "noise.mkv: no frame could be decoded (codec " in capsys.readouterr().err
    assert not (tmp_path / "noise.fmnist.mp4").exists()
    assert cli.run(f"detect damaged.mp4 {weights}".split()) == 0
    counted = re.search(r"(\d+) damaged frames? skipped \(of 75\)", capsys.readouterr().err)
    assert counted
    words = f"detect damaged.mp4 noise.mkv --strict --overwrite {weights}"
    assert cli.run(words.split()) == 2
    told = capsys.readouterr().err
    assert f"{counted[0]}. Leave out --strict to accept that." in told
    assert "noise.mkv: no frame could" in told and "written: damaged.fmnist.mp4" in told
    assert len(clips.frames_in(tmp_path / "damaged.fmnist.mp4")) == 75 - int(counted[1])


@pytest.mark.parametrize("option", ["-o x.mp4", "-o x.mp4 --json x.json", "--contact-sheet x.png"])
def test_a_folder_that_bars_writing_is_told_before_the_work(
    desk: Path, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    before = tree(desk)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert cli.run(f"detect good.mp4 {option}".split()) == 2
    assert "cannot be written. Choose another folder." in capsys.readouterr().err
    assert tree(desk) == before


def test_predict_names_a_photo_in_one_line(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(weights / "photo.png"), clips.numbered(3))
    line = run_here(weights, "predict photo.png --weights lenet.safetensors", monkeypatch, capsys)
    assert line.startswith("photo.png  ")
    assert len(line.strip().split("  ")) == 4


def test_predict_names_the_other_photos_beside_a_damaged_one(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fmnist.classes import CLASSES

    monkeypatch.chdir(weights)
    (weights / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (weights / "damaged.gif").write_bytes(b"GIF89a" + bytes(40))
    cv2.imwrite(str(weights / "photo.png"), clips.numbered(3))
    words = (
        "predict damaged.png damaged.gif photo.png --weights lenet.safetensors --json names.json"
    )
    assert cli.run(words.split()) == 2
    told = capsys.readouterr()
    assert (
        told.out.startswith("photo.png  ")
        and "damaged.png: no picture could be decoded" in told.err
        and "damaged.gif is not a video or image that can be read" in told.err
    )
    (row,) = json.loads((weights / "names.json").read_text())
    assert row["path"] == "photo.png"
    assert set(row) == {"path", "label", "label_conf", "garment", "xyxy", "probs"}
    probs = row["probs"]
    assert row["label_conf"] == max(probs) and sum(probs) == pytest.approx(1, abs=0.001)
    assert row["label"] == CLASSES[probs.index(max(probs))]


def test_data_prints_the_known_figures_and_draws_two_pictures(
    fashion_mnist: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = run_here(tmp_path, f"data --data-dir {fashion_mnist} -o out", monkeypatch, capsys)
    assert "Ankle boot     6000   1000" in text
    assert "mean 0.2860, deviation 0.3530" in text
    assert set(tree(tmp_path)) == {"out/class_distribution.png", "out/samples.png"}


def test_evaluate_prints_a_table_and_writes_json_and_the_matrix(
    weights: Path,
    fashion_mnist: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = f"--json {tmp_path}/x.json --confusion {tmp_path}/x.png"
    arguments = f"evaluate lenet.safetensors --data-dir {fashion_mnist} {out}"
    text = run_here(weights, arguments, monkeypatch, capsys)
    facts = json.loads((tmp_path / "x.json").read_text())
    assert facts["n"] == 10_000
    assert f"accuracy {facts['accuracy']:.2%}" in text
    assert (tmp_path / "x.png").exists()
