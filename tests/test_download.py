"""Fetching the four files, from real servers on this machine."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist import files
from fmnist.download import MIRRORS
from fmnist.download import download as fetch
from fmnist.errors import InputError
from tests.command import fmnist
from tests.data_files import CONTENT, Mirror, cut

pytestmark = pytest.mark.usefixtures("no_environment")


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
    fetch(folder, silent, [mirror.url for mirror in mirrors], timeout=5.0)


@pytest.mark.usefixtures("small_files")
def test_a_download_is_found_verifies_and_reads(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    first, second = mirrors
    folder = files.search_path()[-1]
    reports: list[tuple[str, int, int | None]] = []
    fetch(folder, lambda *report: reports.append(report), [first.url, second.url])
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
def test_what_was_received_whole_needs_only_its_name(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    """Stopped behind its last byte: to ask for more would throw it away."""
    first, second = mirrors
    download(tmp_path, first)
    whole = tmp_path / "t10k-labels-idx1-ubyte.gz"
    whole.rename(whole.with_name(f"{whole.name}.part"))
    download(tmp_path, second)
    files.verify(tmp_path)
    assert not second.log and not list(tmp_path.glob("*.part"))


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
    fetch(tmp_path, silent, ["http://127.0.0.1:9/", first.url, second.url], timeout=1.0)
    files.verify(tmp_path)


def test_when_all_mirrors_fail_each_is_told_with_its_reason(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    mirrors[0].content = {}
    with pytest.raises(InputError) as caught:
        fetch(tmp_path, silent, ["http://127.0.0.1:9/", mirrors[0].url], timeout=5.0)
    assert "http://127.0.0.1:9/: Connection refused" in str(caught.value)
    assert f"{mirrors[0].url}: HTTP 404" in str(caught.value)


def test_the_command_fetches_and_draws_the_real_files_through_a_proxy(
    fashion_mnist: Path, tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    """The first mirror is HTTPS, where the proxy is gone; of the second one every byte comes."""
    proxy = mirrors[0]
    served = {f"{name}.gz": files.locate(fashion_mnist / name) for name in files.FILES}
    proxy.content = {MIRRORS[1] + name: packed(path) for name, path in served.items() if path}
    through = {"http_proxy": proxy.url, "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    done = fmnist("data", "--download", "-o", "out", folder=tmp_path, environment=through)
    assert done.code == 0, done.err
    assert "Ankle boot     6000   1000" in done.out
    assert [status for _, _, status in proxy.log] == [200] * 4
    files.verify(tmp_path / "no-data")  # where the environment says that the data set is
    assert (tmp_path / "out/samples.png").exists()


def packed(path: Path) -> bytes:
    """A file of the data set as it is served."""
    body = path.read_bytes()
    return body if path.suffix == ".gz" else gzip.compress(body, 1)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory.*--data-dir"):
        fetch(tmp_path / "file" / "data", silent, [])
