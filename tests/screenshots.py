"""Draws the README's pictures of the live window and page: `python -m tests.screenshots`.

docs/live-window.jpg and docs/live-page.jpg, with the shipped weights and the bundled clip.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from detector.boxes import Picture
from detector.video.frames import read
from tests.browser import Browser, browser, camera_clip
from tests.command import ROOT
from tests.display import display, wait_until

CLIP = ROOT / "demo" / "garments.mp4"
DOCS = ROOT / "docs"
WIDTH = 1280  # of both pictures
GAP = 24


def main() -> None:
    _save(window(), DOCS / "live-window.jpg")
    with tempfile.TemporaryDirectory() as folder:
        desk, phone = page(Path(folder))
    _save(side_by_side(desk, phone), DOCS / "live-page.jpg")


def window() -> Picture:
    """The window while it shows the clip."""
    run = ["live", str(CLIP), "--all-frames", "--device", "cpu"]
    with display((1280, 720)) as screen:
        program = subprocess.Popen(
            [sys.executable, "-m", "cli", *run], cwd=ROOT, env=screen.environment
        )
        pictures: list[Picture] = []

        def is_warm() -> bool:
            pictures.append(screen.pixels())
            return len({picture[::9, ::9].tobytes() for picture in pictures[-300:]}) > 40

        wait_until(is_warm, program)
        screen.press("q")
        program.wait()
    return pictures[-1]


def page(folder: Path) -> tuple[Picture, Picture]:
    """The page on a desk, and on a phone."""
    frames = islice(read(CLIP), 60, 140, 2)
    images = [np.asarray(cv2.resize(frame.image, (960, 540)), np.uint8) for frame in frames]
    camera = camera_clip(folder / "clip.y4m", images)
    with live_web() as (url, _), browser(folder / "profile", camera) as opened:
        desk = _shot(opened, url, 1280, 800, is_phone=False)
        phone = _shot(opened, url, 390, 800, is_phone=True)
    return desk, phone


@contextlib.contextmanager
def live_web() -> Iterator[tuple[str, int]]:
    """`fmnist live --web` with the shipped weights: its address and process id."""
    run = ["live", "--web", "--port", "0", "--device", "cpu"]
    server = subprocess.Popen(
        [sys.executable, "-m", "cli", *run], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        yield server.stdout.readline().strip(), server.pid
    finally:
        server.terminate()
        server.wait()


def side_by_side(desk: Picture, phone: Picture) -> Picture:
    """Both on one sheet."""
    gap = np.full((desk.shape[0], GAP, 3), 255, np.uint8)
    return np.hstack([desk, gap, phone])


def _shot(opened: Browser, url: str, width: int, height: int, is_phone: bool) -> Picture:
    opened.open(url, width, height, is_phone)
    opened.click("#start")
    opened.wait("fmnist.statistics().frames > 20 && fmnist.boxes().filter(b => b.label).length > 3")
    return opened.screenshot()


def _save(picture: Picture, path: Path) -> None:
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    small = cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small, [cv2.IMWRITE_JPEG_QUALITY, 82])
    print(f"written: {path.relative_to(ROOT)}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
