"""From file to drawn file: `fmnist detect` with each backend and `yolo predict`, in turn."""

import re
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmnist.benchmark.peer import PROGRAM
from fmnist.benchmark.program import Ended, run
from fmnist.benchmark.spread import around_median
from fmnist.errors import InputError
from fmnist.offline import offline

PEER = "yolo predict"
MODEL = "yolo11n.yaml"  # with random weights, which find nothing: nothing is drawn, either
SAID = re.compile(r"(\d+) frames, (\d+) boxes, [\d.]+ s \(([\d.]+) frames/s\)")
FRAME = re.compile(r"\(frame \d+/\d+\)")


@dataclass(frozen=True)
class Pass:
    """One run over the clip."""

    frames_per_second: float
    seconds: float  # of the whole program, its start included
    peak_mb: float
    boxes: float  # a frame


def ours(clip: Path, output: Path, image_size: int, device: str, backend: str) -> Pass:
    """`fmnist detect`; frames a second as it prints them: from the first frame to the file."""
    program = [sys.executable, "-P", "-m", "cli"]  # -P: never a cli.py of the current folder
    words = [*program, "detect", str(clip), "-o", str(output), "--overwrite"]
    words += ["--image-size", str(image_size), "--device", device, "--backend", backend]
    ended = run(words)
    found = next((match for _, line in ended.lines if (match := SAID.search(line))), None)
    if not found:
        raise InputError("fmnist detect printed no frames a second. Try it alone.")
    frames, boxes, rate = found.groups()
    return _pass(float(rate), ended, int(boxes) / int(frames))


def theirs(clip: Path, folder: Path, image_size: int, device: str) -> Pass:
    """`yolo predict` of ultralytics, which writes its video; from its first frame to the last."""
    words = [str(PROGRAM), "detect", "predict", f"model={MODEL}", f"source={clip.resolve()}"]
    words += [f"imgsz={image_size}", f"project={folder.resolve()}", "exist_ok=True", "save=True"]
    words += [] if device == "auto" else [f"device={device}"]
    ended = run(words, offline(verbose=True))
    times = [seconds for seconds, line in ended.lines if FRAME.search(line)]
    saved = [seconds for seconds, line in ended.lines if line.startswith("Results saved")]
    if len(times) < 2 or not saved:
        raise InputError("yolo predict printed no frames. Try it alone.")
    return _pass((len(times) - 1) / (saved[0] - times[0]), ended, 0.0)


def _pass(rate: float, ended: Ended, boxes: float) -> Pass:
    return Pass(rate, ended.lines[-1][0], ended.peak_mb, boxes)


def in_turn(
    programs: dict[str, Callable[[], Pass]], rounds: int, say: Callable[[str], None]
) -> dict[str, list[Pass]]:
    """Every program once a round, so that what slows the machine down slows all of them."""
    passes: dict[str, list[Pass]] = {name: [] for name in programs}
    for number in range(rounds):
        for name, program in programs.items():
            passes[name].append(program())
            rate = passes[name][-1].frames_per_second
            say(f"{number + 1}/{rounds} {name}: {rate:.1f} frames/s")
    return passes


def summary(name: str, passes: Sequence[Pass], peers: Sequence[Pass] = ()) -> dict[str, Any]:
    """A row of the table; with peers the ratio of frames a second, pair by pair."""
    row: dict[str, Any] = {
        "row": name,
        "frames_per_second": around_median([p.frames_per_second for p in passes]),
        "program_seconds": statistics.median(p.seconds for p in passes),
        "peak_mb": max(p.peak_mb for p in passes),
        "boxes_a_frame": passes[0].boxes,
    }
    if peers:
        pairs = zip(passes, peers, strict=True)
        row["ratio_to_yolo_predict"] = around_median(
            [our.frames_per_second / their.frames_per_second for our, their in pairs]
        )
    return row
