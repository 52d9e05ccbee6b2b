"""Reading every kind of clip: how many frames, when each is shown, how long it all lasts."""

import zlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.video.frames import Reader, read
from fmnist.errors import InputError
from tests import clips


@pytest.mark.parametrize("name", clips.KINDS)
def test_every_frame_is_read_once_and_in_time(tmp_path: Path, name: str) -> None:
    make, count, seconds, is_known = clips.KINDS[name]
    reader = Reader(make(tmp_path / name))
    frames = list(reader)
    assert [frame.index for frame in frames] == list(range(count))
    assert [clips.number_of(frame.image) for frame in frames] == list(range(count))
    times = clips.VARIABLE if name.startswith("variable") else clips.TIMES[:count]
    assert [frame.seconds for frame in frames] == pytest.approx(times, abs=1e-3)
    assert reader.end_seconds == pytest.approx(seconds, abs=1e-3)
    assert reader.damaged == 0
    assert reader.size_wh == frames[0].image.shape[1::-1]
    if is_known:
        assert reader.frames_expected == count


def test_what_a_phone_trimmed_away_is_neither_read_nor_missed(tmp_path: Path) -> None:
    reader = Reader(clips.trimmed(tmp_path / "trimmed.mp4"))
    assert [clips.number_of(frame.image) for frame in reader] == list(range(10, 50))
    assert (reader.frames_expected, reader.damaged) == (40, 0)
    assert reader.end_seconds == pytest.approx(1.6)


def test_a_live_recording_does_not_tell_its_length(tmp_path: Path) -> None:
    assert Reader(clips.without_duration(tmp_path / "live.webm")).frames_expected is None


def test_the_rate_of_a_recording_that_tells_none_is_that_of_its_frames(tmp_path: Path) -> None:
    times = [0.0, *(number / 10 + 0.002 * (number % 3) for number in range(1, 30))]
    reader = Reader(clips.without_rate(tmp_path / "browser.webm", times))
    assert reader.fps == pytest.approx(10, abs=0.3)
    assert reader.frames_expected is None or abs(reader.frames_expected - 30) <= 2
    assert len(list(reader)) == 30
    assert reader.end_seconds == pytest.approx(3, abs=0.05) and reader.damaged == 0


def test_phone_video_comes_upright(tmp_path: Path) -> None:
    reader = Reader(clips.rotated(tmp_path / "phone.mp4"))
    width, height = clips.SIZE_WH
    assert reader.size_wh == (height, width)
    frames = list(reader)
    assert len(frames) == 50
    for frame in frames[::10]:
        assert clips.number_of(np.rot90(frame.image)) == frame.index


def test_reading_goes_on_after_damage_and_counts_it(tmp_path: Path) -> None:
    reader = Reader(clips.damaged(tmp_path / "damaged.mp4"))
    frames = list(reader)
    assert 1 <= reader.damaged <= 12  # how many of a hit group decode depends on FFmpeg's version
    assert len(frames) == 75 - reader.damaged
    assert reader.end_seconds == pytest.approx(3.0)
    last = frames[-1]
    assert (last.index, clips.number_of(last.image)) == (74, 74)
    assert last.seconds == pytest.approx(74 / 25, abs=1e-3)


def test_frames_that_a_container_without_index_lost_are_counted_by_their_time(
    tmp_path: Path,
) -> None:
    path = clips.clip(tmp_path / "hole.mkv")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = bytes(4096)
    path.write_bytes(data)
    reader = Reader(path)
    frames = list(reader)
    assert reader.damaged > 0
    assert len(frames) + reader.damaged == 50
    assert frames[-1].index == clips.number_of(frames[-1].image) == 49


def test_a_copy_that_broke_off_after_the_index_counts_what_is_missing(tmp_path: Path) -> None:
    path = clips.clip(tmp_path / "cut.mp4", options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    reader = Reader(path)
    count = len(list(reader))
    assert 10 < count < 50
    assert reader.damaged == 50 - count


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_a_copy_that_broke_off_is_told_where_the_length_stands_first(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"cut{suffix}"
    if suffix == ".avi":
        clips.avi(path)
    else:
        clips.clip(path, [i / 25 for i in range(75)])
    whole = Reader(path)
    assert (len(list(whole)), whole.damaged) == (75, 0)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    reader = Reader(path)
    count = len(list(reader))
    assert 10 < count < 60
    assert reader.damaged == pytest.approx(75 - count, abs=2)


def test_a_whole_file_that_lasts_longer_than_its_frames_has_lost_nothing(tmp_path: Path) -> None:
    late = clips.clip(tmp_path / "late.mkv", [2 + i / 25 for i in range(25)])
    held = clips.held(tmp_path / "held.mkv", 3.0)
    for path, count in ((late, 25), (held, 10)):
        reader = Reader(path)
        assert (len(list(reader)), reader.damaged) == (count, 0), path
    dropped = clips.avi(tmp_path / "dropped.avi")
    frames = 75 + 50  # as its header tells when the last ones were left out
    data = dropped.read_bytes()
    for mark, offset in ((b"avih", 24), (b"strh", 40)):
        start = data.index(mark) + offset
        data = data[:start] + frames.to_bytes(4, "little") + data[start + 4 :]
    dropped.write_bytes(data)
    reader = Reader(dropped)
    assert (len(list(reader)), reader.damaged) == (75, 0)


@pytest.mark.parametrize("told", ["3 seconds", "00:00:03,000000000", "180000 ms"])
def test_a_tag_may_say_anything(tmp_path: Path, told: str) -> None:
    path = clips.clip(tmp_path / "tag.mkv")
    tag = b"00:00:02.000000000"
    data = path.read_bytes()
    assert tag in data
    path.write_bytes(data.replace(tag, told.encode().ljust(len(tag), b"\0")))
    reader = Reader(path)
    assert (len(list(reader)), reader.damaged) == (50, 0)
    path.write_bytes(path.read_bytes()[:-3000])
    assert len(list(Reader(path))) < 50


def test_a_reader_can_be_read_again(tmp_path: Path) -> None:
    reader = Reader(clips.damaged(tmp_path / "damaged.mp4"))
    once = [frame.index for frame in reader]
    damaged = reader.damaged
    assert [frame.index for frame in reader] == once
    assert reader.damaged == damaged


def test_a_clip_of_noise_names_its_codec(tmp_path: Path) -> None:
    path = clips.undecodable(tmp_path / "noise.mkv")
    with pytest.raises(InputError, match=r"noise\.mkv: no frame could be decoded \(codec h264\)\."):
        list(Reader(path))


def test_what_is_neither_video_nor_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "zip.mp4").write_bytes(np.random.default_rng(0).bytes(9999))
    with pytest.raises(InputError, match="is not a video or image that can be read"):
        Reader(tmp_path / "zip.mp4")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff"])
def test_an_image_is_one_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    cv2.imwrite(str(path), clips.numbered(77))
    frames = list(read(path))
    assert len(frames) == 1
    assert frames[0].seconds == 0
    assert clips.number_of(frames[0].image) == 77


def test_a_broken_image_is_told(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), clips.numbered(1))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(
        InputError, match="no picture could be decoded. It is damaged, too large, or"
    ):
        list(read(path))


