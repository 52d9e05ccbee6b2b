"""What OpenCV alone gets wrong is read like any other video.

It finds no frame of AV1, hands out memory that nobody wrote for interlaced ones, mirrors nothing,
and keeps the first size of a stream.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.video.frames import Reader
from tests import clips

FIELDS = {"flags": "+ilme+ildct"}


@pytest.mark.parametrize(
    ("name", "codec", "options", "size_wh"),
    [
        ("camcorder.mp4", "libx264", {"x264-params": "tff=1"}, clips.SIZE_WH),
        ("avchd.ts", "libx264", {"x264-params": "bff=1"}, clips.SIZE_WH),
        ("dvb.ts", "mpeg2video", FIELDS, clips.SIZE_WH),
        ("dvd.mpg", "mpeg2video", FIELDS, clips.SIZE_WH),
        ("old.avi", "mpeg4", FIELDS, clips.SIZE_WH),
        ("tape.avi", "dvvideo", {}, (720, 576)),  # its header does not tell
    ],
)
def test_every_frame_is_read_once_and_in_time(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], size_wh: tuple[int, int]
) -> None:
    reader = Reader(clips.interlaced(tmp_path / name, codec, options, size_wh))
    frames = list(reader)
    assert [clips.number_of(frame.image) for frame in frames] == list(range(25))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 25 for i in range(25)])
    # DV's pixels are 16/15 as wide as they are high: they become square.
    shown_wh = (768, 576) if codec == "dvvideo" else size_wh
    assert (reader.damaged, reader.size_wh) == (0, shown_wh)
    assert reader.end_seconds == pytest.approx(1)
    for frame in frames:
        expected = cv2.resize(clips.numbered(frame.index, size_wh), shown_wh)
        assert abs(frame.image.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("name", ["web.webm", "screen.mkv", "phone.mp4"])
def test_every_frame_of_av1_is_read_once_and_in_time(tmp_path: Path, name: str) -> None:
    times = clips.VARIABLE if name == "screen.mkv" else clips.TIMES
    reader = Reader(clips.clip(tmp_path / name, times, codec="libsvtav1"))
    frames = list(reader)
    assert [clips.number_of(frame.image) for frame in frames] == list(range(len(times)))
    assert [frame.seconds for frame in frames] == pytest.approx(times, abs=0.001)
    assert (reader.damaged, reader.size_wh) == (0, clips.SIZE_WH)
    for frame in frames:
        assert abs(frame.image.astype(int) - clips.numbered(frame.index)).mean() < 12


def test_a_recording_may_become_interlaced_midway(tmp_path: Path) -> None:
    film = clips.interlaced(tmp_path / "film.ts", options={"x264-params": "keyint=12"})
    news = clips.interlaced(tmp_path / "news.ts")
    (tmp_path / "x.ts").write_bytes(film.read_bytes() + news.read_bytes())
    reader = Reader(tmp_path / "x.ts")
    assert [clips.number_of(frame.image) for frame in reader] == [*range(25), *range(25)]
    assert reader.end_seconds == pytest.approx(2, abs=0.1)


def test_two_fields_become_one_picture(tmp_path: Path) -> None:
    """Nothing of the comb that two moments, line by line, have at each edge that moves."""

    def comb(image: np.ndarray) -> float:
        rows = image[40:].astype(int)
        return float(abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())

    frames = list(Reader(clips.interlaced(tmp_path / "x.mp4", between=1)))
    woven = clips.numbered(10)
    woven[1::2] = clips.numbered(11)[1::2]
    assert comb(frames[10].image) < 0.3 * comb(woven)


@pytest.mark.parametrize(
    "make", [clips.interlaced, partial(clips.clip, times=clips.TIMES[:25], codec="libsvtav1")]
)
def test_it_comes_upright(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    reader = Reader(clips.rotated(tmp_path / "x.mp4", make))
    frames = list(reader)
    assert reader.size_wh == frames[0].image.shape[1::-1] == clips.SIZE_WH[::-1]
    assert [clips.number_of(np.rot90(frame.image)) for frame in frames] == list(range(25))


@pytest.mark.parametrize(
    ("matrix", "undone"),
    [
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda image: np.rot90(image, 2).transpose(1, 0, 2)),
    ],
)
@pytest.mark.parametrize("make", [clips.clip, clips.interlaced])
def test_what_is_stored_mirrored_is_not_seen_so(
    tmp_path: Path,
    make: Callable[[Path], Path],
    matrix: tuple[int, int, int, int],
    undone: Callable[[np.ndarray], np.ndarray],
) -> None:
    """OpenCV turns it, by an angle that a mirror does not have."""
    reader = Reader(clips.rotated(tmp_path / "x.mp4", make, matrix))
    frames = list(reader)
    assert {frame.image.shape[1::-1] for frame in frames} == {reader.size_wh}
    numbers = [clips.number_of(undone(frame.image)) for frame in frames]
    assert numbers == list(range(len(frames))) and len(frames) >= 25


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_a_phone_may_be_turned_while_a_browser_records(tmp_path: Path, codec: str) -> None:
    """OpenCV would squeeze what follows into the size that came first."""
    frames = list(Reader(clips.turned_midway(tmp_path / "x.webm", codec)))
    assert [clips.number_of(frame.image) for frame in frames] == list(range(24))
    sizes = [frame.image.shape[1::-1] for frame in frames]
    assert sizes == 12 * [clips.SIZE_WH] + 12 * [clips.SIZE_WH[::-1]]


def test_a_call_that_saves_data_meanwhile_keeps_its_size(tmp_path: Path) -> None:
    """A smaller picture of the same shape is enlarged again, as OpenCV does."""
    half = (clips.SIZE_WH[0] // 2, clips.SIZE_WH[1] // 2)
    frames = list(Reader(clips.turned_midway(tmp_path / "x.webm", second_wh=half)))
    assert {frame.image.shape[1::-1] for frame in frames} == {clips.SIZE_WH}
    assert [clips.number_of(frame.image) for frame in frames] == list(range(24))


def test_reading_goes_on_after_damage_and_counts_it(tmp_path: Path) -> None:
    path = clips.interlaced(tmp_path / "x.mp4", options={"x264-params": "tff=1:keyint=5:bframes=0"})
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + len(data) // 2
    data[start : start + 1500] = bytes(1500)
    path.write_bytes(data)
    reader = Reader(path)
    frames = list(reader)
    assert reader.damaged >= 1 and len(frames) + reader.damaged == 25
    assert clips.number_of(frames[-1].image) == frames[-1].index == 24


def test_a_broadcast_may_change_the_shape_of_its_pixels(tmp_path: Path) -> None:
    """A frame or two may come early: the decoder looks ahead."""
    narrow = clips.anamorphic(tmp_path / "narrow.ts", Fraction(16, 15), 25)
    wide = clips.anamorphic(tmp_path / "wide.ts", Fraction(64, 45), 25)
    (tmp_path / "x.ts").write_bytes(narrow.read_bytes() + wide.read_bytes())
    frames = list(Reader(tmp_path / "x.ts"))
    assert [clips.number_of(frame.image) for frame in frames] == [*range(25), *range(25)]
    sizes = [frame.image.shape[1::-1] for frame in frames]
    assert sizes == sorted(sizes) and set(sizes) == {(205, 128), (273, 128)}
    assert 20 <= sizes.count((205, 128)) <= 25


def test_what_comes_after_a_size_that_cannot_be_is_lost_and_counted(tmp_path: Path) -> None:
    path = clips.clip(tmp_path / "x.mp4", codec="libsvtav1")
    data = bytearray(path.read_bytes())
    sizes = data.index(b"stsz") + 16  # of the packets, four bytes each
    data[sizes + 40 : sizes + 44] = b"\x24\0\0\0"
    path.write_bytes(data)
    reader = Reader(path)
    frames = list(reader)
    assert [clips.number_of(frame.image) for frame in frames] == list(range(10))
    assert reader.damaged == 40
