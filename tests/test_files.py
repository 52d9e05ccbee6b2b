"""The four files: looked for, checked, read, and fetched from real servers on this machine."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from fmnist import files
from fmnist.errors import InputError

CONTENT = {
    name: struct.pack(">HBBI", 0, 8, 1, 40_000) + bytes([index]) + bytes(range(250)) * 160
    for index, name in enumerate(files.FILES)
}
CONTENT = {name: content[: 8 + 40_000] for name, content in CONTENT.items()}


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four small files of known MD5 in the place of the real ones."""
    sums = {name: hashlib.md5(content).hexdigest() for name, content in CONTENT.items()}
    for name, md5 in sums.items():
        monkeypatch.setitem(files.FILES, name, md5)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests see neither the settings nor the data sets of the machine that runs them."""
    monkeypatch.delenv("FMNIST_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "DEBIAN_FOLDER", tmp_path / "debian")


def place(folder: Path, compressed: bool = True) -> Path:
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


# Looking


def test_the_first_folder_that_holds_all_four_is_found_packed_or_not(tmp_path: Path) -> None:
    assert files.find(place(tmp_path / "packed")) == tmp_path / "packed"
    assert files.find(place(tmp_path / "plain", compressed=False)) == tmp_path / "plain"
    cache = place(files.cache_folder())
    assert files.find() == cache
    debian = place(tmp_path / "debian")
    assert files.find() == debian
    (debian / "t10k-labels-idx1-ubyte.gz").unlink()
    assert files.find() == cache


def test_a_folder_that_the_user_names_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(files.cache_folder())
    monkeypatch.setenv("FMNIST_DATA", str(place(tmp_path / "named")))
    assert files.find() == tmp_path / "named"
    assert files.search_path(tmp_path / "given") == [tmp_path / "given"]
    with pytest.raises(InputError, match="given: no such folder"):
        files.find(tmp_path / "given")
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "mistyped"))
    with pytest.raises(InputError, match="mistyped: no such folder"):
        files.find()


def test_missing_data_is_told_with_places_files_and_remedies(tmp_path: Path) -> None:
    cache = place(files.cache_folder())
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
    assert files.cache_folder() == Path.home() / ".cache" / "fmnist" / "fashion-mnist"


# Checking


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("compressed", [True, False])
def test_whole_files_verify(tmp_path: Path, compressed: bool) -> None:
    files.verify(place(tmp_path / "data", compressed))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


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


def test_the_real_files_verify(fashion_mnist: Path) -> None:
    files.verify(fashion_mnist)


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


# Fetching


class Mirror(ThreadingHTTPServer):
    """A mirror on this machine; its flaws are attributes, its log holds (path, Range, status)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = {f"/{name}.gz": gzip.compress(body) for name, body in CONTENT.items()}
        self.ranges = True  # answers Range requests
        self.dies_after: int | None = None  # bytes of a body after which the connection ends
        self.hangs = False
        self.log: list[tuple[str, str | None, int]] = []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        mirror, wanted = self.server, self.headers["Range"]
        if mirror.hangs:
            mirror.released.wait(30)
            return
        body, status = mirror.content.get(self.path), 200
        if body is None:
            self._answer(404, b"")
            return
        if wanted and mirror.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < len(body) else 416
            body = body[start:]
        self._answer(status, body)

    def _answer(self, status: int, body: bytes) -> None:
        self.server.log.append((self.path, self.headers["Range"], status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.dies_after])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def mirrors() -> Iterator[tuple[Mirror, Mirror]]:
    pair = Mirror(), Mirror()
    yield pair
    for mirror in pair:
        mirror.released.set()
        mirror.shutdown()
        mirror.server_close()


def silent(url: str, done: int, total: int | None) -> None:
    """A report that nobody reads."""


def download(folder: Path, *mirrors: Mirror) -> None:
    files.download(folder, silent, [mirror.url for mirror in mirrors], timeout=5.0)


@pytest.mark.usefixtures("small_files")
def test_a_download_is_found_verifies_and_reads(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    folder = files.search_path()[-1]
    reports: list[tuple[str, int, int | None]] = []
    files.download(folder, lambda *report: reports.append(report), [first.url, second.url])
    files.verify(files.find())
    for name, content in CONTENT.items():
        assert files.read_idx(folder / name).tobytes() == content[8:]
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{n}.gz" for n in CONTENT)
    for path, body in first.content.items():
        assert reports[-1][2] is not None
        assert (first.url + path[1:], len(body), len(body)) in reports
    assert not second.log

    requests = len(first.log)
    download(folder, first)
    assert len(first.log) == requests, "whole files are not fetched again"
    cut(folder / "t10k-images-idx3-ubyte.gz")
    download(folder, first)
    assert len(first.log) == requests + 1, "a damaged file is"
    files.verify(folder)


@pytest.mark.usefixtures("small_files")
def test_a_mirror_that_dies_half_way_is_carried_on_by_the_other(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    first.dies_after = 60
    download(tmp_path, first, second)
    files.verify(tmp_path)
    assert {(wanted, status) for _, wanted, status in second.log} == {("bytes=60-", 206)}


@pytest.mark.usefixtures("small_files")
def test_an_interrupted_download_goes_on_in_the_next_call(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    first.dies_after = 30
    with pytest.raises(InputError, match="connection ended after 60 of") as caught:
        download(tmp_path, first)
    assert "run it again" in str(caught.value)
    assert [path.stat().st_size for path in tmp_path.glob("*.part")] == [60]
    download(tmp_path, second)
    files.verify(tmp_path)
    assert [wanted for _, wanted, _ in second.log] == ["bytes=60-", None, None, None]


@pytest.mark.usefixtures("small_files")
def test_a_mirror_without_ranges_starts_anew(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    first.dies_after, second.ranges = 60, False
    download(tmp_path, first, second)
    files.verify(tmp_path)
    assert {status for _, _, status in second.log} == {200}


@pytest.mark.usefixtures("small_files")
def test_a_wrong_sum_is_refused_and_the_other_mirror_asked(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    first.content = {path: gzip.compress(b"other") for path in first.content}
    with pytest.raises(InputError, match="MD5 of what it sent is wrong"):
        download(tmp_path, first)
    assert not list(tmp_path.iterdir()), "nothing wrong stays"
    download(tmp_path, first, second)
    files.verify(tmp_path)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("size", [10, 100_000])
def test_a_part_of_another_file_costs_one_fresh_start(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror], size: int
) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz.part").write_bytes(bytes(size))
    download(tmp_path, mirrors[0])
    files.verify(tmp_path)


@pytest.mark.usefixtures("small_files")
def test_mirrors_that_hang_or_are_gone_are_passed_over(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    first.hangs = True
    files.download(tmp_path, silent, ["http://127.0.0.1:9/", first.url, second.url], timeout=0.2)
    files.verify(tmp_path)


def test_when_all_mirrors_fail_each_is_told_with_its_reason(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    mirrors[0].content = {}
    with pytest.raises(InputError) as caught:
        files.download(tmp_path, silent, ["http://127.0.0.1:9/", mirrors[0].url], timeout=5.0)
    assert "http://127.0.0.1:9/: Connection refused" in str(caught.value)
    assert f"{mirrors[0].url}: HTTP 404" in str(caught.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory.*--data-dir"):
        files.download(tmp_path / "file" / "data", silent, [])
