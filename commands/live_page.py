"""The page of `fmnist live --web`: its address is taken, a detector loaded, and it is served."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commands.live_checks import check_tls
from commands.options import say, written

if TYPE_CHECKING:
    from detector.adjustable import Adjustable
    from detector.video.cameras import Camera
    from detector.video.frames import Reader


@dataclass(frozen=True)
class Page:
    """Where and how the page is served."""

    host: str
    port: int
    tls: tuple[Path, Path] | None
    source_url: str
    record: Path | None
    duration: float | None
    overwrite: bool
    quiet: bool

    def serve(
        self,
        detectors: "Callable[[], Callable[[float], Adjustable]]",
        opened: "Reader | Camera | None",
        conf: float,
        label_conf: float,
    ) -> None:
        """Take the address, load the detector, serve; then tell how fast it was."""
        if self.tls:
            check_tls(*self.tls)

        from detector.web.server import bind, link, server_of
        from detector.web.server import serve as serve_at

        listening = bind(self.host, self.port)
        adjustable = detectors()

        from detector.live.figures import Figures
        from detector.web.app import Site
        from detector.web.guard import Guard
        from detector.web.recordings import Recordings

        guard, figures = Guard.of(self.host), Figures()
        recordings = Recordings(self.record, say, self.overwrite)
        site = Site(
            lambda: adjustable(conf),
            guard,
            figures,
            conf,
            label_conf,
            opened,
            self.source_url,
            recordings=recordings,
        )
        server = server_of(site.app(), self.tls, patience=60 if self.record else 2)
        print(link(listening, guard, self.tls is not None), flush=True)
        if guard.token and not (self.tls or self.quiet):
            say("browsers give their camera to https pages only: --tls; a file works without")
        try:
            serve_at(server, listening, self.duration)
        finally:
            recordings.finish()  # a second Ctrl-C does not wait for the server's own end
            if not self.quiet:
                say(str(figures))
                if self.record:
                    say(written(recordings.written))
