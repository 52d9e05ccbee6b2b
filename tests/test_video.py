"""Laws of the video writer: same frames, same times, same length, same sound, never half there."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from detector.pictures import can_write_image, write_image
from detector.video.disk import RESERVE_BYTES, SpareDisk
from detector.video.frames import Reader
from detector.video.writer import Writer
from fmnist.errors import InputError
from tests import clips

ROOT = Path(__file__).parent.parent


def copied(source: Path, target: Path) -> Reader:
    """Read a clip and write it again."""
    reader = Reader(source)
    with Writer(target, reader.size_wh, reader.fps, source) as writer:
        for frame in reader:
            writer.write(frame.image, frame.seconds)
        writer.finish(reader.end_seconds)
    return reader


@pytest.mark.parametrize("name", clips.KINDS)
def test_a_copy_has_the_frames_and_the_length_of_its_source(tmp_path: Path, name: str) -> None:
    make, count, seconds, _ = clips.KINDS[name]
    target = tmp_path / "copy.mp4"
    copied(make(tmp_path / name), target)
    assert [clips.number_of(image) for image in clips.frames_in(target)] == list(range(count))
    assert clips.seconds_of(target) == pytest.approx(seconds, abs=1e-3)


def test_a_variable_rate_stays_variable(tmp_path: Path) -> None:
    make = clips.KINDS["variable.mp4"][0]
    copied(make(tmp_path / "variable.mp4"), tmp_path / "copy.mp4")
    again = [frame.seconds for frame in Reader(tmp_path / "copy.mp4")]
    assert again == pytest.approx(clips.VARIABLE, abs=1e-3)


@pytest.mark.parametrize("name", ["damaged.mp4", "phone.mp4", "trimmed.mp4"])
def test_damaged_lying_and_trimmed_clips_keep_their_length(tmp_path: Path, name: str) -> None:
    make: dict[str, Callable[[Path], Path]]
    make = {"damaged": clips.damaged, "phone": clips.rotated, "trimmed": clips.trimmed}
    source = make[Path(name).stem](tmp_path / name)
    reader = copied(source, tmp_path / "copy.mp4")
    images = clips.frames_in(tmp_path / "copy.mp4")
    assert len(images) == (reader.frames_expected or 0) - reader.damaged
    assert images[0].shape[1::-1] == reader.size_wh
    assert clips.seconds_of(tmp_path / "copy.mp4") == pytest.approx(clips.seconds_of(source))


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("a.mp4", "aac", "aac"),
        ("a.mkv", "libopus", "opus"),
        ("a.mov", "pcm_s16le", "aac"),
        ("a.ts", "aac", "aac"),
    ],
)
def test_sound_is_kept_to_its_own_end(tmp_path: Path, name: str, codec: str, kept: str) -> None:
    source = clips.clip(tmp_path / name, audio=codec, audio_seconds=2.5)
    copied(source, tmp_path / "copy.mp4")
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == [kept]
        wave = [f.to_ndarray().astype(float) for f in container.decode(audio=0)]
    assert clips.seconds_of(tmp_path / "copy.mp4", "audio") == pytest.approx(2.5, abs=0.05)
    assert np.abs(np.concatenate(wave, axis=1)).max() > 0.1  # it hums


def test_sound_at_a_rate_that_aac_lacks_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "SAMPLE_RATE", 192_000)
    source = clips.clip(tmp_path / "a.mkv", audio="pcm_s16le")
    copied(source, tmp_path / "copy.mp4")
    assert clips.seconds_of(tmp_path / "copy.mp4", "audio") == pytest.approx(2, abs=0.05)


def test_sound_whose_packets_hold_several_frames_is_kept(tmp_path: Path) -> None:
    copied(clips.two_sounds_a_packet(tmp_path / "a.mkv"), tmp_path / "copy.mp4")
    assert clips.seconds_of(tmp_path / "copy.mp4", "audio") == pytest.approx(2, abs=0.08)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        times = [frame.time or 0.0 for frame in container.decode(audio=0)]
    assert all(0 < b - a < 0.05 for a, b in itertools.pairwise(times)), "in order, without a gap"


def test_a_name_that_looks_like_a_protocol_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("12:30.mp4", "2024-05-01T12:30:00.mp4"):
        with Writer(Path(name), (64, 64)) as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8), 0.0)
        assert len(clips.frames_in(tmp_path / name)) == 1


def test_what_was_written_before_an_error_can_be_played(tmp_path: Path) -> None:
    source = clips.clip(tmp_path / "sound.mp4", audio="aac")
    with (
        pytest.raises(KeyboardInterrupt),
        Writer(tmp_path / "x.mp4", (192, 128), 25.0, source) as w,
    ):
        for frame in Reader(source):
            w.write(frame.image, frame.seconds)
            if frame.index == 9:
                raise KeyboardInterrupt
    assert len(clips.frames_in(tmp_path / "x.mp4")) == 10
    assert clips.seconds_of(tmp_path / "x.mp4") == pytest.approx(0.4)
    assert clips.seconds_of(tmp_path / "x.mp4", "audio") == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("strikes_at", [1, 2, 3])
def test_ctrl_c_while_a_video_is_finished_waits_for_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strikes_at: int
) -> None:
    """Inside of FFmpeg's call for a block to be written it would be lost, and the block too."""
    calls, write, is_finishing = itertools.count(1), SpareDisk.write, threading.Event()

    def struck(file: SpareDisk, data: Any) -> int:
        if is_finishing.is_set() and next(calls) == strikes_at:
            signal.raise_signal(signal.SIGINT)
        return write(file, data)

    monkeypatch.setattr(SpareDisk, "write", struck)
    # Whoever began the tests in the background of a shell's script had it ignored.
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    writer = Writer(tmp_path / "x.mp4", (192, 128))
    for number in range(20):
        writer.write(clips.numbered(number), number / 25)
    is_finishing.set()
    try:
        with pytest.raises(KeyboardInterrupt):
            writer.finish()
    finally:
        signal.signal(signal.SIGINT, earlier)
    assert next(calls) > 3
    assert [clips.number_of(image) for image in clips.frames_in(tmp_path / "x.mp4")] == [*range(20)]


