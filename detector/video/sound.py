"""The sound of a source, moved along with the pictures that are drawn on."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from detector.video.container import av, opened

# What browsers play from an MP4 as it is; any other sound becomes AAC.
COPIED = frozenset({"aac", "opus", "flac"})
AAC_RATES = frozenset(
    {96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000}
)
JUMP = 0.5  # seconds from the end of one packet to the next, either way
NEXT = 0.1  # seconds: so near is the next packet of one clock
# So much sound after a jump tells a new clock, or a pause, from packets with a damaged time.
SURE = 1.0  # seconds
MANY = 50  # packets, where they do not tell their length


class Sound:
    """The first sound track of a source, packet by packet; AAC where an MP4 would be silent."""

    def __init__(self, source: Path, out: av.container.OutputContainer) -> None:
        self._out = out
        self._container = opened(source)
        self._stream: Any = next(iter(self._container.streams.audio), None)
        self._ahead: Any = None
        if self._stream is None or self._stream.codec_context is None:  # none, or none we know
            self._stream = None
            self._packets: Iterator[Any] = iter(())
            return
        self._video: Any = next(iter(self._container.streams.video), None)
        rate = self._stream.rate  # 0 where its first packets are far behind
        self._is_copied = rate > 0 and _is_whole(self._stream.codec_context)
        if self._is_copied:
            self._track = out.add_stream_from_template(self._stream)
        else:
            self._track = out.add_stream("aac", rate=rate if rate in AAC_RATES else 48_000)
        self._kind: tuple[Any, ...] = ()  # of the frames that the resampler takes
        self._resampler: Any = None
        self._packets = self._in_time()
        self._end = Fraction(0)  # seconds, of the frame that was encoded last

    def copy_until(self, seconds: float) -> None:
        """Move every packet that starts before `seconds`, but the damaged ones."""
        # IndexError: of PyAV's, at the end of some damaged files.
        with contextlib.suppress(av.FFmpegError, IndexError, StopIteration):
            while True:
                if self._ahead is None:
                    self._ahead = next(self._packets)
                packet, start = self._ahead
                if _begin_of(packet) - start >= seconds:
                    return
                with contextlib.suppress(av.FFmpegError):
                    self._move(packet, start)
                self._ahead = None

    def _in_time(self) -> Iterator[tuple[Any, float]]:
        """Each packet, and where on its clock the picture began."""
        clock = _Clock(_Picture(self._video))
        for packet in self._container.demux(*filter(None, (self._stream, self._video))):
            if packet.stream is self._video:
                clock.picture.see(packet)
            elif packet.pts is not None:
                yield from clock.settled(packet)
        yield from clock.ended()

    def _move(self, packet: Any, start: float) -> None:
        if self._is_copied:
            packet.pts -= round(start / packet.time_base)
            packet.dts = packet.pts
            packet.stream = self._track
            self._out.mux(packet)
            return
        for frame in packet.decode():
            if frame.pts is None:  # only the first of a packet has a time
                frame.pts = round(self._end / frame.time_base)
            else:
                frame.pts -= round(start / frame.time_base)
            self._end = frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate)
            for even in self._evened(frame):
                self._out.mux(self._track.encode(even))

    def _evened(self, frame: Any) -> list[Any]:
        """The samples as the encoder wants them, whose own resampler knows one kind only.

        Broadcasts change between stereo and 5.1, or another rate, as they like.
        """
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            self._kind = kind
            self._resampler = av.AudioResampler("fltp", "stereo", self._track.rate)
        evened: list[Any] = self._resampler.resample(frame)
        for even in evened:
            even.pts = round(even.pts * even.time_base * self._track.rate)
            even.time_base = Fraction(1, self._track.rate)
        return evened

    def close(self) -> None:
        """Write what an encoder still holds."""
        if self._stream is not None and not self._is_copied:
            with contextlib.suppress(av.FFmpegError):
                self._out.mux(self._track.encode(None))
        self._container.close()


def _is_whole(codec: Any) -> bool:
    """Whether an MP4 takes its packets as they are: but for AAC not without their header."""
    return codec.name in COPIED and (codec.name == "aac" or bool(codec.extradata))


class _Clock:
    """Tells packets of sound with a damaged time from those of a clip that was joined behind.

    That has a clock of its own, and its sound belongs to its picture. The damaged ones follow the
    last one before them.
    """

    def __init__(self, picture: "_Picture") -> None:
        self.picture = picture
        self._start = picture.start
        self._end: float | None = None  # of what is settled, in seconds of the picture
        self._odd: list[Any] = []  # after a jump, not many

    def settled(self, packet: Any) -> list[tuple[Any, float]]:
        """The packets whose time is certain with this one, and where the picture began for each."""
        if self._end is None or (self._fits(packet) and not self._continues(packet)):
            return [*self.rest(), self._settle(packet)]
        self._odd.append(packet)
        if sum(map(_length_of, self._odd)) < SURE and len(self._odd) < MANY:
            return []
        if _begin_of(self._odd[-1]) - self._start >= self._end:
            return self._after_a_pause()
        odd, self._odd = self._odd, []
        follows = _begin_of(odd[0]) - self._end
        self._start = self.picture.start_of_clip if self.picture.is_joined else follows
        return [self._settle(one) for one in odd]

    def ended(self) -> list[tuple[Any, float]]:
        """Those that wait still at the end: after a pause by their own time."""
        if self._odd and _begin_of(self._odd[-1]) - self._start >= (self._end or 0.0):
            return self._after_a_pause()
        return self.rest()

    def rest(self) -> list[tuple[Any, float]]:
        """Those that wait still, one behind the other."""
        odd, self._odd = self._odd, []
        return [self._follow(one) for one in odd]

    def _after_a_pause(self) -> list[tuple[Any, float]]:
        """Those that wait, by their own times; a damaged one among them follows the one before."""
        odd, self._odd = self._odd, []
        latest = _begin_of(odd[-1]) - self._start
        settled = []
        for one in odd:
            is_whole = (self._end or 0.0) <= _begin_of(one) - self._start <= latest
            settled.append(self._settle(one) if is_whole else self._follow(one))
        return settled

    def _follow(self, packet: Any) -> tuple[Any, float]:
        end = self._end or 0.0
        self._end = end + _length_of(packet)
        return packet, _begin_of(packet) - end

    def _fits(self, packet: Any) -> bool:
        """Whether it comes when what waits and is settled have been heard."""
        heard = (self._end or 0.0) + sum(map(_length_of, self._odd))
        return abs(_begin_of(packet) - self._start - heard) <= JUMP

    def _continues(self, packet: Any) -> bool:
        """Whether it follows the last one that waits."""
        if not self._odd:
            return False
        last = self._odd[-1]
        return abs(_begin_of(packet) - _begin_of(last) - _length_of(last)) <= NEXT

    def _settle(self, packet: Any) -> tuple[Any, float]:
        self._end = _begin_of(packet) - self._start + _length_of(packet)
        return packet, self._start


class _Picture:
    """How long the picture lasts, as its packets go by, and where its clock begins anew."""

    def __init__(self, stream: Any) -> None:
        # Seconds count from the first frame of the video, packets from wherever they like.
        self.start = float((stream.start_time or 0) * (stream.time_base or 0)) if stream else 0.0
        self.start_of_clip = self.start  # on the clock of the newest clip
        self.is_joined = False  # of clips, one behind the other
        self._before: float | None = None
        self._lead = 0.0  # of decoding before showing, in seconds
        rate = stream.average_rate if stream else None
        self._interval = float(1 / rate) if rate else 0.0
        self._end = 0.0  # of what went by, in seconds from the beginning

    def see(self, packet: Any) -> None:
        """A packet of the picture, in the order of the file."""
        if packet.dts is None:
            return
        told = float(packet.dts * packet.time_base)
        if self._before is None:
            self._lead = self.start - told
        elif told < self._before - JUMP:
            self.start_of_clip = told + self._lead - self._end
            self.is_joined = True
        self._before = told
        self._end = told + self._lead - self.start_of_clip + (_length_of(packet) or self._interval)


def _begin_of(packet: Any) -> float:
    return float(packet.pts * packet.time_base)


def _length_of(packet: Any) -> float:
    return float((packet.duration or 0) * packet.time_base)
