"""Windows on a display without a screen (Xvfb): what they show, what keys and buttons do."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.boxes import Picture
from tests import clips, mjpeg
from tests.command import ROOT
from tests.display import MISSING, SECONDS, Display, display, pixels_of, wait_until

pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"{MISSING} is not installed")
SIZE_WH, FPS = (320, 240), 2.5
STARTS = 8  # of a program whose window is not painted
BLACK_SECONDS = 10.0  # after which it is not going to be
CURSOR = 3000  # bytes of the screen that the pointer may colour

Program = subprocess.Popen[str]


@pytest.fixture
def screen() -> Iterator[Display]:
    with display() as shown:
        yield shown


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 seconds of numbered frames: few, so that they are made in no time."""
    times = [i / FPS for i in range(250)]
    return clips.clip(tmp_path_factory.mktemp("window") / "long.mp4", times, SIZE_WH)


def hear_signals() -> None:
    """In the new process: what nohup and shells in the background ignore for their children."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(screen: Display, folder: Path, *arguments: str) -> Program:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=screen.environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    )


def shown(screen: Display, folder: Path, is_there: Callable[[], bool], *arguments: str) -> Program:
    """A program, begun in a folder that is empty, whose window shows what is waited for.

    Of a hundred starts on a busy machine Qt 5 misses MapNotify and Expose in some (they never
    come to its log), and paints nothing from then on: such a start, and no other, is made again.
    """
    for _ in range(STARTS):
        program = start(screen, folder, *arguments)
        if not stays_black(screen, program, is_there):
            return program
        program.kill()
        program.communicate()
        for path in folder.iterdir():
            path.unlink()
    raise AssertionError("no window was painted")


def stays_black(screen: Display, program: Program, is_there: Callable[[], bool]) -> bool:
    """Whether its window is open, and nothing in it, for a while or until the program ends."""
    opened, deadline = math.inf, time.monotonic() + SECONDS
    while not is_there():
        if screen.pixels().astype(bool).sum() > CURSOR:
            wait_until(is_there, program)
            return False
        if program.poll() is not None:
            assert program.returncode == 0, program.communicate()
            return True
        now = time.monotonic()
        if opened == math.inf and screen.has_window("fmnist"):
            opened = now
        if now - opened > BLACK_SECONDS:
            return True
        assert now < deadline, "no window was opened"
        time.sleep(0.05)
    return False


def live(screen: Display, folder: Path, *arguments: str) -> Program:
    """A live window that shows both garments."""
    run = ["-m", "tests.live_window", *arguments]
    return shown(screen, folder, lambda: has(screen.pixels(), "Shirt"), *run)


def has(picture: Picture, name: str, pixels: int = 100) -> bool:
    """Whether a box of this class is there."""
    return pixels_of(picture, name) >= pixels


def many_colours(picture: Picture) -> bool:
    """Whether it shows more than what windows are made of."""
    return len(np.unique(picture[::4, ::4, 0])) > 100


def saved(folder: Path, name: str, program: Program) -> Picture:
    wait_until((folder / name).exists, program)
    return np.asarray(cv2.imread(str(folder / name)), np.uint8)


@pytest.mark.parametrize(("end", "code"), [("Ctrl-C", 130), ("close button", 0)])
def test_detect_shows_its_frames_and_leaves_whole_files_however_it_ends(
    screen: Display, clip: Path, untrained: Path, tmp_path: Path, end: str, code: int
) -> None:
    options = ["--show", "-o", "x.mp4", "--json", "x.jsonl", "--device", "cpu"]
    weights = ["--grid", str(untrained / "grid.safetensors")]
    weights += ["--head", str(untrained / "head.safetensors")]
    run = ["-c", "import cli; cli.main()", "detect", str(clip), *options, *weights]
    program = shown(screen, tmp_path, lambda: many_colours(screen.pixels()), *run)
    if end == "Ctrl-C":
        program.send_signal(signal.SIGINT)
    else:
        screen.close_window("fmnist detect")
    _, told = program.communicate(timeout=SECONDS)
    assert program.returncode == code, told
    assert "written: x.mp4, x.jsonl" in told
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert 1 < len(lines) < 250
    assert len(clips.frames_in(tmp_path / "x.mp4")) == len(lines) - 1


def test_a_picture_is_shown_until_a_key_is_pressed(
    screen: Display, untrained: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    picture = str(tmp_path_factory.mktemp("picture") / "a.png")
    cv2.imwrite(picture, clips.numbered(3, (320, 240)))
    weights = ["--grid", str(untrained / "grid.safetensors")]
    weights += ["--head", str(untrained / "head.safetensors")]
    options = ["--show", "--no-video", "--device", "cpu", *weights]
    run = ["-c", "import cli; cli.main()", "detect", picture, *options]
    program = shown(screen, tmp_path, lambda: many_colours(screen.pixels()), *run)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(1)
    screen.press("space")
    program.communicate(timeout=SECONDS)
    assert program.returncode == 0


def test_the_keys_do_what_the_help_says(screen: Display, clip: Path, tmp_path: Path) -> None:
    program = live(screen, tmp_path, str(clip))
    screen.press("space", "s")
    first = saved(tmp_path, "fmnist-001.png", program)
    assert first.shape == (240, 320, 3)
    assert has(first, "Shirt") and has(first, "Trouser")
    screen.press("s")
    np.testing.assert_array_equal(saved(tmp_path, "fmnist-002.png", program), first)  # it stands

    screen.press("plus", "plus")  # 0.35: the trousers have 0.32
    wait_until(lambda: not has(screen.pixels(), "Trouser"), program)
    assert has(screen.pixels(), "Shirt")
    screen.press("minus")
    wait_until(lambda: has(screen.pixels(), "Trouser"), program)

    with_label = pixels_of(screen.pixels(), "Shirt")
    screen.press("l")
    wait_until(lambda: pixels_of(screen.pixels(), "Shirt") < 0.8 * with_label, program)
    assert has(screen.pixels(), "Shirt")  # its box
    screen.press("l")
    wait_until(lambda: pixels_of(screen.pixels(), "Shirt") == with_label, program)

    bright = screen.pixels()[80:160, 130:190].mean()
    screen.press("h")
    wait_until(lambda: screen.pixels()[80:160, 130:190].mean() < 0.6 * bright, program)
    screen.press("h")
    wait_until(lambda: screen.pixels()[80:160, 130:190].mean() > 0.9 * bright, program)

    screen.press("space", "s")  # goes on
    later = saved(tmp_path, "fmnist-003.png", program)
    assert clips.number_of(later) != clips.number_of(first)
    screen.press("q")
    out, _ = program.communicate(timeout=SECONDS)
    assert program.returncode == 0
    assert out.split() == ["fmnist-001.png", "fmnist-002.png", "fmnist-003.png"]


def test_a_folder_that_takes_nothing_does_not_end_what_is_live(
    screen: Display, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    program = live(screen, folder, str(clip))
    folder.rmdir()
    screen.press("s")
    screen.press("r")
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(1.5)  # some frames, the first of which would be recorded
    screen.press("q")
    out, told = program.communicate(timeout=SECONDS)
    assert program.returncode == 0, told
    assert not out.split()


def red_dot(screen: Display) -> bool:
    """Whether the status line tells of a recording."""
    corner = screen.pixels()[222:240, :28].astype(int)
    return int(((corner[:, :, 2] > 200) & (corner[:, :, :2].max(2) < 120)).sum()) > 20


def test_a_recording_lasts_from_key_to_key(screen: Display, clip: Path, tmp_path: Path) -> None:
    program = live(screen, tmp_path, str(clip))
    assert not red_dot(screen)
    screen.press("r")
    wait_until(lambda: red_dot(screen), program)
    wait_until(lambda: any(tmp_path.glob(".fmnist-001.mp4.*")), program)
    screen.press("r")
    wait_until((tmp_path / "fmnist-001.mp4").exists, program)
    wait_until(lambda: not red_dot(screen), program)
    screen.press("Escape")
    out, _ = program.communicate(timeout=SECONDS)
    assert program.returncode == 0 and out.split() == ["fmnist-001.mp4"]
    images = clips.frames_in(tmp_path / "fmnist-001.mp4")
    numbers = [clips.number_of(image) for image in images]
    assert numbers == sorted(set(numbers))
    assert has(images[-1], "Shirt")
    # Each frame lasts as long as in the source, also where some between were left out.
    lasted = clips.seconds_of(tmp_path / "fmnist-001.mp4")
    assert lasted == pytest.approx((numbers[-1] - numbers[0] + 1) / FPS, abs=0.5)


ENDS = {"Ctrl-C": signal.SIGINT, "kill": signal.SIGTERM, "closed terminal": signal.SIGHUP}


@pytest.mark.parametrize("end", [*ENDS, "close button"])
def test_the_recording_can_be_played_however_it_ends(
    screen: Display, clip: Path, tmp_path: Path, end: str
) -> None:
    program = live(screen, tmp_path, str(clip), "x.mp4")
    wait_until(lambda: any(tmp_path.glob(".x.mp4.*")), program)
    if end in ENDS:
        program.send_signal(ENDS[end])
    else:
        screen.close_window("fmnist live")
    out, told = program.communicate(timeout=SECONDS)
    assert out.split() == ["x.mp4"]
    assert ("KeyboardInterrupt" in told) == (end in ENDS)
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
    assert has(clips.frames_in(tmp_path / "x.mp4")[0], "Shirt")


@pytest.mark.parametrize("paused", [False, True])
def test_the_recording_of_a_camera_that_is_pulled_can_be_played(
    screen: Display, tmp_path: Path, paused: bool
) -> None:
    camera = mjpeg.Camera()
    try:
        program = live(screen, tmp_path, camera.url, "x.mp4")
        wait_until(lambda: camera.number > 20, program)
        if paused:
            screen.press("space")
        camera.is_there = False
        out, told = program.communicate(timeout=SECONDS)
    finally:
        camera.close()
    assert out.split() == ["x.mp4"]
    assert "stopped, and did not come back" in told and "secret" not in told
    assert clips.frames_in(tmp_path / "x.mp4")


def test_the_command_records_what_a_camera_that_looks_at_you_shows(
    screen: Display, clip: Path, untrained: Path, tmp_path: Path
) -> None:
    arguments = ["live", str(clip), "--record", "x.mp4", "--mirror", "--duration", "3"]
    arguments += ["--device", "cpu", "--conf", "0.95"]
    arguments += ["--grid", str(untrained / "grid.safetensors")]
    arguments += ["--head", str(untrained / "head.safetensors")]
    program = start(screen, tmp_path, "-c", "import cli; cli.main()", *arguments)
    _, told = program.communicate(timeout=SECONDS)
    assert program.returncode == 0, told
    assert "written: x.mp4" in told
    images = clips.frames_in(tmp_path / "x.mp4")
    numbers = [clips.number_of(np.asarray(cv2.flip(image, 1), np.uint8)) for image in images]
    assert numbers and numbers == sorted(set(numbers)) and max(numbers) < 100


def test_live_finds_the_garments_of_the_demo_clip(screen: Display, tmp_path: Path) -> None:
    demo = str(ROOT / "demo" / "garments.mp4")
    arguments = ["live", demo, "--all-frames", "--device", "cpu", "--duration", "600"]
    run = ["-c", "import cli; cli.main()", *arguments]
    program = shown(screen, tmp_path, lambda: has(screen.pixels(), "Trouser", 1000), *run)
    screen.press("q")
    _, told = program.communicate(timeout=SECONDS)
    assert program.returncode == 0
    assert "frames" in told and "written: nothing" in told
