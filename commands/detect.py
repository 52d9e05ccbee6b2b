"""`fmnist detect`: labelled boxes drawn over videos and images."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    Backend,
    Confidence,
    Device,
    GridWeights,
    HeadWeights,
    ImageSize,
    LabelConfidence,
    Overwrite,
    Quiet,
    classes_of,
    classifier_file,
    grid_file,
    quiet_or_say,
    say,
    written,
)
from detector.defaults import CONFIDENCE, GRID, HEAD, LABEL_CONFIDENCE
from fmnist.errors import InputError
from fmnist.training.run_folder import name_of_weights

app = typer.Typer()


@app.command()
def detect(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Videos, images, folders, globs.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Drawn video, or a folder.")
    ] = None,
    json_file: Annotated[
        str, typer.Option("--json", metavar="FILE", help="JSON lines; - is stdout.")
    ] = "",
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Picture of some of the frames.")
    ] = None,
    conf: Confidence = CONFIDENCE,
    label_conf: LabelConfidence = LABEL_CONFIDENCE,
    classes: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    every: Annotated[int, typer.Option(min=1, help="Detect only in every n-th frame.")] = 1,
    max_frames: Annotated[
        int | None, typer.Option(min=1, help="Stop each source after so many frames.")
    ] = None,
    track: Annotated[bool, typer.Option(help="Steady ids and labels in videos.")] = True,
    show: Annotated[
        bool,
        typer.Option("--show", help="Open a window, till it is closed; keys go on from a picture."),
    ] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="No drawn video.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Damaged frames are an error.")] = False,
    image_size: ImageSize = None,
    grid: GridWeights = GRID,
    head: HeadWeights = HEAD,
    device: Device = "auto",
    backend: Backend = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw labelled boxes around the garments in videos and images."""
    wanted = classes_of(classes)

    from detector.video.sources import find_sources

    find_sources(sources, [])  # a wrong name is told before OpenCV is loaded

    from detector.display import check_display
    from detector.plan import plan_outputs

    if show:
        check_display()
    plan = plan_outputs(sources, output, json_file, contact_sheet, no_video, overwrite)
    grid_path, head_path = grid_file(grid), classifier_file(head)

    from commands.progress import Progress
    from detector.cores import leave_a_core
    from detector.detect import Settings
    from detector.detect import detect as run_over
    from detector.output.summary import Interrupted
    from detector.pipeline import Detector, watch

    leave_a_core()
    report = quiet_or_say(quiet)
    detector = Detector.load(device, grid_path, head_path, conf, image_size, backend, report)
    settings = Settings(conf, label_conf, wanted, every, max_frames, track)
    facts = {
        "grid": name_of_weights(grid_path),
        "head": name_of_weights(head_path),
        "backend": detector.grid.backend,
        "image_size": detector.grid.image_size,
    }
    watcher = partial(watch, detector)
    with Progress(quiet) as progress:
        try:
            summary = run_over(plan, watcher, settings, facts, show, progress)
        except Interrupted as stop:
            for line in (*stop.summary.failed, written(stop.summary.written)):
                say(line)
            raise
        progress.say(str(summary))
        progress.say(written(summary.written))
    wrong = list(summary.failed)
    if strict and summary.damage:
        wrong.append(f"{summary.damage}. Leave out --strict to accept that.")
    if wrong:
        raise InputError(" ".join(wrong))
