"""Recordings: as long as what was shown, and under names that are free."""

from pathlib import Path

import cv2
import pytest

from detector.adjustable import Adjustable
from detector.live.recording import Recording, free_name
from detector.live.window import Window
from detector.video.newest import Newest
from fmnist.errors import InputError
from tests import clips
from tests.live_window import two_garments


def test_pictures_last_as_long_as_they_were_shown(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "x.mp4", 25)
    times = (7.0, 7.04, 7.5, 9.0)
    for number, seconds in enumerate(times):
        recording.write(clips.numbered(number), seconds)
    recording.finish()
    recording.finish()
    assert recording.is_written
    assert [clips.number_of(image) for image in clips.frames_in(recording.path)] == [0, 1, 2, 3]
    assert clips.seconds_of(recording.path) == pytest.approx(2.04)


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "x.mp4", 25)
    recording.finish()
    assert not recording.is_written and not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    assert free_name(".png", tmp_path).name == "fmnist-001.png"
    (tmp_path / "fmnist-001.png").touch()
    assert free_name(".png", tmp_path).name == "fmnist-002.png"
    assert free_name(".mp4", tmp_path).name == "fmnist-001.mp4"


@pytest.mark.parametrize("fits", [True, False])
def test_what_fitted_on_a_full_disk_is_listed_and_the_window_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: bool
) -> None:
    finish = Recording.finish
    path = tmp_path / "x.mp4"

    def full(recording: Recording) -> None:
        finish(recording)
        if not fits:
            path.unlink()
        raise InputError("the disk is full")

    closed: list[bool] = []
    monkeypatch.setattr(Recording, "finish", full)
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: closed.append(True))
    window = Window(Newest([]), Adjustable(lambda _: two_garments, 0.25), record=path)
    with pytest.raises(InputError, match="the disk is full"), window._open():
        assert window._recording
        window._recording.write(clips.numbered(0), 0.0)
    assert window.written == ([path] if fits else []) and closed == [True]
