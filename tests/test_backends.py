"""Every backend says what torch says, the fastest is found once, and exports are checked."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch

from detector.backends import choice, runners
from detector.backends.choice import candidates, measured, run_with
from detector.backends.export import compare, export
from detector.backends.graphs import Graph, GridGraph, HeadGraph, Runner
from detector.backends.names import (
    AUTO,
    BACKENDS,
    FORMATS,
    Backend,
    installed,
    runs_on,
    version_of,
)
from detector.backends.real_batches import bundled_photos, real_batches
from detector.backends.runners import in_torch, kept, read, runner_of
from detector.boxes import iou
from detector.grid import Grid
from detector.head import Head
from detector.pipeline import Detector
from detector.video.frames import read as read_frames
from fmnist.classes import CLASSES
from fmnist.errors import CheckFailed, InputError
from fmnist.models import build
from tests.command import fmnist
from tests.test_grid import noisy_network

CPU = torch.device("cpu")
T = TypeVar("T")
HERE = [name for name in FORMATS if name in candidates(CPU)]


@pytest.fixture(scope="module")
def grid() -> Grid:
    return Grid(noisy_network(), 64, CPU)


@pytest.fixture(scope="module")
def head() -> Head:
    torch.manual_seed(0)
    return Head(build("vgg"), CPU)


def barred_within(folder: Path) -> Callable[..., None]:
    """`write_whole` of somebody who may not write in there."""
    free = runners.write_whole

    def write_whole(graph: Graph, backend: str, path: Path, check: Callable[[Path], T]) -> T:
        if folder in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return free(graph, backend, path, check)

    return write_whole


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=torch.manual_seed(1), dtype=torch.uint8)


def test_the_test_machine_has_every_backend_of_a_cpu() -> None:
    assert candidates(CPU) == ["torch", "torchscript", "onnx", "openvino"]


@pytest.mark.parametrize("backend", HERE)
def test_a_kept_grid_says_the_same_for_frames_of_any_size(backend: str, grid: Grid) -> None:
    run = read(kept(grid.graph, backend), backend, CPU, precise=True)
    expected = in_torch(grid.graph, CPU, precise=True)
    for shape in ((1, 64, 64, 3), (3, 96, 160, 3), (1, 64, 64, 3)):
        for theirs, ours in zip(run(noise(*shape)), expected(noise(*shape)), strict=True):
            torch.testing.assert_close(theirs, ours, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("backend", HERE)
def test_a_kept_head_says_the_same_for_any_number_of_crops(backend: str, head: Head) -> None:
    run = read(kept(head.graph, backend), backend, CPU, precise=True)
    expected = in_torch(head.graph, CPU, precise=True)
    for count in (1, 7, 40, 1):
        (theirs,), (ours,) = run(noise(count, 28, 28)), expected(noise(count, 28, 28))
        torch.testing.assert_close(theirs, ours, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("backend", HERE)
def test_what_ran_before_is_not_overwritten(backend: str, head: Head) -> None:
    run = read(kept(head.graph, backend), backend, CPU)
    (first,) = run(noise(2, 28, 28))
    before = first.clone()
    run(255 - noise(2, 28, 28))
    assert torch.equal(first, before)


@pytest.mark.parametrize("backend", HERE)
def test_the_detector_finds_the_same_garments(backend: str) -> None:
    (bus, *_) = bundled_photos()
    frame = next(read_frames(bus)).image
    both = ("torch", backend)
    # Near the least confidence rounding decides: what one shows, the other has to see.
    one, other = (Detector.load(CPU, confidence=0.2, backend=name)(frame) for name in both)
    for shown, seen in ((one, other), (other, one)):
        shown = shown.select(shown.confidence >= 0.25)
        assert len(shown) > 1
        same = iou(shown.xyxy, seen.xyxy).argmax(1)
        assert len(set(same.tolist())) == len(same)
        np.testing.assert_allclose(seen.xyxy[same], shown.xyxy, atol=6)  # of 1080 pixels
        np.testing.assert_allclose(seen.confidence[same], shown.confidence, atol=0.05)
        assert (seen.labels[same] == shown.labels).all()


def test_the_fastest_is_found_once_and_remembered(
    grid: Grid, head: Head, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calls: list[list[str]] = []

    def fake(names: list[str], *_: object) -> dict[str, float]:
        calls.append(names)
        return {name: 5.0 - names.index(name) for name in names}

    monkeypatch.setattr(choice, "measured", fake)
    told: list[str] = []
    best = candidates(CPU)[-1]
    for _ in range(2):
        assert run_with(AUTO, (grid, head), (64, 64), told.append) == best
        assert (grid.backend, head.backend) == (best, best)
    assert len(calls) == 1 and len(told) == 2
    assert run_with(AUTO, (grid, head), (96, 64)) == best  # another size is another matter
    assert len(calls) == 2
    for damaged in ("{", "{}", '{"onnx": 1.0}'):
        for file in (tmp_path / "fmnist/fastest").iterdir():
            file.write_text(damaged)
        calls.clear()
        assert run_with(AUTO, (grid, head), (64, 64)) == best
        assert len(calls) == 1
    assert run_with("torch", (grid, head), (64, 64)) == "torch"
    assert len(calls) == 1


def test_a_measurement_names_every_backend(grid: Grid, head: Head) -> None:
    times = measured(candidates(CPU), (grid.graph, head.graph), (64, 64), CPU)
    assert [*times] == candidates(CPU)
    assert all(0 < ms < 10_000 for ms in times.values())


def test_a_backend_that_cannot_run_is_left_out(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
        raise InputError("[1, 864, 1536, 3] does not fit this engine.")

    def runner_of(graph: Graph, device: torch.device, name: str) -> Runner:
        if name == "onnx":
            raise ImportError("libonnxruntime.so: cannot open shared object file")
        return too_large if name == "engine" else in_torch(graph, device)

    monkeypatch.setattr(choice, "runner_of", runner_of)
    names = ["torch", "onnx", "engine", "openvino"]
    assert [*measured(names, [grid.graph], (64, 64), CPU)] == ["torch", "openvino"]


@pytest.mark.parametrize("backend", HERE)
def test_a_kept_export_that_was_damaged_is_written_once_more(
    backend: str, grid: Grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = kept(grid.graph, backend)
    file.write_bytes(file.read_bytes()[:1000])
    runner_of(grid.graph, CPU, backend)
    assert file.stat().st_size > 1000


def test_no_backend_phones_home(tmp_path: Path) -> None:
    """What theirs would, leaves an identity of this machine in the home first."""
    code = """
