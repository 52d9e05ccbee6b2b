"""The sound of a source, moved along with the pictures that are drawn on."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

# isort: off
import cv2  # noqa: F401  # before av: the other order hangs OpenCV's first window (PyAV#978)
import av

# isort: on
from detector.video.container import opened

# What browsers play from an MP4 as it is; any other sound becomes AAC.
COPIED = frozenset({"aac", "opus", "flac"})
AAC_RATES = frozenset(
    {96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000}
)
ANEW = 0.5  # seconds: a packet so far behind the last one is of a second clip, whose clock begins


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
        video = next(iter(self._container.streams.video), None)
        # Seconds count from the first frame of the video, packets from wherever they like.
        self._start = float((video.start_time or 0) * (video.time_base or 0)) if video else 0.0
        self._is_copied = self._stream.codec_context.name in COPIED
        if self._is_copied:
            self._track = out.add_stream_from_template(self._stream)
        else:
            rate = self._stream.rate
            self._track = out.add_stream("aac", rate=rate if rate in AAC_RATES else 48_000)
        self._kind: tuple[Any, ...] = ()  # of the frames that the resampler takes
        self._resampler: Any = None
        self._packets = self._container.demux(self._stream)
        self._end: Fraction | None = None  # seconds, of what was moved last

    def copy_until(self, seconds: float) -> None:
        """Move every packet that starts before `seconds`, but the damaged ones."""
        with contextlib.suppress(av.FFmpegError, StopIteration):
            while True:
                if self._ahead is None:
                    self._ahead = next(self._packets)
                packet = self._ahead
                if packet.pts is not None:
                    if self._begin_of(packet) >= seconds:
                        return
                    with contextlib.suppress(av.FFmpegError):
                        self._move(packet)
                self._ahead = None

    def _begin_of(self, packet: Any) -> float:
        """Its time in seconds of the pictures. One far behind the last one follows it at once."""
        told = float(packet.pts * packet.time_base)
        if self._end is not None and told - self._start < self._end - ANEW:
            self._start = told - float(self._end)
        return told - self._start

    def _move(self, packet: Any) -> None:
        if self._is_copied:
            packet.pts -= round(self._start / packet.time_base)
            packet.dts = packet.pts
            self._end = (packet.pts + (packet.duration or 0)) * packet.time_base
            packet.stream = self._track
            self._out.mux(packet)
            return
        for frame in packet.decode():
            if frame.pts is None:  # only the first of a packet has a time
                frame.pts = round((self._end or 0) / frame.time_base)
            else:
                frame.pts -= round(self._start / frame.time_base)
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
