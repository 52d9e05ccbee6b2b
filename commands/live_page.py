"""The page of `fmnist live --web`: its address is taken, a detector loaded, and it is served."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands.live_checks import check_tls
from commands.options import say, written

if TYPE_CHECKING:
    from detector.adjustable import Adjustable
    from detector.video.cameras import Camera
    from detector.video.frames import Reader


def serve_page(
    detectors: "Callable[[], Callable[[], Adjustable]]",
    opened: "Reader | Camera | None",
    conf: float,
    label_conf: float,
    *,
    host: str,
    port: int,
    tls: tuple[Path, Path] | None,
    source_url: str,
    record: Path | None,
    duration: float | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Take the address, load the detector, serve; then tell how fast it was."""
    if tls:
        check_tls(*tls)

    from detector.web.server import bind, link, serve, server_of

    listening = bind(host, port)
    adjustable = detectors()

    from detector.live.figures import Figures
    from detector.web.app import Site
    from detector.web.guard import Guard
    from detector.web.recordings import Recordings

    guard, figures = Guard.of(host), Figures()
    recordings = Recordings(record, say, overwrite)
    site = Site(
        adjustable,
        guard,
        figures,
        conf,
        label_conf,
        opened,
        source_url,
        recordings=recordings,
    )
    server = server_of(site.app(), tls, patience=60 if record else 2)
    print(link(listening, guard, tls is not None), flush=True)
    if guard.token and not (tls or quiet):
        say("browsers give their camera to https pages only: --tls; a file works without")
    try:
        serve(server, listening, duration)
    finally:
        recordings.finish()  # a second Ctrl-C does not wait for the server's own end
        if not quiet:
            say(str(figures))
            if record:
                say(written(recordings.written))
