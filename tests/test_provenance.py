"""What a card says of where its weights come from."""

import json
from pathlib import Path

import pytest

from commands.options import put_json
from fmnist import provenance
from fmnist.provenance import command_line, travelling
from tests.command import ROOT


def test_the_command_tells_no_folder_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = [
        "/home/me/.venv/bin/fmnist",
        "train",
        "vgg",
        "--photos",
        "/home/me/street",
        "-o",
        "a/b",
    ]
    monkeypatch.setattr("sys.argv", typed)
    assert command_line() == "fmnist train vgg --photos street -o a/b"
    monkeypatch.setattr("sys.argv", [*typed[:3], "--data-dir=/home/me/data", "-o=a/b"])
    assert command_line() == "fmnist train vgg --data-dir=data -o=a/b"
    monkeypatch.setattr("sys.argv", ["/home/me/fmnist/cli.py", "data"])
    assert command_line() == "fmnist data"


def test_a_copy_below_another_checkout_has_no_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("a copy without git, as the page hands it out")
    assert provenance.commit()
    monkeypatch.setattr(provenance, "__file__", str(Path(__file__).parent / "not_tracked.py"))
    provenance.commit.cache_clear()
    assert provenance.commit() == ""
    provenance.commit.cache_clear()


def test_a_card_names_weights_without_the_folders_above_them() -> None:
    assert (
        travelling("/home/me/x/runs/vgg/seed-3/last.safetensors") == "vgg/seed-3/last.safetensors"
    )
    assert travelling("runs/vgg/last.safetensors") == "runs/vgg/last.safetensors"
    assert travelling("vgg-plain") == "vgg-plain"


def test_json_tells_the_command_and_the_commit(tmp_path: Path) -> None:
    put_json({"figure": 1}, str(tmp_path / "figure.json"))
    told = json.loads((tmp_path / "figure.json").read_text())
    assert told == {"command": command_line(), "commit": provenance.commit(), "figure": 1}
    put_json([{"figure": 1}], str(tmp_path / "list.json"))
    assert json.loads((tmp_path / "list.json").read_text()) == [{"figure": 1}]