def test_a_frame_of_another_shape_is_shown_whole_with_black_beside(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.mp4", (64, 128)) as writer:
        writer.write(np.full((128, 64, 3), 200, np.uint8), 0.0)
        writer.write(np.full((64, 128, 3), 200, np.uint8), 0.04)
    _, turned = clips.frames_in(tmp_path / "x.mp4")
    bright = turned.mean((1, 2)) > 100
    assert bright.sum() == pytest.approx(32, abs=2) and bright[48:80].mean() > 0.9


def test_nothing_stands_under_the_name_before_it_is_closed_or_beside_it_after(
    tmp_path: Path,
) -> None:
    target = tmp_path / "x.mp4"
    target.write_bytes(b"an earlier result")
    with Writer(target, (64, 64)) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8), 0.0)
        assert target.read_bytes() == b"an earlier result"
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
    assert len(clips.frames_in(target)) == 1


def test_without_a_frame_nothing_is_written(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.mp4", (64, 64)):
        pass
    assert not list(tmp_path.iterdir())


def test_frames_at_the_same_time_are_pushed_apart(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.mp4", (64, 64)) as writer:
        for seconds in (0.0, 0.0, 0.0, 0.04, 0.02):
            writer.write(np.zeros((64, 64, 3), np.uint8), seconds)
    assert len(clips.frames_in(tmp_path / "x.mp4")) == 5


def test_browsers_find_the_index_first_and_colours_survive(tmp_path: Path) -> None:
    image = np.full((64, 64, 3), (40, 90, 200), np.uint8)
    with Writer(tmp_path / "x.mp4", (64, 64)) as writer:
        for number in range(5):
            writer.write(image, number / 25)
    data = (tmp_path / "x.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    for frame in Reader(tmp_path / "x.mp4"):
        assert np.abs(frame.image.astype(int) - image).max() <= 6
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


FILL = """
import sys
import numpy as np
from pathlib import Path
from detector.video.writer import Writer
from fmnist.errors import InputError
noise = np.random.default_rng(0)
count = 0
try:
    with Writer(Path(sys.argv[1]) / "x.mp4", (640, 480)) as writer:
        for count in range(500):
            writer.write(noise.integers(0, 256, (480, 640, 3), np.uint8), count / 25)
except InputError as error:
    print(error, count)
"""


def test_a_full_disk_keeps_what_fitted(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = RESERVE_BYTES + (2 << 20)
    script = f"""
        mount -t tmpfs -o size={size} none {disk} || exit 99
        {sys.executable} -c '{FILL}' {disk} && cp {disk}/* {tmp_path} && ls -A {disk}"""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    if not shutil.which("unshare"):
        pytest.skip("no unshare to make a small disk with")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    if done.returncode in (1, 99) and "ermitted" in done.stderr:
        pytest.skip("this machine does not let us make a small disk")
    told, left = done.stdout.splitlines()
    assert "x.mp4: the disk is full. What fitted is there; free space, then run it again." in told
    assert left == "x.mp4"
    assert 0 < len(clips.frames_in(tmp_path / "x.mp4")) <= int(told.split()[-1]) + 1


LINES = """
import resource, signal, sys
from pathlib import Path
from detector.output.lines import JsonLines
from fmnist.errors import InputError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with JsonLines(Path(sys.argv[1]), {"header": 1}) as lines:
        for number in range(5_000):
            lines.write({"frame": number, "boxes": [0.125] * 4})
except InputError as error:
    print(error)
"""


def filled(path: Path, size: int) -> str:
    """What is told of lines on a disk for so many bytes."""
    command = [sys.executable, "-c", LINES, str(path), str(size)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of a file")
def test_what_was_there_before_is_not_told_as_what_fitted(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("an earlier result")
    assert "the disk is full. Nothing was kept" in filled(tmp_path / "x.jsonl", 10)
    assert (tmp_path / "x.jsonl").read_text() == "an earlier result"
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of a file")
def test_lines_that_fit_are_kept_whole(tmp_path: Path) -> None:
    told = filled(tmp_path / "x.jsonl", 20_000)
    assert "the disk is full. What fitted is there" in told
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]
    _, *frames = map(json.loads, (tmp_path / "x.jsonl").read_text().splitlines())
    assert [frame["frame"] for frame in frames] == list(range(len(frames)))
    assert len(frames) > 100


def test_an_image_is_written_in_the_format_of_its_suffix_or_not_at_all(tmp_path: Path) -> None:
    write_image(tmp_path / "x.png", clips.numbered(5))
    assert clips.number_of(next(iter(Reader(tmp_path / "x.png"))).image) == 5
    with pytest.raises(OSError):
        write_image(tmp_path / "nowhere" / "x.png", clips.numbered(5))
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_what_a_format_cannot_hold_is_told(tmp_path: Path) -> None:
    for suffix in (".PNG", ".jpg", ".webp", ".jp2", ".tiff"):
        assert can_write_image(tmp_path / f"x{suffix}")
    assert not can_write_image(tmp_path / "x.pbm"), "black and white only"
    assert not can_write_image(tmp_path / "x")
    with pytest.raises(InputError, match="no .webp holds a picture of 17000x1. Choose .png"):
        write_image(tmp_path / "x.webp", np.zeros((1, 17_000, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_picture_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_image(tmp_path / "x.png", clips.numbered(5))
    assert not list(tmp_path.iterdir())


def test_a_writer_says_when_its_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises((OSError, InputError), match="nowhere"):
        Writer(tmp_path / "nowhere" / "x.mp4", (64, 64))
