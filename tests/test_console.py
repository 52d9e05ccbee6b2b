"""How a run ends when it cannot go on: exit code and text, in a real process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import CODE, ROOT, fmnist


# What goes wrong inside, and the process that stands for it: `cli` with one line before it.
def broken(line: str) -> str:
    return CODE.replace("\ncode =", f"\nimport commands.classifiers\n{line}\ncode =")


def failing(*lines: str) -> str:
    """The process for `fmnist evaluate vgg` in which these lines run in the place of its work."""
    body = "\n".join(f"    {line}" for line in lines)
    return broken(f"def fail(name):\n{body}\ncommands.classifiers.classifier_file = fail")


def test_a_bug_of_ours_is_one_line_and_debug_shows_its_traceback(tmp_path: Path) -> None:
    code = broken("commands.classifiers.classifier_file = lambda name: 1 / 0")
    outcome = fmnist("evaluate", "vgg", folder=tmp_path, code=code)
    assert outcome.code == 1
    assert outcome.err == (
        "fmnist: internal error: ZeroDivisionError: division by zero; "
        "run with --debug for the traceback\n"
    )
    for words in (["--debug", "evaluate", "vgg"], ["evaluate", "vgg", "--debug"]):
        assert "Traceback" in fmnist(*words, folder=tmp_path, code=code).err


def test_an_interrupt_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    ready = "import signal; signal.signal(2, signal.default_int_handler)"  # a shell may ignore it
    code = broken(
        f"{ready}; commands.classifiers.classifier_file = lambda name: signal.raise_signal(2)"
    )
    outcome = fmnist("evaluate", "vgg", folder=tmp_path, code=code)
    assert (outcome.code, outcome.err) == (130, "fmnist: interrupted\n")


def test_a_missing_libgl_is_told_with_its_package(tmp_path: Path) -> None:
    message = "libGL.so.1: cannot open shared object file: No such file or directory"
    code = failing(f"raise ImportError({message!r})")
    outcome = fmnist("evaluate", "vgg", folder=tmp_path, code=code)
    assert outcome.code == 2
    assert outcome.err.startswith("fmnist: OpenCV needs libGL: apt install libgl1")


def test_the_work_goes_on_when_nobody_reads_stderr(tmp_path: Path) -> None:
    code = "from commands.progress import Progress; Progress().say('1'); Progress().say('2')"
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", f"{code}; print('done')"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=writing)
    os.close(writing)
    assert (done.returncode, done.stdout) == (0, b"done\n")
    with open("/dev/full", "w") as full:
        wrong = [sys.executable, "-c", "import cli; cli.main()", "train", "vg"]
        assert subprocess.run(wrong, cwd=ROOT, stderr=full).returncode == 2


def test_a_stream_that_knows_only_ascii_gets_ascii(tmp_path: Path) -> None:
    outcome = fmnist("detect", "né.mp4", folder=tmp_path, environment={"PYTHONIOENCODING": "ascii"})
    assert outcome.code == 2
    assert outcome.err.startswith("fmnist: n?.mp4: no such file.")


def test_what_was_printed_before_a_disk_is_full_is_still_read(tmp_path: Path) -> None:
    code = failing("print('a table')", "raise OSError(28, 'No space left on device', 'x.json')")
    outcome = fmnist("evaluate", "vgg", folder=tmp_path, code=code)
    assert (outcome.code, outcome.out) == (2, "a table\n")
    assert outcome.err.startswith("fmnist: x.json: No space left")


def test_a_gpu_that_is_full_is_told(tmp_path: Path) -> None:
    full = "CUDA out of memory. Tried to allocate 2 GiB"
    code = failing(
        "class OutOfMemoryError(RuntimeError): pass", f"raise OutOfMemoryError({full!r})"
    )
    outcome = fmnist("evaluate", "vgg", folder=tmp_path, code=code)
    assert outcome.code == 2 and "Choose --device cpu" in outcome.err
    assert "smaller batches (--set batch_size=64)" in outcome.err


@pytest.mark.parametrize(
    "said",
    [
        "MemoryError()",
        'RuntimeError("DefaultCPUAllocator: can\'t allocate memory: you tried")',
        "RuntimeError('OpenCV: error: (-4:Insufficient memory) Failed to allocate 9 bytes')",
    ],
)
def test_too_little_memory_is_told(tmp_path: Path, said: str) -> None:
    outcome = fmnist("evaluate", "vgg", folder=tmp_path, code=failing(f"raise {said}"))
    assert outcome.code == 2 and "too little memory. Choose a smaller" in outcome.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    command = f"{sys.executable} -m cli --version {closed}"
    assert subprocess.run(command, shell=True, cwd=ROOT).returncode == 0


def test_a_closed_stderr_says_nothing_on_stdout(tmp_path: Path) -> None:
    for words, code in (("evaluate vgggg", 2), ("models --json -", 0)):
        command = f"{sys.executable} -m cli {words} 2>&-"
        done = subprocess.run(command, shell=True, cwd=ROOT, stdout=subprocess.PIPE)
        assert done.returncode == code
        assert json.loads(done.stdout or "0") is not None


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, os.devnull, "--help"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_stdout_is_told() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "--help"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr == b"fmnist: output: No space left on device. Choose another place.\n"
