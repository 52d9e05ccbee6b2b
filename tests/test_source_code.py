"""The source as a ZIP: what runs, and nothing else that lies about."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from detector.web import source_code


def test_the_archive_holds_what_runs_with_its_licence() -> None:
    files = zipfile.ZipFile(io.BytesIO(source_code.archive()))
    assert files.testzip() is None
    here = Path(source_code.__file__)
    assert files.read(f"fmnist/{here.relative_to(source_code.ROOT)}") == here.read_bytes()
    tops = {name.split("/")[1] for name in files.namelist()}
    names = (*source_code.OURS, *source_code.BESIDE, *source_code.TOP)
    assert tops == {name.partition("/")[0] for name in names}


def test_beside_other_packages_only_our_own_are_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fmnist/data.py", "fmnist/.secret", "tests/test_theirs.py", "docs/theirs.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))  # as some installations date their files
    monkeypatch.setattr(source_code, "ROOT", tmp_path)
    files = zipfile.ZipFile(io.BytesIO(source_code.archive.__wrapped__()))
    assert set(files.namelist()) == {"fmnist/fmnist/data.py", "fmnist/LICENSE"}
