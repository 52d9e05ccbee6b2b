"""Makes real clips for the tests: every kind of video that a user may hand over, in miniature.

Each frame carries its number as a row of black and white squares, so that a test can say
which frame of the source it is looking at after two codecs.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

# isort: off
import cv2  # before av: the other order hangs OpenCV's first window
import av

# isort: on
import numpy as np
from PIL import Image

from detector.boxes import Picture

SIZE_WH = (192, 128)
FPS = 25
TIMES = tuple(i / FPS for i in range(50))
VARIABLE = (0, 0.04, 0.08, 0.5, 0.54, 1.0, 1.9)
BITS = 8
SAMPLE_RATE = 48_000


def numbered(number: int, size_wh: tuple[int, int] = SIZE_WH) -> Picture:
    """A BGR picture with texture that moves, and `number` in binary along its top."""
    width, height = size_wh
    row, column = np.mgrid[:height, :width]
    waves = 90 + 60 * np.sin((column + 5 * number) / 9) * np.cos((row - 3 * number) / 13)
    image = np.stack([waves, 0.7 * waves + 40, 200 - waves], axis=2).astype(np.uint8)
    square = width // BITS
    for bit in range(BITS):
        image[:square, bit * square : (bit + 1) * square] = 255 * (number >> bit & 1)
    return image


def number_of(image: Picture) -> int:
    """The number that `numbered` wrote into the picture."""
    square = image.shape[1] // BITS
    inner = slice(square // 4, 3 * square // 4)
    bits = [
        image[inner, bit * square + square // 4 : bit * square + 3 * square // 4].mean() > 127
        for bit in range(BITS)
    ]
    return sum(int(on) << bit for bit, on in enumerate(bits))


def clip(
    path: Path,
    times: Sequence[float] = TIMES,
    size_wh: tuple[int, int] = SIZE_WH,
    codec: str = "libx264",
    audio: str | None = None,
    audio_seconds: float = 2.0,
    options: dict[str, str] | None = None,
    layout: str = "mono",
) -> Path:
    """A clip with one frame at each of `times` (seconds); the last one is shown for 1/25 s."""
    # "file:", because FFmpeg takes what stands before a colon for a protocol.
    with av.open(f"file:{path}", "w", options=options or {}) as out:
        _fill(out, times, size_wh, codec, audio, audio_seconds, layout)
    return path


def without_duration(path: Path, frames: int = 50, codec: str = "libvpx") -> Path:
    """What a live stream leaves behind: nobody came back to write how long it became."""

    class Pipe:
        def __init__(self, file: BinaryIO) -> None:
            self.write = file.write

    live = {"live": "1"}
    with path.open("wb") as file, av.open(Pipe(file), "w", "webm", container_options=live) as out:
        _fill(out, [i / FPS for i in range(frames)], SIZE_WH, codec, None, 0)
    return path


def without_rate(path: Path, times: Sequence[float] = TIMES) -> Path:
    """A WebM as browsers record it: every frame has its time, and nobody told of a rate."""
    data = bytearray(clip(path, times, codec="libvpx").read_bytes())
    default_duration = data.index(b"\x23\xe3\x83")
    size = 4 + (data[default_duration + 3] & 0x7F)  # of the whole element; Void is another
    data[default_duration : default_duration + size] = bytes(
        [0xEC, 0x80 | size - 2] + [0] * (size - 2)
    )
    path.write_bytes(data)
    return path


def turned_midway(
    path: Path, codec: str = "libvpx", second_wh: tuple[int, int] = SIZE_WH[::-1]
) -> Path:
    """What a browser records of a phone that is turned: 12 frames, 12 more of another size."""
    frames = 12
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=FPS)
        stream.width, stream.height = SIZE_WH
        for size_wh, first in ((SIZE_WH, 0), (second_wh, frames)):
            encoder: Any = av.CodecContext.create(codec, "w")
            encoder.width, encoder.height = size_wh
            encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, FPS)
            packets = []
            for number in range(first, first + frames):
                frame = av.VideoFrame.from_ndarray(numbered(number, size_wh), format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                packets += encoder.encode(frame)
            for packet in packets + encoder.encode(None):
                packet.stream, packet.time_base = stream, Fraction(1, FPS)
                out.mux(packet)
    return path


def held(path: Path, seconds: float, frames: int = 10) -> Path:
    """A clip whose last frame is shown for so long, as of a screen that was recorded."""
    whole = clip(path.with_name(f"whole-{path.name}"), TIMES[:frames])
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        track = out.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.pts is not None]
        packets[-1].duration = round(seconds / packets[-1].time_base)
        for packet in packets:
            packet.stream = track
            out.mux(packet)
    whole.unlink()
    return path


def avi(path: Path, frames: int = 75) -> Path:
    """An AVI of Motion JPEG, as old cameras write it."""
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    out = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, FPS, SIZE_WH)
    for number in range(frames):
        out.write(numbered(number))
    out.release()
    return path


def interlaced(
    path: Path,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size_wh: tuple[int, int] = SIZE_WH,
    between: int = 0,
) -> Path:
    """25 frames of two fields, the lower of which shows the picture `between` numbers later."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream(codec, rate=FPS, options=options or {"x264-params": "tff=1"})
        video.width, video.height = size_wh
        video.pix_fmt = "yuv420p"
        for number in range(25):
            picture = numbered(number, size_wh)
            picture[1::2] = numbered(number + between, size_wh)[1::2]
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode())
    return path


