"""What a card says of where its weights come from."""

from pathlib import Path

import pytest

from fmnist import provenance
from fmnist.provenance import command_line, travelling


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
    monkeypatch.setattr("sys.argv", ["/home/me/fmnist/cli.py", "data"])
    assert command_line() == "fmnist data"


def test_a_copy_below_another_checkout_has_no_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
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
