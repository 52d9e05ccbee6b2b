"""Where results go, and what is refused before anything is read."""

import os
from pathlib import Path

import cv2
import pytest

from detector.plan import plan_outputs
from fmnist.checks import LONGEST_NAME
from fmnist.errors import InputError
from tests import clips


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a clip, a photo and an earlier result."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    clips.clip(tmp_path / "in" / "clip.mkv")
    cv2.imwrite("in/photo.jpg", clips.numbered(1))
    Path("taken.mp4").touch()
    return tmp_path


def test_results_go_to_the_current_directory_by_default(desk: Path) -> None:
    plan = plan_outputs(["in"], json="-")
    assert plan.sources == (Path("in/clip.mkv"), Path("in/photo.jpg"))
    assert plan.outputs == (Path("clip.fmnist.mp4"), Path("photo.fmnist.jpg"))
    assert plan.json == Path("-")


@pytest.mark.parametrize(
    ("sources", "output", "outputs"),
    [
        (["in/clip.mkv"], "x.mp4", ["x.mp4"]),
        (["in/photo.jpg"], "x.png", ["x.png"]),
        (["in/clip.mkv"], "new", ["new/clip.fmnist.mp4"]),
        (["in/clip.mkv"], "in", ["in/clip.fmnist.mp4"]),
        (["in"], "new.d", ["new.d/clip.fmnist.mp4", "new.d/photo.fmnist.jpg"]),
        (["in/clip.mkv", "in/*.mkv"], "x.mp4", ["x.mp4"]),
    ],
)
def test_an_output_is_a_file_or_a_folder(
    desk: Path, sources: list[str], output: str, outputs: list[str]
) -> None:
    assert [str(path) for path in plan_outputs(sources, Path(output)).outputs] == outputs
    assert not Path("new").exists()


def test_names_of_results_fit_the_disk(desk: Path) -> None:
    names = [f"{'é' * 118}{number}.mkv" for number in range(3)]
    for name in names:
        clips.clip(Path("in", name), [0.0])
    outputs = plan_outputs([f"in/{name}" for name in names]).outputs
    assert len(set(outputs)) == 3
    for output in outputs:
        assert output and output.name.startswith("é" * 90) and output.name.endswith(".fmnist.mp4")
        assert len(output.name.encode()) <= LONGEST_NAME
    with pytest.raises(InputError, match=r"jsonl: this name is too long\. Choose one of"):
        plan_outputs(["in/clip.mkv"], json="x" * 240 + ".jsonl")


def test_no_video_leaves_the_lines(desk: Path) -> None:
    plan = plan_outputs(["in/clip.mkv"], no_video=True, json="x.jsonl")
    assert plan.outputs == (None,)
    assert plan.json == Path("x.jsonl")


def test_without_a_video_no_folder_is_made_for_the_lines(desk: Path) -> None:
    with pytest.raises(InputError, match="out: no such folder"):
        plan_outputs(["in/clip.mkv"], json="out/x.jsonl", no_video=True)
    with pytest.raises(InputError, match="Nothing is written to out with --no-video"):
        plan_outputs(["in/clip.mkv"], Path("out"), no_video=True)


def test_overwrite_is_needed_once_and_enough(desk: Path) -> None:
    with pytest.raises(InputError, match=r"taken\.mp4 exists\..*--overwrite"):
        plan_outputs(["in/clip.mkv"], Path("taken.mp4"))
    plan_outputs(["in/clip.mkv"], Path("taken.mp4"), overwrite=True)


