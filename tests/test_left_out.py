"""Of several sources those that cannot be read or drawn are left out, and told."""

import os
from pathlib import Path

import cv2
import pytest
from PIL import Image

from detector.detect import detect
from detector.plan import plan_outputs
from tests import clips
from tests.test_detect import lines_of, two_garments


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a picture that is well."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("z.png", clips.numbered(3))
    return tmp_path


def test_what_has_no_picture(desk: Path) -> None:
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    clips.clip(desk / "clip.mp4")
    plan = plan_outputs(["a.png", "clip.mp4", "z.png"], json="x.jsonl")
    summary = detect(plan, lambda rate, track: two_garments)
    assert [line["source"] for line in lines_of("x.jsonl")[1]][49:] == ["clip.mp4", "z.png"]
    assert summary.failed == (
        "a.png: no picture could be decoded. It is damaged, "
        "too large, or of a kind that is not read. Save it as PNG.",
    )
    written = {"clip.fmnist.mp4", "z.fmnist.png", "x.jsonl"}
    assert set(os.listdir()) == written | {"a.png", "clip.mp4", "z.png"}


def test_what_has_gone_since_it_was_planned(desk: Path) -> None:
    cv2.imwrite("a.png", clips.numbered(3))
    plan = plan_outputs(["a.png", "z.png"])
    Path("a.png").unlink()
    summary = detect(plan, lambda rate, track: two_garments)
    (told,) = summary.failed
    assert told.startswith("a.png: no such file")
    assert summary.written == (Path("z.fmnist.png"),)


def test_what_is_wider_than_h264(desk: Path) -> None:
    wide = Image.new("RGB", (16_386, 4))
    wide.save("wide.gif", save_all=True, append_images=[Image.new("RGB", wide.size, "white")])
    plan = plan_outputs(["wide.gif", "z.png"])
    summary = detect(plan, lambda rate, track: two_garments)
    assert [told.partition(",")[0] for told in summary.failed] == [
        "wide.gif is larger than H.264 can be"
    ]
    assert summary.written == (Path("z.fmnist.png"),)
    detect(plan_outputs(["wide.gif"], no_video=True), lambda rate, track: two_garments)