import torch
from detector.backends.runners import runner_of
from detector.head import Head
from fmnist.models import build
graph = Head(build("lenet"), torch.device("cpu")).graph
for backend in ("onnx", "openvino"):
    runner_of(graph, torch.device("cpu"), backend)
"""
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    asked = ("ORT_DISABLE_TELEMETRY", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in asked} | places
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    left = {path.name for folder in (tmp_path, tmp_path / "cache") for path in folder.iterdir()}
    assert left == {"cache", "fmnist"}


def test_other_weights_are_kept_apart(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    other = Head(build("vgg"), CPU)
    assert kept(head.graph, "torchscript") != kept(other.graph, "torchscript")


@pytest.mark.filterwarnings("ignore")  # torch calls TorchScript outdated
def test_torchscript_asks_for_no_gradients_and_leaves_ours_as_they_were(head: Head) -> None:
    before = [weight.requires_grad for weight in head.graph.parameters()]
    assert any(before)
    loaded = torch.jit.load(kept(head.graph, "torchscript"))
    assert not loaded(head.graph.example)[0].requires_grad
    assert [weight.requires_grad for weight in head.graph.parameters()] == before


def test_a_cache_that_cannot_be_written_is_done_without(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    file = kept(head.graph, "torchscript")
    assert file.is_file() and tmp_path not in file.parents
    monkeypatch.setattr(runners, "write_whole", barred_within(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of-root"))
    assert kept(head.graph, "torchscript") == file, "what root left cannot be written either"
    before = file.stat().st_mtime_ns
    assert kept(head.graph, "torchscript").stat().st_mtime_ns == before, "once for a process"


def test_an_export_that_says_something_else_leaves_nothing(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(HeadGraph):
        """Says something else when it is exported."""

        def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor]:
            (logits,) = super().forward(crops)
            return (logits + crops.float().mean() * 1e-2 * torch.arange(10),)

    real = [noise(3, 28, 28)]
    target = tmp_path / "head.onnx"
    agreement = export(head.graph, "onnx", target, CPU, real)
    assert agreement.inputs == 3 and agreement.largest < 1e-4
    target.unlink()
    wrong = Other(head.graph.network)
    agreeable = in_torch(head.graph, CPU, True)
    monkeypatch.setattr("detector.backends.export.in_torch", lambda *_, **__: agreeable)
    with pytest.raises(CheckFailed, match="probability differs by"):
        export(wrong, "onnx", target, CPU, real)
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_one_side_of_a_box_is_seen_beside_a_surer_side(grid: Grid) -> None:
    """Each side's bins compete among themselves, whatever those of another side say."""

    class Fixed(GridGraph):
        def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            distances = torch.zeros(1, 64, 1)
            distances[0, 0], distances[0, 1], distances[0, 16] = 20, 20, 40
            return distances, torch.zeros(1, 12, 1)

    graph = Fixed(grid.graph.network)

    def wrong(frames: torch.Tensor) -> tuple[torch.Tensor, ...]:
        distances, answers = graph(frames)
        distances[0, 1] = 25
        return distances, answers

    frames = [noise(1, 64, 64, 3)]
    assert compare(graph, graph, frames).largest == 0
    with pytest.raises(CheckFailed, match="probability differs by 0.49"):
        compare(graph, wrong, frames)


