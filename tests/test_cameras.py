"""Cameras and streams: what is told when there is none, and what happens when one stops."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from detector.video import cameras
from detector.video.cameras import Camera, _StreamClock, list_cameras, read_source, source_name
from fmnist.errors import InputError
from tests import clips, mjpeg
from tests.display import wait_until

QUICK = (0.05, 0.1, 0.2)
NO_CAMERA = 63  # nobody has so many


@pytest.fixture
def network_camera() -> Iterator[mjpeg.Camera]:
    camera = mjpeg.Camera()
    yield camera
    camera.close()


def test_a_recording_behind_a_url_is_seen_once_and_at_its_own_speed(tmp_path: Path) -> None:
    clips.clip(tmp_path / "clip.mp4")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/clip.mp4"
        seen = list(Camera(url, waits=QUICK))
        server.shutdown()
    assert [clips.number_of(frame.image) for frame in seen] == list(range(50))
    late = [frame.seconds - seen[0].seconds - frame.index / clips.FPS for frame in seen]
    assert min(late) > -0.01, "none before its time"


def test_a_number_is_a_camera_a_url_a_stream_and_the_rest_a_file(tmp_path: Path) -> None:
    path = clips.clip(tmp_path / "clip.mp4", [0])
    assert read_source("2") == 2
    assert read_source("rtsp://host/1") == "rtsp://host/1"
    assert read_source(str(path)) == path
    with pytest.raises(InputError, match="no such file"):
        read_source("no.mp4")
    with pytest.raises(InputError, match="99999999999: no camera has such a number"):
        read_source("99999999999")
    with pytest.raises(InputError, match="gopher: no such protocol. Choose from: rtsp"):
        read_source("gopher://host/1")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (3, "camera 3"),
        (Path("a?b.mp4"), "a?b.mp4"),
        ("rtsp://me:se@cret@host:554/live", "rtsp://host:554"),
        ("rtsp://me:secret@host:554/live", "rtsp://host:554"),
        ("rtsp://me:se/cret@host:554/live", "rtsp://..."),
        ("rtsp://me:s@e/cret@host", "rtsp://..."),
        ("rtsp://me:se?cret@host", "rtsp://..."),
        ("rtsp://me:se#cret@host", "rtsp://..."),
        ("rtsp://host/user=admin_password=secret_channel=1.sdp", "rtsp://host"),
        ("http://[::1]:80/x.mjpg?user=me&pwd=secret", "http://[::1]:80"),
        ("http://host", "http://host"),
    ],
)
def test_a_message_names_the_source_without_its_password(source: cameras.Source, name: str) -> None:
    assert source_name(source) == name


def test_no_camera_is_told_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(cameras, "V4L", tmp_path)
    with pytest.raises(InputError, match=r"camera 63 cannot be opened\. Found: none\. Is it"):
        Camera(NO_CAMERA)
    # As Linux lists them: a camera has a second node, for its metadata.
    for node, index in (("video0", "0"), ("video1", "1"), ("video10", "0")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"Camera of {node}\n")
    assert list_cameras() == {0: "Camera of video0", 10: "Camera of video10"}
    with pytest.raises(InputError, match=r"Found: 0 \(Camera of video0\), 10 \(Camera of"):
        Camera(NO_CAMERA)


def test_frames_of_a_stream_come_with_the_time_of_their_arrival(
    network_camera: mjpeg.Camera,
) -> None:
    before = time.monotonic()
    frames = list(itertools.islice(Camera(network_camera.url), 5))
    passed = time.monotonic() - before
    numbers = [clips.number_of(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert [frame.index for frame in frames] == list(range(5))
    seconds = [frame.seconds for frame in frames]
    assert 0 < seconds[0] < seconds[-1] < passed and seconds == sorted(seconds)
    assert "secret" not in frames[0].source


def test_a_stream_that_hangs_up_is_tried_again(network_camera: mjpeg.Camera) -> None:
    frames = iter(Camera(network_camera.url, waits=QUICK))
    first = next(frames)
    network_camera.is_there = False  # ends the connection
    wait_until(lambda: network_camera.watched == 0)
    network_camera.is_there = True
    number = network_camera.number
    later = next(frame for frame in frames if clips.number_of(frame.image) > number)
    assert network_camera.visits == 2
    assert later.seconds > first.seconds and later.index > first.index


def test_a_stream_that_stalls_is_tried_again(
    network_camera: mjpeg.Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "TIME_OUT_MS", 300)
    frames = iter(Camera(network_camera.url, waits=QUICK))
    next(frames)
    network_camera.sends = False

    def come_back() -> None:
        wait_until(lambda: network_camera.visits > 1)
        network_camera.sends = True

    thread = threading.Thread(target=come_back)
    thread.start()
    later = list(itertools.islice(frames, 30))
    thread.join()
    assert network_camera.visits > 1
    numbers = [clips.number_of(frame.image) for frame in later]
    assert numbers == sorted(set(numbers))


def test_one_that_accepts_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "TIME_OUT_MS", 300)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/live"
        with pytest.raises(InputError, match="cannot be opened"):
            next(iter(Camera(url, waits=())))


def test_one_that_does_not_come_back_is_given_up_without_telling_the_password(
    network_camera: mjpeg.Camera,
) -> None:
    frames = iter(Camera(network_camera.url, waits=QUICK))
    next(frames)
    network_camera.is_there = False
    with pytest.raises(InputError, match="stopped, and did not come back") as told:
        list(frames)
    assert network_camera.visits == 1 + len(QUICK)
    assert "secret" not in str(told.value)
    with pytest.raises(InputError, match=r"127\.0\.0\.1:\d+ cannot be opened\. Is it on") as told:
        Camera(network_camera.url)
    assert "secret" not in str(told.value)


def test_closing_it_ends_the_frames(network_camera: mjpeg.Camera) -> None:
    camera = Camera(network_camera.url)
    frames = iter(camera)
    next(frames)
    camera.close()
    assert list(frames) == []


def test_who_came_and_left_while_another_still_waited_does_not_hold_it(
    network_camera: mjpeg.Camera,
) -> None:
    camera = Camera(network_camera.url, waits=QUICK)
    first = iter(camera)
    next(first)
    second = iter(camera)  # waits for the first to end
    camera.close()
    first.close()  # type: ignore[attr-defined]  # it is a generator
    assert list(second) == [], "it was closed before it began"


def test_one_that_was_closed_can_be_looked_through_again(network_camera: mjpeg.Camera) -> None:
    camera = Camera(network_camera.url, waits=QUICK)
    for _ in range(2):
        frames = iter(camera)
        assert next(frames).index == 0
        camera.close()
        assert list(frames) == []
        wait_until(lambda: network_camera.watched == 0)


class Waiting(threading.Event):
    """Counts the seconds for which it should be waited, and waits for none."""

    seconds = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds += timeout or 0.0
        return False


@pytest.mark.parametrize(
    ("is_recorded", "is_hls", "is_held"),
    [(True, False, True), (False, False, False), (False, True, True)],
)
def test_recordings_are_held_until_their_time_and_cameras_never(
    is_recorded: bool, is_hls: bool, is_held: bool
) -> None:
    clock = _StreamClock(closed := Waiting())
    for seconds in (1000.0, 1006.0):
        clock.wait(seconds, is_recorded, is_hls)
    assert closed.seconds == pytest.approx(6.0 * is_held, abs=1)


def test_hls_catches_up_after_a_pause_and_a_jump_of_its_clock() -> None:
    clock = _StreamClock(closed := Waiting())
    clock.wait(0.0, False, True)
    time.sleep(0.7)
    for seconds in (0.1, 0.3, 0.6):
        clock.wait(seconds, False, True)
    assert closed.seconds == 0, "what waited comes at once"
    clock.wait(5000.0, False, True)
    assert closed.seconds < 1
