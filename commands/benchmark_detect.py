"""`fmnist benchmark detect`: our detector beside `yolo predict`."""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import (
    Device,
    ImageSize,
    Json,
    Overwrite,
    Quiet,
    listed,
    put,
    quiet_or_say,
)
from detector.backends.names import BACKENDS, installed
from detector.video.sources import check_source, is_image
from fmnist.checks import all_free, known, named_png
from fmnist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

app = typer.Typer()
CLIP = Path(__file__).parent.parent / "demo/garments.mp4"
Rounds = Annotated[int, typer.Option(min=1, help="Runs of each, in turn.")]


@app.command("detect")
def benchmark_detect(
    clip: Annotated[
        Path, typer.Argument(metavar="[VIDEO]", help="Instead of the bundled clip.")
    ] = CLIP,
    rounds: Rounds = 5,
    backends: Annotated[
        str, typer.Option(help="Separated by commas; else all that are installed.")
    ] = "",
    peer: Annotated[bool, typer.Option(help="Run `yolo predict`, too.")] = True,
    image_size: ImageSize = None,
    plot: Annotated[Path | None, typer.Option(metavar="PNG", help="How cost grows.")] = None,
    json_file: Json = "",
    device: Device = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Measure detection in video beside `yolo predict`, at the same image size.

    Frames a second from file to drawn file, the stages of a frame, how cost grows.
    """
    all_free(overwrite, json_file, plot)
    named_png(plot)
    if clip == CLIP and not clip.exists():
        raise InputError("The bundled clip is in a clone of the project only. Name a VIDEO.")
    check_source(clip)
    if is_image(clip):
        raise InputError(f"{clip} is an image. Name a video.")
    chosen = [installed(known(name, BACKENDS, "backend")) for name in listed(backends)]

    from detector.benchmark.end_to_end import PEER
    from detector.benchmark.table import markdown
    from detector.defaults import GRID_FILE
    from detector.network import inference_size_of
    from fmnist.cards import read_card
    from fmnist.device import describe, pick_device

    where = pick_device(device)
    size = image_size or inference_size_of(read_card(GRID_FILE))
    if not chosen:
        from detector.backends.choice import candidates

        chosen = candidates(where)
    say = quiet_or_say(quiet)
    rows = _end_to_end(clip, rounds, chosen, peer, size, device, say)
    say("stages, and how cost grows")
    arguments = [str(clip), str(size), device]
    stages = [_told("stages", *arguments, name) for name in chosen]
    best = max(rows, key=lambda row: row["frames_per_second"]["median"] * (row["row"] != PEER))
    fastest = best["row"].removeprefix("fmnist detect, ")
    growth = _told("growth", *arguments, fastest)
    whole: dict[str, Any] = {"clip": clip.name, "image_size": size, "rows": rows}
    if peer:
        whole["ratio_to_yolo_predict"] = best["ratio_to_yolo_predict"]["median"]
    whole |= {"stages": stages, "growth": growth, **describe(where)}
    if plot:
        from detector.benchmark.figure import draw_growth

        draw_growth(growth, plot)
        say(f"written: {plot}")
    put(markdown(whole), whole, json_file)


def _end_to_end(
    clip: Path,
    rounds: int,
    backends: "Sequence[str]",
    peer: bool,
    image_size: int,
    device: str,
    say: "Callable[[str], None]",
) -> list[dict[str, Any]]:
    from detector.benchmark.end_to_end import PEER, Pass, in_turn, ours, summary, theirs
    from detector.letterbox import longest_side
    from detector.video.frames import Reader

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "drawn.mp4"
        programs: dict[str, Callable[[], Pass]] = {
            f"fmnist detect, {name}": partial(ours, clip, output, image_size, device, name)
            for name in backends
        }
        if peer:
            longest = longest_side(*Reader(clip).size_wh, image_size)
            programs[PEER] = partial(theirs, clip, Path(folder), longest, device)
        passes = in_turn(programs, rounds, say)
    peers = passes.get(PEER, [])
    return [summary(name, its, peers if name != PEER else ()) for name, its in passes.items()]


def _told(module: str, *words: str) -> dict[str, Any]:
    """What a measurement in a process of its own prints."""
    from fmnist.benchmark.program import run

    ended = run([sys.executable, "-P", "-m", f"detector.benchmark.{module}", *words])
    facts: dict[str, Any] = json.loads(ended.lines[-1][1])
    return facts