def test_real_inputs_are_frames_and_the_crops_in_them() -> None:
    grid = Detector.load(CPU).grid
    frames, crops = real_batches(grid, bundled_photos())
    assert len(frames) == 2 * len(bundled_photos()) and {batch.shape[3] for batch in frames} == {3}
    assert sum(map(len, crops)) > 10 and {batch.shape[1:] for batch in crops} == {(28, 28)}


@pytest.mark.parametrize("backend", HERE)
def test_ctrl_c_is_heard_after_models_came_and_went(backend: str) -> None:
    code = """
import os, signal, sys, torch
from detector.backends.runners import kept, read
from detector.head import Head
from fmnist.models import build
graph = Head(build("lenet"), torch.device("cpu")).graph
runners = [read(kept(graph, sys.argv[1]), sys.argv[1], torch.device("cpu")) for _ in range(2)]
while runners:
    del runners[0]
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
"""
    done = subprocess.run([sys.executable, "-c", code, backend], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_the_command_exports_what_runs_without_us(tmp_path: Path) -> None:
    import onnxruntime

    done = fmnist("export", "head", "--weights", "lenet", folder=tmp_path)
    assert done.code == 0, done.err
    card = json.loads((tmp_path / "lenet.onnx.json").read_text())
    assert card["input"] == {"name": "crops", "type": "uint8", "shape": ["batch", 28, 28]}
    assert card["answers"] == list(CLASSES) and card["rejects"] is False
    assert card["compared_with_torch"]["largest_difference"] < 2e-3
    session = onnxruntime.InferenceSession(tmp_path / "lenet.onnx")
    (logits,) = session.run(["logits"], {"crops": noise(5, 28, 28).numpy()})
    assert logits.shape == (5, 10)
    refused = fmnist("export", "head", "--weights", "lenet", folder=tmp_path)
    assert refused.code == 2 and "lenet.onnx exists" in refused.err


def test_a_failed_check_is_exit_code_three(tmp_path: Path) -> None:
    code = """
import sys
from detector.backends import export
export.TOLERANCE = -1.0
import cli
sys.exit(cli.run(sys.argv[2:]))
"""
    done = fmnist("export", "head", "--weights", "lenet", folder=tmp_path, code=code)
    assert done.code == 3 and "more than" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_module_has_the_version_of_the_package_that_brings_it() -> None:
    assert version_of("torch") == version("torch")
    assert version_of("cv2") == version("opencv-python")  # no package is called cv2


def test_what_is_missing_or_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "onnx", Backend(".onnx", ("no_such_module",), ("cpu",), "onnx"))
    with pytest.raises(InputError, match=r"no_such_module. Install it: pip install 'fmnist\[onnx"):
        installed("onnx")
    assert "onnx" not in candidates(CPU)
    with pytest.raises(InputError, match="openvino does not run on cuda. Choose --device cpu"):
        runs_on("openvino", "cuda")


def test_a_backend_that_cannot_be_used_leaves_the_one_before(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "onnx", Backend(".onnx", ("no_such_module",), ("cpu",), "onnx"))
    before = head.classify(np.zeros((1, 28, 28), np.uint8)).probabilities
    for name, told in (
        ("onnx", "no_such_module"),
        ("auto", "no such backend"),
        ("engine", "engine"),
    ):
        with pytest.raises(InputError, match=told):
            head.use(name)
        assert head.backend == "torch"
    after = head.classify(np.zeros((1, 28, 28), np.uint8)).probabilities
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("before", ["", "detector = made()", "detector = made(); detector(frame)"])
def test_who_is_forked_can_detect(before: str) -> None:
    """Torch's threads are missing in the child, which would wait for them."""
    program = f"""
import os
import numpy as np
import torch
from detector import Detector
frame = np.zeros((640, 640, 3), np.uint8)
torch.set_num_threads(2)
detector, made = None, lambda: Detector.load("cpu")
{before}
pid = os.fork()
if not pid:
    os._exit(len((detector or made())(frame)))
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=100).returncode == 0


@pytest.mark.parametrize("backend", ["torch", *HERE])
def test_a_detector_may_be_asked_by_several_threads(backend: str, head: Head) -> None:
    run = runner_of(head.graph, CPU, backend)
    crops = torch.randint(0, 256, (8, 28, 28), dtype=torch.uint8)
    (wanted,) = run(crops)
    with ThreadPoolExecutor(4) as pool:
        for (found,) in pool.map(lambda _: run(crops), range(200)):
            assert torch.equal(found, wanted)
