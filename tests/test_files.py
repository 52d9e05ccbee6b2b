"""The four files: looked for, checked and read."""

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fmnist import files
from fmnist.errors import InputError
from tests.data_files import CONTENT, cut, place

pytestmark = pytest.mark.usefixtures("no_environment")


# Looking


def test_the_first_folder_that_holds_all_four_is_found_packed_or_not(tmp_path: Path) -> None:
    assert files.find(place(tmp_path / "packed")) == tmp_path / "packed"
    assert files.find(place(tmp_path / "plain", compressed=False)) == tmp_path / "plain"
    cache = place(files.cache_folder() / "fashion-mnist")
    assert files.find() == cache
    debian = place(tmp_path / "debian")
    assert files.find() == debian
    (debian / "t10k-labels-idx1-ubyte.gz").unlink()
    assert files.find() == cache


def test_a_folder_that_the_user_names_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(files.cache_folder() / "fashion-mnist")
    monkeypatch.setenv("FMNIST_DATA", str(place(tmp_path / "named")))
    assert files.find() == tmp_path / "named"
    assert files.search_path(tmp_path / "given") == [tmp_path / "given"]
    with pytest.raises(InputError, match="given: no such folder"):
        files.find(tmp_path / "given")
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "mistyped"))
    with pytest.raises(InputError, match="mistyped: no such folder"):
        files.find()


def test_missing_data_is_told_with_places_files_and_remedies(tmp_path: Path) -> None:
    cache = place(files.cache_folder() / "fashion-mnist")
    (cache / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError) as caught:
        files.find()
    text = str(caught.value)
    assert f"{tmp_path / 'debian'}: no such folder" in text
    assert f"{cache}: no t10k-labels-idx1-ubyte" in text
    for name, md5 in files.FILES.items():
        assert name in text and md5 in text
    for remedy in ("dataset-fashion-mnist", "fmnist data --download", "--data-dir", "FMNIST_DATA"):
        assert remedy in text


def test_a_relative_cache_home_is_ignored_as_its_specification_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert files.cache_folder() == Path.home() / ".cache" / "fmnist"


# Checking


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("compressed", [True, False])
def test_whole_files_verify(tmp_path: Path, compressed: bool) -> None:
    files.verify(place(tmp_path / "data", compressed))


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def replace_by_html(path: Path) -> None:
    path.write_text("<html>Log in to the network</html>")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replace_by_other_data(path: Path) -> None:
    path.write_bytes(gzip.compress(b"digits"))


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize(
    "damage", [cut, change_a_byte, replace_by_html, empty, replace_by_other_data, Path.unlink]
)
def test_a_damaged_file_is_named(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = place(tmp_path / "data")
    damage(folder / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match="t10k-images-idx3-ubyte.*fmnist data --download"):
        files.verify(folder)
    files.verify(folder, ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])


# Reading


@pytest.mark.parametrize("shape", [(7,), (2, 3), (3, 28, 28), (0, 28, 28)])
def test_an_array_comes_back_as_it_was_written(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    (tmp_path / "plain").write_bytes(header + array.tobytes())
    (tmp_path / "packed.gz").write_bytes(gzip.compress(header + array.tobytes()))
    for name in ("plain", "packed.gz", "packed"):
        read = files.read_idx(tmp_path / name)
        assert read.dtype == np.uint8 and read.shape == shape
        assert np.array_equal(read, array)
        assert read.flags.writeable


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "begins with nothing"),
        (b"\x00\x00\x08", "not an IDX file of unsigned bytes"),
        (b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47"),
        (struct.pack(">HBBI", 0, 0x0D, 1, 1) + bytes(4), "not an IDX file of unsigned bytes"),
        (struct.pack(">HBB", 0, 8, 0) + b"x", "not an IDX file of unsigned bytes"),
        (struct.pack(">HBBI", 0, 8, 3, 2), "8 bytes .* header says"),
        (struct.pack(">HBBI", 0, 8, 1, 5) + bytes(4), "12 bytes .* header says 13"),
        (struct.pack(">HBBI", 0, 8, 1, 5) + bytes(6), "14 bytes .* header says 13"),
        (struct.pack(">HBBII", 0, 8, 2, 0xFFFFFFFF, 0xFFFFFFFF), "12 bytes .* header says"),
    ],
)
def test_a_file_of_another_format_is_told_by_what_is_wrong(
    tmp_path: Path, content: bytes, told: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError, match=told):
        files.read_idx(tmp_path / "file")


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such file"):
        files.read_idx(tmp_path / "nowhere")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(CONTENT["t10k-images-idx3-ubyte"])[:50])
    with pytest.raises(InputError, match=r"cut\.gz cannot be read"):
        files.read_idx(tmp_path / "cut.gz")


def test_who_has_no_home_has_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert files.cache_folder() == Path.home() / ".cache/fmnist"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as of an unknown uid
    assert files.cache_folder().is_absolute()
    monkeypatch.setenv("FMNIST_DATA", "~/data")
    assert files.search_path() == [Path("~/data")]