@pytest.mark.parametrize(
    ("sources", "output", "json", "sheet", "told"),
    [
        ("in/photo.jpg", "in/photo.jpg", "", None, "in/photo.jpg is a source and would be lost"),
        ("in/clip.mkv", "x.mp4", "x.mp4", None, "x.mp4 would be written twice"),
        ("in/clip.mkv", "x.avi", "", None, "video is written as MP4. Name it x.mp4."),
        ("in/photo.jpg", "x.mp4", "", None, "x.mp4 is no picture's name. Name it x.png."),
        ("in/clip.mkv", "no/where/x.mp4", "", None, "no/where: no such folder"),
        ("in/clip.mkv", "no/where", "", None, "no: no such folder"),
        ("in", "taken.mp4", "", None, "taken.mp4 is a file, where results need a folder."),
        ("in", "new.mp4", "", None, "new.mp4 is one file for several sources. Name a folder."),
        ("in/clip.mkv", None, "", "sheet.txt", "a contact sheet is a picture"),
        ("in/clip.mkv", None, "in", None, "in is a folder"),
        ("none.mp4", None, "", None, "none.mp4: no such file"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_start(
    desk: Path, sources: str, output: str | None, json: str, sheet: str | None, told: str
) -> None:
    with pytest.raises(InputError) as error:
        plan_outputs(
            [sources],
            Path(output) if output else None,
            json,
            Path(sheet) if sheet else None,
            overwrite=True,
        )
    assert told in str(error.value)


def test_two_sources_of_one_stem_keep_their_suffixes(desk: Path) -> None:
    clips.clip(desk / "clip.mp4")
    clips.clip(desk / "other.mp4")
    plan = plan_outputs(["in/clip.mkv", "clip.mp4", "other.mp4"])
    names = ("clip.mkv.fmnist.mp4", "clip.mp4.fmnist.mp4", "other.fmnist.mp4")
    assert plan.outputs == tuple(map(Path, names))


def test_two_sources_of_one_name_are_told_apart_by_their_folders(desk: Path) -> None:
    for folder in ("a", "b", "c/a"):
        (desk / folder).mkdir(parents=True)
        clips.clip(desk / folder / "clip.mkv")
    plan = plan_outputs(["a/clip.mkv", "b/clip.mkv"])
    assert plan.outputs == (Path("a-clip.mkv.fmnist.mp4"), Path("b-clip.mkv.fmnist.mp4"))
    clips.clip(desk / "clip.mkv")
    here, above = plan_outputs(["a/clip.mkv", "a/../clip.mkv"]).outputs
    assert (here, above) == (
        Path("a-clip.mkv.fmnist.mp4"),
        Path(f"{desk.name}-clip.mkv.fmnist.mp4"),
    )
    here, below = plan_outputs(["a/clip.mkv", "c/a/clip.mkv"]).outputs
    assert below == Path("c-a-clip.mkv.fmnist.mp4")
    assert here == Path(f"{desk.name}-a-clip.mkv.fmnist.mp4")


def test_a_bad_file_of_a_folder_is_told_and_left_out(desk: Path) -> None:
    (desk / "in/empty.jpg").touch()
    (desk / "in/code.ts").write_text("let answer = 42;")
    for found in ("in", "in/*"):
        plan = plan_outputs([found])
        assert sorted(path.name for path in plan.sources) == ["clip.mkv", "photo.jpg"]
        told = " ".join(plan.failed)
        assert "in/empty.jpg is empty" in told and "in/code.ts is not a video or image" in told
    with pytest.raises(InputError, match="is empty"):
        plan_outputs(["in/photo.jpg", "in/empty.jpg"])
    (desk / "bad").mkdir()
    (desk / "bad/a.jpg").touch()
    for once in (["in/photo.jpg", "bad"], ["in/photo.jpg", "bad", "bad/*"]):
        assert plan_outputs(once).failed == ("bad/a.jpg is empty (0 bytes).",)
    with pytest.raises(InputError, match="is one file for several sources"):
        plan_outputs(["in/photo.jpg", "bad"], Path("x.png"))
    (desk / "bad/b.jpg").touch()
    with pytest.raises(InputError, match=r"bad/a\.jpg is empty.*bad/b\.jpg is empty"):
        plan_outputs(["bad"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_bars_writing_is_told(desk: Path) -> None:
    Path("barred").mkdir(mode=0o555)
    with pytest.raises(InputError, match="barred cannot be written"):
        plan_outputs(["in/clip.mkv"], Path("barred/x.mp4"))
