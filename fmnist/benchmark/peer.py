"""What a user would otherwise run: `yolo classify train` of ultralytics, as its own command."""

import csv
import re
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import torch

from fmnist.benchmark.program import run
from fmnist.benchmark.rows import PEER
from fmnist.cards import Facts, read_json, write_json
from fmnist.data import Split
from fmnist.errors import InputError
from fmnist.evaluation import wilson_interval
from fmnist.offline import offline
from fmnist.training.run_folder import RESULT

MODEL = "yolo11n-cls"
SAME_TIME = 0.05  # part of it that makes no difference
PARTS = ("train", "val", "test")  # the folders it looks for
PROGRAM = Path(sysconfig.get_path("scripts")) / "yolo"


def classifier(
    splits: Sequence[Split], folder: Path, seconds: float, seed: int, device: torch.device
) -> Facts:
    """Train it for so many seconds and test its last weights.

    What was done already is kept, unless it trained for less (by a twentieth or more).

    Args:
        splits: training, validation and test; they become PNG files, a folder a class.

    Raises:
        InputError: ultralytics' command is missing or fails; the text has its last line.
    """
    done = finished(folder)
    if done and done["seed"] == seed and done["seconds"] > (1 - SAME_TIME) * seconds:
        return done
    pictures = _pictures(splits, folder)
    common = _common(pictures, folder, device)
    hours = f"time={seconds / 3600:.6f}"
    train = [f"model={MODEL}.yaml", hours, f"seed={seed}", "name=train", "amp=False"]
    yolo("classify", "train", *train, *common)
    weights = folder / "train/weights/last.pt"
    told = yolo("classify", "val", f"model={weights.resolve()}", "split=test", "name=test", *common)
    accuracy = _accuracy(told)
    facts: Facts = {
        "row": PEER,
        "model": MODEL,
        "n": 1,
        "seconds": seconds,
        "seed": seed,
        "test_accuracy": {"n": 1, "values": [accuracy], "mean": accuracy},
        "test_interval_95": list(wilson_interval(round(accuracy * len(splits[2])), len(splits[2]))),
        "parameters": _parameters(told),
        "version": _version(told),
    }
    write_json(folder / RESULT, facts)
    return facts


def epoch_seconds(splits: Sequence[Split], folder: Path, device: torch.device) -> float:
    """Of the second epoch of a training, as its results.csv tells them.

    Args:
        splits: training, validation and test; it judges itself after every epoch, so that the
            last two had better be small.

    Raises:
        InputError: ultralytics' command is missing or fails.
    """
    pictures = _pictures(splits, folder)
    common = _common(pictures, folder, device)
    yolo("classify", "train", f"model={MODEL}.yaml", "epochs=2", "name=speed", *common)
    with (folder / "speed/results.csv").open(encoding="utf-8") as file:
        first, second = (
            float(line["time"]) for line in csv.DictReader(file, skipinitialspace=True)
        )
    return second - first


def _pictures(splits: Sequence[Split], folder: Path) -> Path:
    sizes = "-".join(str(len(split)) for split in splits)
    pictures = folder / f"pictures-{sizes}"  # fewer must not find those of more
    for name, split in zip(PARTS, splits, strict=True):
        _write_pictures(split, pictures / name)
    return pictures


def _common(pictures: Path, folder: Path, device: torch.device) -> list[str]:
    where = "cpu" if device.type == "cpu" else str(device.index or 0)
    common = [f"data={pictures.resolve()}", "imgsz=28", f"device={where}", "plots=False"]
    return [*common, f"project={folder.resolve()}", "exist_ok=True", "workers=0", "batch=128"]


def finished(folder: Path) -> Facts | None:
    """What was done before."""
    result = folder / RESULT
    return read_json(result) if result.is_file() else None


def yolo(*words: str) -> str:
    """Run the command offline; what it prints.

    Raises:
        InputError: it is missing or fails.
    """
    ended = run([str(PROGRAM), *words], offline(verbose=True))  # what it prints is read
    return "\n".join(line for _, line in ended.lines)


def _write_pictures(split: Split, folder: Path) -> None:
    import cv2

    for label in range(10):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
    for number, (image, label) in enumerate(zip(split.images, split.labels.tolist(), strict=True)):
        path = folder / str(label) / f"{number}.png"
        if not path.exists():
            cv2.imwrite(str(path), image.numpy())


def _accuracy(told: str) -> float:
    return float(_found(r"^\s*all\s+([\d.]+)", told))


def _parameters(told: str) -> int:
    return int(_found(r"([\d,]+) parameters", told).replace(",", ""))


def _version(told: str) -> str:
    return _found(r"Ultralytics (\S+)", told)


def _found(pattern: str, told: str) -> str:
    match = re.search(pattern, told, re.MULTILINE)
    if not match:
        raise InputError("ultralytics printed no result that is known. Measure without it.")
    return match[1]
