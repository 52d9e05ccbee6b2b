"""The newest frame: nobody waits behind old ones, and nothing is lost where all are wanted."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.video.cameras import Camera
from detector.video.frames import Frame, Reader
from detector.video.newest import Newest, at_own_speed, frames_of, open_source
from fmnist.errors import InputError
from tests import clips, mjpeg
from tests.display import wait_until

PATIENCE = 60.0


def frame(index: int) -> Frame:
    return Frame(np.full((2, 2, 3), index, np.uint8), index / 25, index, "test")


def taken_from(newest: Newest) -> list[int]:
    """The indices of all that is still to come."""
    indices = []
    while not newest.is_over:
        if taken := newest.take(PATIENCE):
            indices.append(taken[0].index)
    return indices


def test_only_the_newest_frame_waits() -> None:
    more = threading.Event()
    read = []

    def frames() -> Iterator[Frame]:
        for index in range(100):
            yield frame(index)
            read.append(index)
        more.wait()
        yield frame(100)

    newest = Newest(frames())
    wait_until(lambda: len(read) == 100)
    before = time.monotonic()
    taken = newest.take(PATIENCE)
    assert taken is not None and taken[0].index == 99
    assert taken[1] <= before
    assert newest.take(0) is None and not newest.is_over
    more.set()
    assert taken_from(newest) == [100]
    assert newest.fps > 0


def test_every_frame_is_kept_for_who_wants_all() -> None:
    assert taken_from(Newest(map(frame, range(50)), every=True)) == list(range(50))


def test_what_reading_raises_comes_after_the_last_frame() -> None:
    def frames() -> Iterator[Frame]:
        yield frame(0)
        raise InputError("unplugged")

    newest = Newest(frames(), every=True)
    taken = newest.take(PATIENCE)
    assert taken is not None and taken[0].index == 0
    wait_until(lambda: not newest._thread.is_alive())
    assert not newest.is_over  # who asks this first hears of it, too
    with pytest.raises(InputError, match="unplugged"):
        newest.take(PATIENCE)
    assert newest.is_over


def test_closing_ends_the_thread_and_the_source() -> None:
    ended = threading.Event()

    def frames() -> Iterator[Frame]:
        try:
            for index in range(10**9):
                yield frame(index)
        finally:
            ended.set()

    for every in (False, True):
        ended.clear()
        newest = Newest(frames(), every)
        newest.take(PATIENCE)
        newest.close()
        assert ended.wait(PATIENCE)


def test_a_file_that_is_paused_waits() -> None:
    running, closed = threading.Event(), threading.Event()
    frames = at_own_speed(map(frame, range(3)), lambda: 0, running, closed)
    newest = Newest(frames, every=True, running=running, closed=closed)
    newest.pause(True)
    while (taken := newest.take(0.2)) is not None:
        assert taken[0].index < 2  # the one that was on its way
    assert not newest.is_over
    newest.pause(False)
    assert taken_from(newest)[-1] == 2


def test_a_file_plays_no_faster_than_it_should() -> None:
    running, closed = threading.Event(), threading.Event()
    running.set()
    start = time.monotonic()
    for shown in at_own_speed(map(frame, range(10)), lambda: 0.5, running, closed):
        assert time.monotonic() - start >= shown.seconds
    assert time.monotonic() - start >= 0.5, "the last one has its time, too"


def test_a_file_whose_picture_stands_can_be_closed(tmp_path: Path) -> None:
    newest = Newest.of(Reader(clips.held(tmp_path / "held.mp4", 3600.0, frames=1)))
    assert newest.take(PATIENCE) and not newest.is_over
    newest.close()
    wait_until(lambda: newest.is_over)


def test_a_file_gives_every_frame_and_a_stream_the_newest(tmp_path: Path) -> None:
    path = clips.clip(tmp_path / "clip.mp4")
    assert isinstance(open_source(path), Reader)
    assert [clips.number_of(f.image) for f in frames_of(open_source(path))] == list(range(50))
    network_camera = mjpeg.Camera()
    try:
        frames = frames_of(open_source(network_camera.url))
        numbers = []
        for shown in frames:
            numbers.append(clips.number_of(shown.image))
            wait_until(lambda: network_camera.number >= numbers[-1] + 5)
            if len(numbers) == 4:
                break
        frames.close()  # type: ignore[attr-defined]
        assert all(later - sooner >= 4 for sooner, later in zip(numbers, numbers[1:], strict=False))
        assert isinstance(open_source(network_camera.url), Camera)
    finally:
        network_camera.close()
