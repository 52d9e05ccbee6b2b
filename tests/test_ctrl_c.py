"""Ctrl-C while networks and encoders work in other threads: told in a line, all files whole."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import clips
from tests.command import ROOT


@pytest.mark.parametrize("pauses", [(), (0.0,), (0.1,), (0.05, 0.05, 0.3), (0.02,) * 12])
def test_however_often_it_is_pressed_the_command_ends_with_130(
    tmp_path: Path, pauses: tuple[float, ...]
) -> None:
    words = ["detect", str(ROOT / "demo/garments.mp4"), "--json", "x.jsonl", "-o", "x.mp4", "-q"]
    command = subprocess.Popen(
        [sys.executable, "-m", "cli", *words, "--backend", "torch"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not any(part.stat().st_size for part in tmp_path.glob(".x.jsonl.*.part")):
        assert command.poll() is None and time.monotonic() < deadline, command.communicate()
        time.sleep(0.01)
    command.send_signal(signal.SIGINT)
    for pause in pauses:
        time.sleep(pause)
        command.send_signal(signal.SIGINT)
    _, told = command.communicate(timeout=60)
    assert command.returncode == 130, told
    assert told.splitlines()[-1] == "fmnist: interrupted" and "Traceback" not in told
    if (tmp_path / "x.jsonl").exists():
        assert all(map(json.loads, (tmp_path / "x.jsonl").read_text().splitlines()))
    if (tmp_path / "x.mp4").exists():
        assert clips.frames_in(tmp_path / "x.mp4")
    assert not list(tmp_path.glob(".*.part"))
