"""A file is whole whoever writes it, and however many."""

import subprocess
import sys
from pathlib import Path

import pytest

from fmnist.atomic import is_taken, part_of, write_atomically
from tests.command import ROOT

WRITING = """
import sys
from pathlib import Path
from fmnist.atomic import write_atomically
for _ in range(400):
    write_atomically(Path(sys.argv[1]), sys.argv[2].encode() * 200_000)
"""


def test_two_processes_that_write_one_file_leave_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"c" * 200_000)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITING, str(path), letter], cwd=ROOT)
        for letter in "ab"
    ]
    while any(writer.poll() is None for writer in writers):
        content = path.read_bytes()
        assert len(content) == 200_000 and len(set(content)) == 1
    assert [writer.returncode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_is_taken_once_somebody_begins_to_write_it(tmp_path: Path) -> None:
    path, other = tmp_path / "a[1].mp4", tmp_path / "a[1].mp4.mp4"
    assert not is_taken(path)
    part_of(path).write_bytes(b"")
    assert is_taken(path) and not is_taken(other)
    part_of(path).rename(path)
    assert is_taken(path)


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    """Not the hidden one beside it, nor none, as that of a full disk does."""
    for path in (Path("/dev/full"), tmp_path / "no/x.json", tmp_path / ("x" * 250)):
        with pytest.raises(OSError) as told:
            write_atomically(path, b"x" * 10_000)
        assert told.value.filename == str(path)


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    link, target = tmp_path / "latest.json", tmp_path / "store/real.json"
    link.symlink_to("store/real.json")
    for content in (b"first", b"second"):  # nothing is there at first
        write_atomically(link, content)
        assert link.is_symlink() and target.read_bytes() == content
    assert list((tmp_path / "store").iterdir()) == [target]
