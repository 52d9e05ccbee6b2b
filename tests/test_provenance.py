"""What a card says of where its weights come from."""

import pytest

from fmnist.provenance import command_line


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