def test_an_image_of_more_pixels_than_opencv_reads_is_told(tmp_path: Path) -> None:
    size = b"".join(side.to_bytes(4, "big") for side in (40_000, 30_000))
    header = b"IHDR" + size + b"\x08\x02\x00\x00\x00"
    chunk = len(header[4:]).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + bytes(100))
    with pytest.raises(
        InputError, match="no picture could be decoded. It is damaged, too large, or"
    ):
        list(Reader(tmp_path / "large.png"))


def test_a_stream_without_times_runs_at_its_rate(tmp_path: Path) -> None:
    frames = list(read(clips.clip(tmp_path / "raw.h264")))
    assert [clips.number_of(frame.image) for frame in frames] == list(range(50))
    assert [frame.seconds for frame in frames] == pytest.approx(clips.TIMES, abs=1e-3)


def test_a_clip_behind_another_goes_on_where_that_ended(tmp_path: Path) -> None:
    once = clips.clip(tmp_path / "once.ts").read_bytes()
    (tmp_path / "twice.ts").write_bytes(once * 2)
    times = [frame.seconds for frame in read(tmp_path / "twice.ts")]
    steps = np.diff(times)
    assert len(times) > 90 and steps.min() > 0.03 and times[-1] == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_pictures_that_stand_for_minutes_are_all_read(tmp_path: Path, suffix: str) -> None:
    times = (0, 1, 100, 200, 201)
    reader = Reader(clips.rare(tmp_path / f"slides.{suffix}", times))
    assert [frame.seconds for frame in reader] == pytest.approx(times, abs=0.03)
    assert reader.damaged == 0


def test_pictures_one_behind_the_other_are_a_video(tmp_path: Path) -> None:
    jpegs = [cv2.imencode(".jpg", clips.numbered(number))[1].tobytes() for number in range(20)]
    (tmp_path / "camera.mjpeg").write_bytes(b"".join(jpegs))
    assert [clips.number_of(f.image) for f in read(tmp_path / "camera.mjpeg")] == list(range(20))
    bright = b"FRAME\n" + bytes([235]) * (192 * 128) + bytes([128]) * (192 * 64)
    (tmp_path / "bright.y4m").write_bytes(b"YUV4MPEG2 W192 H128 F25:1 C420jpeg\n" + 3 * bright)
    assert len(list(read(tmp_path / "bright.y4m"))) == 3


@pytest.mark.parametrize(
    ("aspect", "size_wh"),
    [("64/45", (273, 128)), ("3/2", (288, 128)), ("1/2", (192, 256)), ("1000", clips.SIZE_WH)],
)
def test_pixels_become_square(tmp_path: Path, aspect: str, size_wh: tuple[int, int]) -> None:
    reader = Reader(clips.anamorphic(tmp_path / "dvd.mp4", Fraction(aspect)))
    assert reader.size_wh == size_wh
    frames = list(reader)
    assert all(frame.image.shape[1::-1] == size_wh for frame in frames)
    back = [np.asarray(cv2.resize(frame.image, clips.SIZE_WH), np.uint8) for frame in frames]
    assert list(map(clips.number_of, back)) == [0, 1, 2, 3, 4]


def test_pixels_of_a_turned_clip_become_square(tmp_path: Path) -> None:
    reader = Reader(clips.rotated(tmp_path / "phone.mp4", clips.anamorphic))
    assert reader.size_wh == (128, 288)
    assert next(iter(reader)).image.shape[:2] == (288, 128)


def test_the_last_picture_of_a_gif_stays_as_long_as_it_says(tmp_path: Path) -> None:
    reader = Reader(clips.gif(tmp_path / "x.gif"))
    assert [frame.seconds for frame in reader] == pytest.approx([0.0, 0.5], abs=0.01)
    assert reader.end_seconds == pytest.approx(2.5, abs=0.01)
