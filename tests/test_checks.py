"""What is told before the work begins."""

import json
import os
from pathlib import Path

import pytest

from commands.options import classes_of, put
from fmnist.atomic import write_atomically
from fmnist.checks import all_free, device_name, free, free_folder, known, made, writable_folder
from fmnist.errors import InputError


def test_a_known_name_is_given_back() -> None:
    assert known("vgg", ["lenet", "vgg"], "model") == "vgg"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("vg", r"vg: no such model\. Did you mean vgg\?"), ("x", r"Choose from: lenet, vgg\.")],
)
def test_an_unknown_name_gets_the_nearest_or_all(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        known(name, ["lenet", "vgg"], "model")


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_device_names_pass(name: str) -> None:
    assert device_name(name) == name


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "CPU", "cpu\n"])
def test_what_is_no_device_is_told(name: str) -> None:
    with pytest.raises(InputError, match="is no device. Choose auto, cpu, cuda or cuda:N"):
        device_name(name)


def test_a_new_file_is_free_and_an_old_one_only_to_be_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    assert free(path, overwrite=False) == path
    path.touch()
    assert free(path, overwrite=True) == path
    with pytest.raises(InputError, match="exists. Add --overwrite"):
        free(path, overwrite=False)


def test_a_folder_is_no_place_to_write_a_file_to(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        free(tmp_path, overwrite=True)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        free(tmp_path / "no" / "result.json", overwrite=True)


def test_a_folder_that_bars_writing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(InputError, match="cannot be written"):
        free(tmp_path / "result.json", overwrite=True)


def test_a_device_is_always_free_and_stays_one(tmp_path: Path) -> None:
    null = Path(os.devnull)
    assert free(null, overwrite=False) == null
    write_atomically(null, b"gone")
    assert null.exists() and not null.is_file()


def test_a_device_is_free_though_nothing_may_be_written_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As /dev is, and the pipes of a shell's >(gzip), to everybody but root."""
    null = Path(os.devnull)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == null)
    assert free(null, overwrite=False) == null
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="cannot be written"):
        free(null, overwrite=False)


def test_one_file_cannot_hold_two_results(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="x would be written twice"):
        all_free(False, str(tmp_path / "x"), tmp_path / "x")
    all_free(False, "-", "-", "", None, os.devnull, Path(os.devnull))


def test_a_folder_of_results_is_empty_or_to_be_overwritten(tmp_path: Path) -> None:
    assert free_folder(tmp_path / "a" / "b", overwrite=False) == tmp_path / "a" / "b"
    (tmp_path / "file").touch()
    assert free_folder(tmp_path, overwrite=True) == tmp_path
    with pytest.raises(InputError, match="is not empty. Add --overwrite"):
        free_folder(tmp_path, overwrite=False)
    with pytest.raises(InputError, match="file is a file, not a folder"):
        writable_folder(tmp_path / "file" / "run")
    assert made(tmp_path / "a" / "b").is_dir()
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        made(tmp_path / "file" / "run")


def test_a_link_is_checked_where_it_leads(tmp_path: Path) -> None:
    first, second, lost = (tmp_path / name for name in ("first", "second", "lost"))
    for link, target in ((first, "x.json"), (second, "x.json"), (lost, "gone/x.json")):
        link.symlink_to(target)
    free(first, overwrite=False)
    with pytest.raises(InputError, match="gone: no such folder"):
        free(lost, overwrite=False)
    with pytest.raises(InputError, match="second would be written twice"):
        all_free(False, first, second)


def test_classes_are_named_in_any_case_of_letters() -> None:
    assert classes_of("sneaker, ANKLE boot,,") == ("Sneaker", "Ankle boot")
    with pytest.raises(InputError, match=r"shrt: no such class\."):
        classes_of("shrt")


def test_facts_are_there_though_nobody_reads_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    monkeypatch.setattr("commands.options.say", lambda line: None)
    with pytest.raises(BrokenPipeError):
        put("a table", {"accuracy": 1}, str(tmp_path / "x.json"))
    assert json.loads((tmp_path / "x.json").read_text())["accuracy"] == 1
