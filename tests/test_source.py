"""The source as a ZIP: what runs, and nothing else that lies about."""

import io
import zipfile
from pathlib import Path

from detector.web import source


def test_the_archive_holds_what_runs_with_its_licence() -> None:
    files = zipfile.ZipFile(io.BytesIO(source.archive()))
    assert files.testzip() is None
    here = Path(source.__file__)
    assert files.read(f"fmnist/{here.relative_to(source.ROOT)}") == here.read_bytes()
    tops = {name.split("/")[1] for name in files.namelist()}
    assert tops <= {*source.OURS, *(name.partition("/")[0] for name in source.FILES)}
    assert "fmnist/LICENSE" in files.namelist()
