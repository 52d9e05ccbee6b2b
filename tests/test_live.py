"""`fmnist live`: what cannot work is told before anything heavy is loaded; the API beside it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect

from detector import Detector
from tests import clips
from tests.command import ROOT, fmnist
from tests.display import MISSING
from tests.served import answer, jpeg

CLIP = "clip.mp4"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live") / "desk"
    folder.mkdir()
    clips.clip(folder / CLIP)
    (folder / "taken.mp4").write_bytes(b"an earlier recording")
    return folder


# Each row: the arguments, what the user reads.
BAD = [
    (CLIP, "no display. Use fmnist live --web."),
    ("63 --web", "camera 63 cannot be opened. Found: "),
    ("no.mp4 --web", "no.mp4: no such file."),
    ("gopher://x --web", "gopher: no such protocol. Choose from: rtsp,"),
    (f"{CLIP} --size 640", "640 is no size. Give width and height, for example 640x480."),
    (f"{CLIP} --web --size 640x480", "clip.mp4 has its own size. Leave out --size."),
    (f"{CLIP} --record x.avi", "x.avi: video is written as MP4. Name it x.mp4."),
    (f"{CLIP} --record taken.mp4", "taken.mp4 exists."),
    (
        f"{CLIP} --record ../desk/{CLIP} --overwrite",
        f"../desk/{CLIP} is the source and would be lost. Choose another name.",
    ),
    (f"{CLIP} --classes Shrt", "Shrt: no such class. Did you mean Shirt?"),
    ("--web --mirror", "are for the window. Leave them or --web out."),
    ("--web --size 640x480", "--size is asked of a camera of the server."),
    ("--web 127.0.0.1:80 --port 0", "127.0.0.1:80 and --host or --port tell two places."),
    ("--web --record x.avi", "x.avi: video is written as MP4. Name it x.mp4."),
    (f"{CLIP} --web --record taken.mp4", "taken.mp4 exists."),
    ("--web --host 192.0.2.1 --port 0", "192.0.2.1 is no address of this machine."),
    ("--web --host no..name --port 0", "no..name is no address of this machine."),
    ("--web --port 70000", "'--port': "),
    ("--web --tls no.pem no.key", "no.pem: no such file."),
    (f"--web --tls taken.mp4 {CLIP}", f"taken.mp4 and {CLIP} are no certificate and its key."),
    ("--web 192.0.2.1:0", "192.0.2.1 is no address of this machine."),
    ("--web [2001:db8::1]:8000", "2001:db8::1 is no address of this machine."),
    ("--web 127.0.0.1:65536", "127.0.0.1:65536: ports end at 65535."),
    (
        "0.0.0.0:8000",
        "0.0.0.0:8000 is no file. To serve the page there, give --web 0.0.0.0:8000.",
    ),
    ("http://u:secret@127.0.0.1:9/x?k=secret --web", "http://127.0.0.1:9 cannot be opened."),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_what_cannot_work_is_told_in_a_sentence(desk: Path, arguments: str, message: str) -> None:
    outcome = fmnist("live", *arguments.split(), folder=desk)
    assert outcome.code == 2 and outcome.out == ""
    assert message in outcome.err and outcome.err.startswith("fmnist: ")
    assert "secret" not in outcome.err and "Traceback" not in outcome.err
    assert not {"torch", "ultralytics", "matplotlib"} & outcome.modules
    assert (desk / "taken.mp4").read_bytes() == b"an earlier recording"


@pytest.mark.skipif(MISSING is not None, reason=f"{MISSING} is not installed")
def test_a_display_that_is_not_there_is_told(desk: Path) -> None:
    outcome = fmnist("live", CLIP, folder=desk, environment={"DISPLAY": ":5977"})
    assert outcome.code == 2
    assert outcome.err == "fmnist: no display at :5977. Use fmnist live --web.\n"
    assert "torch" not in outcome.modules


def test_a_port_that_is_in_use_is_told(desk: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        outcome = fmnist("live", "--web", "--port", port, folder=desk)
    assert outcome.code == 2
    assert f"127.0.0.1:{port} is in use. Choose another port" in outcome.err
    assert "torch" not in outcome.modules


def test_the_cameras_are_listed(desk: Path) -> None:
    outcome = fmnist("live", "--list-cameras", folder=desk)
    assert outcome.code == 0
    assert "no camera was found" in outcome.err or re.match(r"\d+  ", outcome.out)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("source", ["0.0.0.0:0", CLIP])
def test_the_page_is_served_until_it_is_ended_with_a_token_where_others_can_reach_it(
    desk: Path, untrained: Path, end: signal.Signals, source: str
) -> None:
    (desk / "visits.mp4").unlink(missing_ok=True)
    weights = ["--grid", str(untrained / "grid.safetensors")]
    weights += [
        "--head",
        str(untrained / "head.safetensors"),
        "--device",
        "cpu",
        "--backend",
        "torch",
    ]
    address = ["--host", "0.0.0.0", "--port", "0"] if source == CLIP else []
    cache = {"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    # As a shell starts its programs: what `make` runs in the background ignores Ctrl-C.
    heed = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); import cli; cli.main()"
    run = [sys.executable, "-c", heed, "live", source, "--web", *address, *weights]
    with (
        subprocess.Popen(
            [*run, "--record", "visits.mp4"],
            cwd=desk,
            env=cache | {"PYTHONPATH": str(ROOT), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
        contextlib.ExitStack() as failed,
    ):
        failed.callback(program.kill)  # it would be waited for
        assert program.stdout and program.stderr
        found = re.fullmatch(r"http://[\d.]+:(\d+)/\?token=(\S{20,})\n", program.stdout.readline())
        assert found
        assert "--tls" in program.stderr.readline()
        page = f"127.0.0.1:{found[1]}/?token={found[2]}"
        assert b"<title>fmnist live</title>" in urlopen(f"http://{page}", timeout=60).read()
        with connect(f"ws://{page.replace('?', 'frames?')}", compression=None) as client:
            client.send(jpeg(7))
            assert "boxes" in answer(client)
            program.send_signal(end)
            told = program.stderr.read()
        program.wait()
    assert program.returncode == 130
    assert "0 frames" in told and "interrupted" in told and "written: visits.mp4" in told
    assert [clips.number_of(image) for image in clips.frames_in(desk / "visits.mp4")] == [7]


def test_the_api_gives_every_frame_of_a_file_with_its_garments() -> None:
    counts: list[int] = []
    for frame, found in Detector(confidence=0.5).stream(ROOT / "demo" / "garments.mp4"):
        assert frame.index == len(counts) and frame.image.shape == (720, 1280, 3)
        counts.append(len(found))
        if len(counts) == 10:
            break
    assert max(counts) >= 3


def test_reading_video_does_not_load_torch() -> None:
    code = "import sys, detector, detector.video.newest; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_what_the_package_lacks_is_told() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        getattr(__import__("detector"), "nothing")  # noqa: B009
