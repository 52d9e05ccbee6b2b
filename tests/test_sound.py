"""Sound of joined clips, and packets with a damaged time."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from detector.video.sound import _Clock, _Picture
from tests import clips
from tests.test_video import copied


@pytest.mark.parametrize(
    ("audio", "layouts"),
    [("aac", ("mono", "mono")), ("mp2", ("mono", "stereo")), ("ac3", ("5.1", "stereo"))],
)
def test_the_sound_of_joined_clips_is_kept(
    tmp_path: Path, audio: str, layouts: tuple[str, str]
) -> None:
    copied(clips.joined(tmp_path / "a.ts", audio, layouts), tmp_path / "copy.mp4")
    assert clips.seconds_of(tmp_path / "copy.mp4") == pytest.approx(4, abs=0.05)
    assert clips.seconds_of(tmp_path / "copy.mp4", "audio") == pytest.approx(4, abs=0.12)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        loud = [f.time for f in container.decode(audio=0) if np.abs(f.to_ndarray()).max() > 0.1]
    assert loud[-1] is not None and loud[-1] > 3.8


def test_sound_without_its_header_is_encoded_anew(tmp_path: Path) -> None:
    source = clips.clip(tmp_path / "a.mkv", audio="libopus")
    data = bytearray(source.read_bytes())
    data[data.index(b"OpusHead") - 3] = 84  # of an element that nobody knows
    source.write_bytes(data)
    copied(source, tmp_path / "copy.mp4")
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    assert clips.seconds_of(tmp_path / "copy.mp4") == pytest.approx(2, abs=0.05)
    assert clips.seconds_of(tmp_path / "copy.mp4", "audio") == pytest.approx(2, abs=0.12)


@pytest.mark.parametrize("audio_seconds", [1.0, 3.5])
def test_the_sound_of_a_second_clip_begins_with_its_picture(
    tmp_path: Path, audio_seconds: float
) -> None:
    source = clips.joined(tmp_path / "a.ts", "aac", audio_seconds=audio_seconds)
    copied(source, tmp_path / "copy.mp4")
    assert clips.seconds_of(tmp_path / "copy.mp4", "audio") == pytest.approx(4, abs=0.1)


def test_the_sound_follows_the_picture_of_a_second_clip() -> None:
    class Packet:
        time_base = Fraction(1, 100)

        def __init__(self, pts: int, duration: int) -> None:
            self.pts = self.dts = pts
            self.duration = duration

    def settled(clock: _Clock, pts: Iterable[int]) -> list[float]:
        some = [pair for at in pts for pair in clock.settled(Packet(at, 10))]
        return [round(packet.pts / 100 - start, 6) for packet, start in some]

    picture = _Picture(None)
    clock = _Clock(picture)
    assert settled(clock, range(0, 200, 10)) == [at / 100 for at in range(0, 200, 10)]
    # Some have a damaged time, and follow the last one; a pause is one.
    assert settled(clock, [90, 100, 220]) == [2.0, 2.1, 2.2]
    assert settled(clock, range(400, 510, 10))[0] == 4.0
    # Some are lost behind a damaged one: the others keep their time.
    assert settled(clock, [320, *range(600, 700, 10)])[:2] == [5.1, 6.0]
    # A second clip, whose picture began when the first one's ended.
    for at in (0, 840, 0):
        picture.see(Packet(at, 10))
    assert settled(clock, range(0, 120, 10))[:2] == [8.5, 8.6]
    # A last word after a pause.
    assert settled(clock, [300]) == []
    assert [round(packet.pts / 100 - start, 6) for packet, start in clock.ended()] == [11.5]