def anamorphic(path: Path, aspect: Fraction = Fraction(3, 2), frames: int = 5) -> Path:
    """A clip whose pixels are so many times as wide as they are high, as those of DVDs."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=FPS, options={"bf": "0"})
        video.width, video.height = SIZE_WH
        video.pix_fmt = "yuv420p"
        video.codec_context.sample_aspect_ratio = aspect
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode())
    return path


def gif(path: Path, seconds: Sequence[float] = (0.5, 2.0)) -> Path:
    """Pictures that are shown for so long each."""
    pictures = [Image.fromarray(numbered(number)[..., ::-1]) for number in range(len(seconds))]
    milliseconds = [round(1000 * each) for each in seconds]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=milliseconds)
    return path


TURN_90 = (0, 1, -1, 0)


def rotated(
    path: Path,
    make: Callable[[Path], Path] = clip,
    matrix: tuple[int, int, int, int] = TURN_90,
) -> Path:
    """A clip as a phone held upright writes it: lying frames and a matrix that turns them.

    (a, b, c, d) takes a pixel (x, y) to (ax + cy, bx + dy), and then into the picture.
    """
    data = bytearray(make(path).read_bytes())
    track_header = data.index(b"tkhd")
    a, b, c, d = matrix
    width, height = SIZE_WH
    right, down = (max(0, -x * width) + max(0, -y * height) for x, y in ((a, c), (b, d)))
    told = [a << 16, b << 16, 0, c << 16, d << 16, 0, right << 16, down << 16, 1 << 30]
    data[track_header + 44 : track_header + 80] = np.array(told, ">i4").tobytes()
    path.write_bytes(data)
    return path


def trimmed(path: Path, seconds: float = 0.4) -> Path:
    """A clip whose first seconds are hidden, not deleted, as phones trim."""
    whole = clip(path.with_name(f"whole-{path.name}"))
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        track = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None and packet.dts is not None:
                packet.pts -= round(seconds / packet.time_base)
                packet.dts = packet.pts
                packet.stream = track
                out.mux(packet)
    whole.unlink()
    return path


def damaged(path: Path, frames: int = 75, zeros: int = 4096) -> Path:
    """A clip with a hole of zeros in its middle, as a bad sector leaves it."""
    data = bytearray(clip(path, [i / FPS for i in range(frames)], (384, 256)).read_bytes())
    start = data.index(b"mdat") + len(data) // 2
    data[start : start + zeros] = bytes(zeros)
    path.write_bytes(data)
    return path


def undecodable(path: Path) -> Path:
    """A container (.mkv) in good order around packets of noise."""
    noise = np.random.default_rng(0)
    whole = clip(path.with_name(f"whole-{path.name}"))
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        track = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None:
                copy = av.Packet(noise.bytes(packet.size))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.stream = track
                out.mux(copy)
    whole.unlink()
    return path


def truncated(path: Path) -> Path:
    """A recording that was cut off before its index was written."""
    data = clip(path).read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 500])
    return path


def frames_in(path: Path) -> list[Picture]:
    """Every picture of a video, decoded by FFmpeg itself rather than by the code under test."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def seconds_of(path: Path, kind: str = "video") -> float:
    """How long the video or the audio lasts: from zero to the end of the last packet."""
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: 0})[0]
        return max(
            float((packet.pts + (packet.duration or 0)) * packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None
        )


def _fill(
    out: "av.container.OutputContainer",
    times: Sequence[float],
    size_wh: tuple[int, int],
    codec: str,
    audio: str | None,
    audio_seconds: float,
    layout: str = "mono",
) -> None:
    video: Any = out.add_stream(codec, rate=FPS)
    video.width, video.height = size_wh
    # Odd sizes need chroma at full resolution.
    video.pix_fmt = "yuv444p" if size_wh[0] % 2 or size_wh[1] % 2 else "yuv420p"
    video.time_base = video.codec_context.time_base = Fraction(1, 1000)
    # Without B frames FFmpeg knows the durations of a variable rate exactly.
    quick = {"deadline": "realtime", "cpu-used": "8"}
    video.options = {"g": "12", "bf": "0"} if codec == "libx264" else quick
    sound: Any = out.add_stream(audio, rate=SAMPLE_RATE, layout=layout) if audio else None
    for number, seconds in enumerate(times):
        frame = av.VideoFrame.from_ndarray(numbered(number, size_wh), format="bgr24")
        frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
        out.mux(video.encode(frame))
    out.mux(video.encode())
    if sound is not None:
        _hum(out, sound, audio_seconds)


def _hum(out: "av.container.OutputContainer", stream: "av.AudioStream", seconds: float) -> None:
    wave = np.sin(np.arange(int(seconds * SAMPLE_RATE)) * (2 * np.pi * 440 / SAMPLE_RATE))
    samples = (8000 * wave).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    out.mux(stream.encode(frame))
    out.mux(stream.encode())


def rare(path: Path, times: Sequence[float]) -> Path:
    """A clip of few pictures far apart with sound all along, as of a lecture's slides."""
    before = clip(path.with_suffix(".mov"), times, audio="aac", audio_seconds=times[-1])
    with av.open(str(before)) as source, av.open(str(path), "w") as out:
        tracks = [out.add_stream_from_template(stream) for stream in source.streams]
        told: list[Any] = [packet for packet in source.demux() if packet.dts is not None]
        for packet in sorted(told, key=lambda packet: packet.dts * packet.time_base):
            packet.stream = tracks[packet.stream.index]
            out.mux(packet)
    return path


def joined(
    path: Path,
    audio: str,
    layouts: Sequence[str] = ("mono", "mono"),
    audio_seconds: float = 2.0,
) -> Path:
    """Two clips of two seconds one behind the other, each with its own clock and kind of sound.

    That of the first lasts `audio_seconds`.
    """
    parts = [path.with_name(f"{number}-{path.name}") for number in range(2)]
    for part, layout, seconds in zip(parts, layouts, (audio_seconds, 2.0), strict=True):
        clip(part, audio=audio, audio_seconds=seconds, layout=layout)
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def two_sounds_a_packet(path: Path) -> Path:
    """A clip whose packets of sound hold two frames each: only the first has a time."""
    before = clip(path.with_name(f"one-{path.name}"), audio="mp2")
    with av.open(str(before)) as source, av.open(str(path), "w") as out:
        tracks = [out.add_stream_from_template(stream) for stream in source.streams]
        held: Any = None
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                if held is None:
                    held = packet
                    continue
                both = av.Packet(bytes(held) + bytes(packet))
                both.pts, both.dts, both.time_base = held.pts, held.dts, held.time_base
                both.stream, held = tracks[packet.stream.index], None
                out.mux(both)
            else:
                packet.stream = tracks[packet.stream.index]
                out.mux(packet)
    return path


# Each row: how the clip is made, its frames, its seconds, whether its frame count is known.
KINDS: dict[str, tuple[Callable[[Path], Path], int, float, bool]] = {
    "constant.mp4": (clip, 50, 2.0, True),
    "constant.mkv": (clip, 50, 2.0, True),
    "variable.mp4": (lambda path: clip(path, VARIABLE), 7, 1.94, True),
    "variable.mkv": (lambda path: clip(path, VARIABLE), 7, 1.94, False),
    "sound.mp4": (lambda path: clip(path, audio="aac"), 50, 2.0, True),
    "odd.mp4": (lambda path: clip(path, size_wh=(193, 127)), 50, 2.0, True),
    "one.mp4": (lambda path: clip(path, [0]), 1, 0.04, True),
    "hevc.mp4": (lambda path: clip(path, codec="libx265"), 50, 2.0, True),
    "vp9.webm": (lambda path: clip(path, codec="libvpx-vp9"), 50, 2.0, False),
    "live.webm": (without_duration, 50, 2.0, False),
    "12:30 50%d.mp4": (clip, 50, 2.0, True),
}
