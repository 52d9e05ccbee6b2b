"""Which files are meant, and what the user reads about those that cannot be."""

from pathlib import Path

import pytest

from detector.video.sources import check_source, expand, find_sources, is_image, is_indexed
from fmnist.errors import InputError
from tests import clips


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, so that messages hold short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_gives_its_videos_and_images_in_natural_order(desk: Path) -> None:
    for name in ("clip10.mp4", "clip2.MP4", "a.JPG", "notes.txt", ".hid.mp4", "clip2.fmnist.mp4"):
        (desk / name).touch()
    (desk / "folder.mp4").mkdir()
    names = [path.name for path in expand(str(desk))]
    assert names == ["a.JPG", "clip2.MP4", "clip10.mp4"]


def test_a_glob_gives_every_file_that_matches_and_a_file_itself(desk: Path) -> None:
    for name in ("b.mp4", "a.mp4", "c.mov"):
        (desk / name).touch()
    assert expand("*.mp4") == [Path("a.mp4"), Path("b.mp4")]
    assert expand("c.mov") == [Path("c.mov")]
    (desk / "a.fmnist.mp4").touch()
    assert expand("*.mp4") == [Path("a.mp4"), Path("b.mp4")]
    assert expand("*.fmnist.mp4") == expand("a.fmnist.mp4") == [Path("a.fmnist.mp4")]
    (desk / "odd[1].mp4").touch()
    assert expand("odd[1].mp4") == [Path("odd[1].mp4")]


def test_a_result_beside_what_it_is_of_is_left_out(desk: Path) -> None:
    """As a shell names them for *.mp4, the second time."""
    names = ["a.fmnist.mp4", "a.mov", "a.mov.fmnist.mp4", "b.fmnist.mp4"]
    for name in names:
        clips.clip(desk / "clip.mp4", [0.0]).rename(desk / name)
    assert find_sources(names, []) == [Path("a.mov"), Path("b.fmnist.mp4")]


def test_a_name_that_begins_with_a_tilde_is_a_file_and_nobodys_home(desk: Path) -> None:
    (desk / "~backup.mp4").touch()
    assert expand("~backup.mp4") == [Path("~backup.mp4")]
    assert expand("~nobody.of.this.name/x.mp4") == [Path("~nobody.of.this.name/x.mp4")]
    assert expand("~/x.mp4") == [Path.home() / "x.mp4"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("none", "none: no video or image in this folder. Name another one."),
        ("*.avi", "*.avi: no file matches. Is the pattern right?"),
        ("rtsp://me:key@cam/1", "rtsp://... is no file. Look at a stream with fmnist live."),
    ],
)
def test_nothing_to_read_is_told(desk: Path, source: str, told: str) -> None:
    (desk / "none").mkdir()
    with pytest.raises(InputError) as error:
        expand(source)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("clip.mp4", "clip.mp4: no such file. Did you mean clips/clip.mp4?"),
        ("god.mp4", "god.mp4: no such file. Did you mean good.mp4?"),
        ("zzzzz", "zzzzz: no such file. Is the name right?"),
        ("0", "0: no such file. Look through camera 0 with fmnist live."),
        ("no/where/x.mp4", "no/where/x.mp4: no such file. Is the name right?"),
        ("link.mp4", "link.mp4 is a link to gone.mp4, which is not there. Restore that file."),
        ("clips", "clips is not a file. Name a file."),
        ("empty.mp4", "empty.mp4 is empty (0 bytes)."),
        ("text.mp4", "text.mp4 is not a video or image that can be read."),
        (
            "trunc.mp4",
            "trunc.mp4 is incomplete: its index (moov) is missing."
            " Was the copy or recording interrupted?",
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(desk: Path, name: str, told: str) -> None:
    (desk / "clips").mkdir()
    (desk / "clips" / "clip.mp4").touch()
    (desk / "good.mp4").touch()
    (desk / "empty.mp4").touch()
    (desk / "link.mp4").symlink_to("gone.mp4")
    (desk / "text.mp4").write_text("Ein Text, mit Umlauten: äöü.\n" * 99, encoding="utf-8")
    clips.truncated(desk / "trunc.mp4")
    with pytest.raises(InputError) as error:
        check_source(Path(name))
    assert str(error.value) == told


def test_a_name_or_folder_that_is_no_utf_8_is_told(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"/bad\\udcff\.mp4': this name is no UTF-8\. Rename it\."):
        check_source(Path("bad\udcff.mp4"))
    (desk / "bad\udcff").mkdir()
    monkeypatch.chdir(desk / "bad\udcff")
    clips.clip(desk / "good.mp4").rename("good.mp4")
    with pytest.raises(InputError, match=r"/bad\\udcff/good\.mp4': this name is no UTF-8"):
        check_source(Path("good.mp4"))


def test_a_good_clip_passes_and_is_no_image(desk: Path) -> None:
    path = clips.clip(desk / "good.mp4")
    check_source(path)
    assert is_indexed(path)
    assert not is_image(path)
    assert not is_indexed(clips.clip(desk / "good.mkv"))
