"""`fmnist detect --show` on a display without a screen (Xvfb): pictures appear, Ctrl-C ends it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests import clips
from tests.command import ROOT

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A display's name, and the file that holds what it shows (after an XWD header)."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24"]
    server = subprocess.Popen(
        [*command, "-fbdir", str(tmp_path)], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}", tmp_path / "Xvfb_screen0"
    server.terminate()
    server.wait()


def wait_until(happens: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 90
    while not happens():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)


def test_frames_are_shown_and_ctrl_c_leaves_whole_files(
    screen: tuple[str, Path], untrained: Path, tmp_path: Path
) -> None:
    clips.clip(tmp_path / "long.mp4", [i / 25 for i in range(2000)])
    options = ["--show", "-o", "x.mp4", "--json", "x.jsonl", "--device", "cpu"]
    weights = ["--grid", str(untrained / "grid.safetensors")]
    weights += ["--head", str(untrained / "head.safetensors")]
    display, pixels = screen
    process = subprocess.Popen(
        [sys.executable, "-c", "import cli; cli.main()", "detect", "long.mp4", *options, *weights],
        cwd=tmp_path,
        env={**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def shows_the_clip() -> bool:
        shown = np.fromfile(pixels, np.uint8)[-640 * 480 * 4 :].reshape(-1, 4)[:, :3]
        return len(np.unique(shown, axis=0)) > 500

    wait_until(shows_the_clip, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "written: x.mp4, x.jsonl" in told
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert 1 < len(lines) <= 2000
    assert len(clips.frames_in(tmp_path / "x.mp4")) == len(lines) - 1
