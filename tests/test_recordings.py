"""What the page's visitors showed, as videos: however a visit ends they can be played."""

from functools import partial
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from detector.boxes import Detections
from detector.live.recording import Recording
from detector.video.cameras import Camera
from detector.web.recordings import Recordings
from fmnist.errors import InputError
from tests import clips, mjpeg
from tests.browser import CHROMIUM, browser, camera_clip
from tests.display import wait_until
from tests.live_window import two_garments
from tests.served import answer, jpeg, served


def numbers(path: Path) -> list[int]:
    """Of the pictures in a video."""
    return [clips.number_of(image) for image in clips.frames_in(path)]


def test_each_visit_has_a_video_with_boxes_under_a_name_that_is_free(tmp_path: Path) -> None:
    (tmp_path / "x-2.mp4").write_bytes(b"an earlier one")
    recordings = Recordings(tmp_path / "x.mp4")
    with served(recordings=recordings) as server:
        with server.socket() as silent:  # takes no name
            silent.send("{}")
        with server.socket() as one, server.socket() as two:
            for number in (3, 4, 5):
                one.send(jpeg(number, (320, 240)))
                answer(one)
            two.send(jpeg(9))
            answer(two)
        wait_until(lambda: len(recordings.written) == 2)
    assert {path.name for path in recordings.written} == {"x.mp4", "x-3.mp4"}
    assert numbers(tmp_path / "x.mp4") == [3, 4, 5] and numbers(tmp_path / "x-3.mp4") == [9]
    drawn, plain = clips.frames_in(tmp_path / "x.mp4")[0], clips.numbered(3, (320, 240))
    left, top = (int(value) for value in two_garments(plain).xyxy[0, :2])
    assert abs(drawn[top + 30, left].astype(int) - plain[top + 30, left]).max() > 60
    assert (tmp_path / "x-2.mp4").read_bytes() == b"an earlier one"


def test_without_a_name_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with served() as server, server.socket() as client:
        client.send(jpeg())
        answer(client)
    assert list(tmp_path.iterdir()) == []


def test_the_servers_own_clip_is_recorded_while_somebody_watches(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "x.mp4")
    clip = clips.clip(tmp_path / "clip.mp4")

    def is_written(count: int) -> bool:
        return len(recordings.written) == count

    with served(clip=clip, recordings=recordings) as server:
        for visits in (1, 2):
            with server.socket("watch") as client:
                for _ in range(3):
                    client.send("{}")
                    answer(client)
                    client.recv(timeout=60)
            wait_until(partial(is_written, visits))
    assert [path.name for path in recordings.written] == ["x.mp4", "x-2.mp4"]
    assert all(len(numbers(path)) >= 3 for path in recordings.written)


def test_a_camera_that_is_pulled_leaves_a_video_and_is_seen_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    recordings, network = Recordings(tmp_path / "x.mp4"), mjpeg.Camera()

    def look(client: ClientConnection) -> str:
        client.send("{}")
        told = answer(client)
        if "error" not in told:
            assert len(told["boxes"]) == 2
            client.recv(timeout=60)
        return str(told.get("error", ""))

    try:
        camera = Camera(network.url, waits=(0.2, 0.2))
        with served(recordings=recordings, camera=camera) as server:
            with server.socket("watch") as client:
                assert [look(client) for _ in range(3)] == [""] * 3
                network.is_there = False
                wait_until(lambda: "did not come back" in look(client))
                wait_until(lambda: bool(recordings.written))
            network.is_there = True
            with server.socket("watch") as client:
                assert look(client) == ""
    finally:
        network.close()
    assert len(numbers(tmp_path / "x.mp4")) >= 3


def test_a_visit_that_the_servers_end_cuts_off_is_kept(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "x.mp4")
    with served(recordings=recordings) as server:
        client = server.socket()
        client.send(jpeg(6))
        answer(client)
    assert recordings.written == [tmp_path / "x.mp4"] and numbers(tmp_path / "x.mp4") == [6]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_that_is_killed_leaves_a_video(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "x.mp4")
    camera = camera_clip(tmp_path / "c.y4m", [clips.numbered(i, (320, 240)) for i in range(15)])
    with served(recordings=recordings) as server:
        with browser(tmp_path / "profile", camera) as page:
            page.open(server.url)
            page.wait("!document.querySelector('#records').hidden")
            assert "which records them" in page.value("document.body.textContent")
            page.click("#camera")
            page.wait("window.fmnist.statistics().frames > 5")
            page.kill()
        wait_until(lambda: bool(recordings.written))
    assert len(numbers(tmp_path / "x.mp4")) > 5


@pytest.mark.parametrize("fails", ["write", "finish"])
@pytest.mark.parametrize("error", [InputError("the disk is full"), OSError("the disk is full")])
def test_a_video_that_fails_does_not_end_the_visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, error: Exception
) -> None:
    def full(*_: object) -> None:
        raise error

    told: list[str] = []
    recordings = Recordings(tmp_path / "x.mp4", told.append)
    with served(recordings=recordings) as server, server.socket() as client:
        client.send(jpeg(1))
        answer(client)
        monkeypatch.setattr(Recording, fails, full)
        for number in (2, 3):
            client.send(jpeg(number))
            assert len(answer(client)["boxes"]) == 2
    assert len(told) == 1 and "the disk is full" in told[0]
    assert [numbers(path) for path in recordings.written] == ([[1]] if fails == "write" else [])


def test_a_folder_that_is_gone_is_told_and_the_visit_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    recordings = Recordings(tmp_path / "gone" / "x.mp4", told.append)
    with served(recordings=recordings) as server, server.socket() as client:
        for number in (1, 2):
            client.send(jpeg(number))
            assert len(answer(client)["boxes"]) == 2
    assert len(told) == 1 and told[0].startswith("A recording ended: ")
    assert recordings.written == []


def test_a_picture_that_no_encoder_takes_is_recorded_smaller(tmp_path: Path) -> None:
    recorder = Recordings(tmp_path / "x.mp4").begin(0.5)
    assert recorder
    for size_wh in ((20_000, 100), (3, 40_000)):
        recorder.write(clips.numbered(1, size_wh), Detections.empty())
    recorder.finish()
    assert [image.shape[:2] for image in clips.frames_in(tmp_path / "x.mp4")] == [(6, 1280)] * 2


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_video_is_replaced_only_where_that_is_wished(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "x.mp4").write_bytes(b"an earlier one")
    recordings = Recordings(tmp_path / "x.mp4", overwrite=overwrite)
    recorder = recordings.begin(0.5)
    assert recorder
    recorder.write(clips.numbered(1), Detections.empty())
    recordings.finish()
    assert [path.name for path in recordings.written] == ["x.mp4" if overwrite else "x-2.mp4"]


def test_a_picture_after_the_end_is_dropped(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "x.mp4")
    recorder = recordings.begin(0.5)
    assert recorder
    recorder.write(clips.numbered(1), Detections.empty())
    recordings.finish()
    recorder.write(clips.numbered(2), Detections.empty())
    recorder.finish()
    assert numbers(tmp_path / "x.mp4") == [1]
