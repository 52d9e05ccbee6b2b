"""The live demo: a window, or a page in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.live_checks import (
    address_of,
    check_record,
    check_window,
    opened_source,
    print_cameras,
    size_wh_of,
)
from commands.live_page import serve_page
from commands.options import (
    Backend,
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
from detector.defaults import CONFIDENCE, GRID, HEAD, LABEL_CONFIDENCE, LEAST_ASKED, MOST_ASKED
from fmnist.checks import all_free
from fmnist.errors import InputError

if TYPE_CHECKING:
    from detector.adjustable import Adjustable

app = typer.Typer()
HERE = "127.0.0.1", 8000  # where the page is served unless told otherwise


@app.command()
def live(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Camera (0, 1, ...), video file, URL of a stream; with --web also HOST:PORT.",
            show_default="0; of a page the visitor's own",
        ),
    ] = None,
    web: Annotated[bool, typer.Option("--web", help="A page instead of a window.")] = False,
    host: Annotated[
        str | None, typer.Option(help="Where the page is served.", show_default=HERE[0])
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="0: any that is free.", show_default=str(HERE[1])),
    ] = None,
    tls: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="CERT KEY", help="Serve https: browsers ask for it off localhost."),
    ] = None,
    source_url: Annotated[
        str, typer.Option(help="Where your source code is; empty: the page hands out a ZIP.")
    ] = "",
    conf: Annotated[
        float, typer.Option(min=LEAST_ASKED, max=MOST_ASKED, help="Least confidence.")
    ] = CONFIDENCE,
    label_conf: LabelConfidence = LABEL_CONFIDENCE,
    classes: Annotated[
        str, typer.Option(help="Window only: only these, separated by commas.")
    ] = "",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Window only: mirror the picture.")
    ] = False,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size to ask the camera for.")] = "",
    all_frames: Annotated[
        bool, typer.Option("--all-frames", help="Window only: every frame of a file, however slow.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(metavar="MP4", help="Record what is shown; of a page, each visit."),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.1, max=1e6, help="End after so many seconds.")
    ] = None,
    list_cameras: Annotated[
        bool, typer.Option("--list-cameras", help="List the cameras, then end.")
    ] = False,
    image_size: ImageSize = None,
    grid: GridWeights = GRID,
    head: HeadWeights = HEAD,
    device: Device = "auto",
    backend: Backend = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find garments in what a camera sees now.

    h in the window lists its keys.
    """
    if list_cameras:
        return print_cameras()

    wanted = classes_of(classes)
    size_wh = size_wh_of(size)
    if record:
        check_record(record, source)
    all_free(overwrite, record)
    weights = grid_file(grid), classifier_file(head)

    if address := address_of(source or ""):
        if not web:
            raise InputError(f"{source} is no file. To serve the page there, give --web {source}.")
        if host or port is not None:
            raise InputError(f"{source} and --host or --port tell two places. Leave one out.")
        source, (host, port) = None, address
    if web:
        if mirror or all_frames or wanted:
            raise InputError(
                "--mirror, --all-frames and --classes are for the window. Leave them or --web out."
            )
        if size_wh and not source:
            raise InputError("--size is asked of a camera of the server. Name one: live 0 --web.")
        opened = opened_source(source, size_wh, False) if source else None
        return serve_page(
            lambda: _adjustable(weights, device, image_size, backend, quiet, conf),
            opened,
            conf,
            label_conf,
            host=host or HERE[0],
            port=HERE[1] if port is None else port,
            tls=tls,
            source_url=source_url,
            record=record,
            duration=duration,
            overwrite=overwrite,
            quiet=quiet,
        )

    check_window(host, port, tls, source_url)

    from detector.display import check_display

    check_display("Use fmnist live --web.")
    opened = opened_source(source or "0", size_wh, all_frames)

    from detector.detect import Settings
    from detector.live.window import Window
    from detector.video.frames import Reader
    from detector.video.newest import Newest

    rate = opened.fps if all_frames and isinstance(opened, Reader) else None
    adjustable = _adjustable(weights, device, image_size, backend, quiet, conf, rate)
    window = Window(
        Newest.of(opened, all_frames),
        adjustable(),
        Settings(conf, label_conf, wanted),
        mirror,
        record,
        duration,
    )
    try:
        window.run()
    finally:
        if not quiet:
            say(str(window.figures))
            say(written(window.written))


def _adjustable(
    weights: tuple[Path, Path],
    device: str,
    image_size: int | None,
    backend: str,
    quiet: bool,
    conf: float,
    rate: float | None = None,
) -> "Callable[[], Adjustable]":
    """Makes a detector, whose confidence is `conf` and may change, for the frames of one video.

    Of a file that is seen as a whole, however slowly, `rate` is its frames a second; otherwise the
    frames are as many as it can keep up with.
    """
    from dataclasses import replace

    from detector.adjustable import Adjustable
    from detector.cores import leave_a_core
    from detector.live.keep_up import keep_up
    from detector.pipeline import Detector, watch

    leave_a_core()
    grid, head = weights
    report = quiet_or_say(quiet)
    detector = Detector.load(device, grid, head, image_size=image_size, backend=backend, say=report)
    own = detector.grid.image_size
    if image_size is None and rate is None and keep_up(detector.grid):
        report(
            f"to keep up, frames are read smaller here (--image-size {own} for all that it sees)"
        )
    return lambda: Adjustable(
        lambda confidence: watch(replace(detector, confidence=confidence), rate), conf
    )
