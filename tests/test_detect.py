"""Laws of the loop, with a detector that sees the same two garments in every frame."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from detector.boxes import Detections, Picture
from detector.detect import Settings, detect, keep
from detector.output.lines import line_of
from detector.output.sheet import COLUMNS, PICTURES
from detector.output.summary import Interrupted
from detector.pipeline import Detector, watch
from detector.plan import Plan, plan_outputs
from detector.video.frames import Reader
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from tests import clips
from tests.command import ROOT

PROBABILITIES = np.full((2, 10), 0.02, np.float32)
PROBABILITIES[0, 6] = 0.82
PROBABILITIES[1, 1] = PROBABILITIES[1, 2] = 0.42


def two_garments(frame: Picture) -> Detections:
    """A shirt, surely, and something between a trouser and a pullover."""
    height, width = frame.shape[:2]
    shirt, second = (0.1, 0.3, 0.5, 0.9), (0.6, 0.4, 0.9, 0.8)
    xyxy = np.array([shirt, second]) * [width, height, width, height]
    confidence = np.array([0.9, 0.3], np.float32)
    return Detections(xyxy.astype(np.float32), confidence, PROBABILITIES)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a clip of 50 frames that hums for two seconds."""
    monkeypatch.chdir(tmp_path)
    clips.clip(tmp_path / "clip.mp4", audio="aac")
    return tmp_path


def lines_of(path: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and frames of a file of JSON lines."""
    header, *frames = map(json.loads, Path(path).read_text().splitlines())
    return header, frames


def test_every_frame_is_drawn_and_has_its_line(desk: Path) -> None:
    plan = plan_outputs(["clip.mp4"], json="x.jsonl")
    summary = detect(plan, lambda rate, track: two_garments, weights={"head": "vgg-crops"})
    assert (summary.frames_read, summary.frames_detected, summary.frames_damaged) == (50, 50, 0)
    assert summary.boxes == 100
    assert summary.written == (Path("clip.fmnist.mp4"), Path("x.jsonl"))
    header, frames = lines_of("x.jsonl")
    assert header["classes"] == list(CLASSES)
    assert header["weights"] == {"head": "vgg-crops"}
    assert header["settings"]["label_confidence"] == 0.5
    assert [line["frame"] for line in frames] == list(range(50))
    assert [line["time"] for line in frames] == pytest.approx(clips.TIMES, abs=1e-3)
    assert (frames[12]["source"], frames[12]["size_wh"]) == ("clip.mp4", [*clips.SIZE_WH])
    shirt, second = frames[12]["boxes"]
    assert shirt["label"] == "Shirt"
    assert list(shirt) == ["xyxy", "conf", "id", "label", "label_conf", "probs"]
    assert shirt["xyxy"] == pytest.approx([19.2, 38.4, 96, 115.2], abs=0.05)
    assert (second["label"], second["label_conf"], second["id"]) == (None, 0.42, None)
    assert len(second["probs"]) == len(CLASSES)
    images = clips.frames_in(Path("clip.fmnist.mp4"))
    assert [clips.number_of(image) for image in images] == list(range(50))
    assert clips.seconds_of(Path("clip.fmnist.mp4")) == pytest.approx(2.0)
    assert clips.seconds_of(Path("clip.fmnist.mp4"), "audio") == pytest.approx(2.0, abs=0.03)
    assert np.abs(images[0].astype(int) - clips.numbered(0)).max() > 100  # the boxes


def test_every_third_frame_is_detected_and_all_are_drawn(desk: Path) -> None:
    looked_at = []

    def detector(frame: Picture) -> Detections:
        looked_at.append(clips.number_of(frame))
        return two_garments(frame)

    summary = detect(
        plan_outputs(["clip.mp4"], json="x.jsonl"), lambda rate, track: detector, Settings(every=3)
    )
    assert looked_at == list(range(0, 50, 3))
    assert (summary.frames_read, summary.frames_detected) == (50, 17)
    assert [line["frame"] for line in lines_of("x.jsonl")[1]] == looked_at
    assert len(clips.frames_in(Path("clip.fmnist.mp4"))) == 50


def test_max_frames_ends_picture_and_sound(desk: Path) -> None:
    summary = detect(
        plan_outputs(["clip.mp4"]), lambda rate, track: two_garments, Settings(max_frames=10)
    )
    assert summary.frames_read == 10
    assert clips.seconds_of(Path("clip.fmnist.mp4")) == pytest.approx(0.4)
    assert clips.seconds_of(Path("clip.fmnist.mp4"), "audio") == pytest.approx(0.4, abs=0.05)


def test_settings_keep_the_boxes_they_ask_for() -> None:
    seen = two_garments(np.zeros((10, 10, 3), np.uint8))
    assert len(keep(seen, Settings())) == 2
    assert keep(seen, Settings(confidence=0.5)).confidence.tolist() == [np.float32(0.9)]
    assert keep(seen, Settings(classes=("Shirt",))).labels.tolist() == [6]
    assert len(keep(seen, Settings(classes=("Trouser",)))) == 0  # not sure enough
    assert len(keep(seen, Settings(classes=("Trouser",), label_confidence=0.4))) == 1
    assert len(keep(Detections.empty(), Settings(classes=("Shirt",)))) == 0


def test_a_tracked_garment_keeps_its_id(desk: Path) -> None:
    def tracked(frame: Picture) -> Detections:
        return replace(two_garments(frame), track_id=np.array([3, 8], np.int64))

    detect(plan_outputs(["clip.mp4"], no_video=True, json="x.jsonl"), lambda rate, track: tracked)
    assert [box["id"] for box in lines_of("x.jsonl")[1][5]["boxes"]] == [3, 8]


def test_the_detector_is_told_whether_to_track_its_rate_and_that_an_image_has_none(
    desk: Path,
) -> None:
    rates = []

    def watch(rate: float, track: bool) -> Any:
        rates.append(rate)
        assert not track
        return two_garments

    cv2.imwrite("photo.png", clips.numbered(9))
    detect(
        plan_outputs(["photo.png", "clip.mp4"], no_video=True),
        watch,
        Settings(every=5, track=False),
    )
    assert rates == [0, 5]


def test_looking_ahead_finds_what_looking_frame_by_frame_does(desk: Path, untrained: Path) -> None:
    """Reading, looking and telling go on in three threads; twice the same, and as without them."""
    grid, head = untrained / "grid.safetensors", untrained / "head.safetensors"
    detector = Detector.load(torch.device("cpu"), grid, head, confidence=1e-4)
    plan = partial(plan_outputs, ["clip.mp4"], no_video=True, overwrite=True)
    for name in ("a.jsonl", "b.jsonl"):
        detect(plan(json=name), partial(watch, detector), Settings(confidence=1e-4))
    assert Path("a.jsonl").read_bytes() == Path("b.jsonl").read_bytes()
    reader = Reader(Path("clip.mp4"))
    seen = watch(detector, reader.fps)
    alone = [line_of(frame, seen(frame.image), 0.5) for frame in reader]
    _, *lines = map(json.loads, Path("a.jsonl").read_text().splitlines())
    assert lines == json.loads(json.dumps(alone)) and any(line["boxes"] for line in lines)


class TwoSteps:
    """Looks in another thread, tells in order; `fails_at` that frame the first step fails."""

    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at = fails_at
        self.told: list[int] = []
        self._is_ahead = threading.Event()

    def __call__(self, frame: Picture) -> Detections:
        raise AssertionError("it is called in steps")

    def locate(self, frame: Picture) -> int:
        if clips.number_of(frame) == self.fails_at:
            raise ZeroDivisionError
        if clips.number_of(frame) > 0:
            self._is_ahead.set()
        return clips.number_of(frame)

    def classify(self, frame: Picture, looked: int) -> Detections:
        assert clips.number_of(frame) == looked
        assert self._is_ahead.wait(60), "a later frame is looked at before this one is told"
        self.told.append(looked)
        return two_garments(frame)


@pytest.mark.parametrize("every", [1, 3])
def test_a_detector_in_two_steps_is_told_every_frame_in_order(desk: Path, every: int) -> None:
    steps = TwoSteps()
    plan = plan_outputs(["clip.mp4"], json="x.jsonl")
    summary = detect(plan, lambda rate, track: steps, Settings(every=every))
    assert steps.told == list(range(0, 50, every))
    assert summary.frames_read == len(clips.frames_in(Path("clip.fmnist.mp4"))) == 50
    assert [line["frame"] for line in lines_of("x.jsonl")[1]] == steps.told


def test_ctrl_c_between_two_steps_leaves_no_thread(desk: Path) -> None:
    def press(source: str, done: int, expected: int | None) -> None:
        if done == 10:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as stopped:
        detect(plan_outputs(["clip.mp4"]), lambda rate, track: TwoSteps(), on_frame=press)
    assert stopped.value.summary.frames_read == 10
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_a_first_step_that_fails_leaves_the_frames_before_it(desk: Path) -> None:
    plan = plan_outputs(["clip.mp4"], json="x.jsonl")
    with pytest.raises(ZeroDivisionError):
        detect(plan, lambda rate, track: TwoSteps(fails_at=7))
    assert len(clips.frames_in(Path("clip.fmnist.mp4"))) == len(lines_of("x.jsonl")[1]) == 7


def test_images_become_images_and_a_folder_takes_all(desk: Path) -> None:
    cv2.imwrite("photo.png", clips.numbered(9))
    plan = plan_outputs(["photo.png", "clip.mp4"], Path("out"), json="x.jsonl")
    summary = detect(plan, lambda rate, track: two_garments, Settings(max_frames=2))
    assert summary.written[:2] == (Path("out/photo.fmnist.png"), Path("out/clip.fmnist.mp4"))
    drawn = cv2.imread("out/photo.fmnist.png")
    assert drawn is not None
    assert clips.number_of(np.asarray(drawn, np.uint8)) == 9
    assert [line["source"] for line in lines_of("x.jsonl")[1]] == ["photo.png"] + ["clip.mp4"] * 2


def test_without_video_only_lines_are_left_and_stdout_takes_them(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detect(plan_outputs(["clip.mp4"], no_video=True, json="-"), lambda rate, track: two_garments)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 51
    assert json.loads(out[-1])["frame"] == 49
    assert os.listdir() == ["clip.mp4"]


@pytest.mark.parametrize("count", [3, 50, 120])
def test_a_contact_sheet_holds_frames_from_all_over_the_clip(desk: Path, count: int) -> None:
    path = clips.clip(desk / "long.mp4", [n / 25 for n in range(count)])
    plan = plan_outputs([str(path)], no_video=True, sheet=Path("sheet.png"))
    detect(plan, lambda rate, track: lambda frame: Detections.empty())
    sheet = cv2.imread("sheet.png")
    assert sheet is not None
    rows, columns = (1, count) if count <= COLUMNS else (PICTURES // COLUMNS, COLUMNS)
    height, width = sheet.shape[0] // rows, sheet.shape[1] // columns
    numbers = []
    for row in range(rows):
        for column in range(columns):
            cell = sheet[row * height :, column * width :][10 : height - 2, 10 : width - 2]
            numbers.append(clips.number_of(np.asarray(cell, np.uint8)))
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    assert numbers[-1] >= count * 7 // 8 - 1


def test_damage_is_counted(desk: Path) -> None:
    clips.damaged(desk / "damaged.mp4")
    summary = detect(plan_outputs(["damaged.mp4"]), lambda rate, track: two_garments)
    damaged = summary.frames_damaged
    assert summary.damage.startswith(f"{damaged} damaged frame")
    assert summary.damage.endswith("skipped (of 75)")
    assert summary.damage in str(summary)
    assert clips.seconds_of(Path("damaged.fmnist.mp4")) == pytest.approx(3.0)
    assert len(clips.frames_in(Path("damaged.fmnist.mp4"))) == 75 - damaged


def test_a_source_that_cannot_be_decoded_keeps_the_results_of_those_before(desk: Path) -> None:
    clips.undecodable(desk / "noise.mkv")
    plan = plan_outputs(["clip.mp4", "noise.mkv"], json="x.jsonl")
    summary = detect(plan, lambda rate, track: two_garments)
    assert len(summary.failed) == 1 and "no frame could be decoded" in summary.failed[0]
    with pytest.raises(InputError, match="no frame could be decoded"):
        detect(plan_outputs(["noise.mkv"]), lambda rate, track: two_garments)
    assert sorted(os.listdir()) == ["clip.fmnist.mp4", "clip.mp4", "noise.mkv", "x.jsonl"]
    assert len(lines_of("x.jsonl")[1]) == 50


def test_lines_go_into_a_pipe_as_they_come(desk: Path) -> None:
    os.mkfifo("pipe")
    read: list[str] = []
    reader = threading.Thread(
        target=lambda: read.extend(Path("pipe").read_text().splitlines()), daemon=True
    )
    reader.start()
    summary = detect(plan_outputs(["clip.mp4"], json="pipe"), lambda rate, track: two_garments)
    reader.join(30)
    assert len(read) == 51 and not Path("pipe").is_file()
    assert summary.written == (Path("clip.fmnist.mp4"), Path("pipe"))
    assert sorted(os.listdir()) == ["clip.fmnist.mp4", "clip.mp4", "pipe"]


def test_a_reader_that_leaves_ends_the_run_only_where_nothing_else_is_wanted(desk: Path) -> None:
    os.mkfifo("pipe")
    for no_video, outcome in ((False, nullcontext()), (True, pytest.raises(BrokenPipeError))):
        head = subprocess.Popen(["head", "-n1", "pipe"], stdout=subprocess.DEVNULL)
        plan = plan_outputs(["clip.mp4"], json="pipe", no_video=no_video)
        with outcome:
            detect(plan, lambda *_: two_garments, on_frame=lambda *_, left=head: print(left.wait()))
    assert len(clips.frames_in(Path("clip.fmnist.mp4"))) == 50


def test_a_long_strip_makes_no_long_sheet(desk: Path) -> None:
    cv2.imwrite("strip.png", np.zeros((9000, 6, 3), np.uint8))
    plan = plan_outputs(["strip.png"], sheet=Path("sheet.png"))
    detect(plan, lambda rate, track: two_garments)
    assert cv2.imread("sheet.png").shape[0] < 3 * 9000  # type: ignore[union-attr]


def test_a_failing_detector_leaves_whole_files_and_its_own_error(desk: Path) -> None:
    def failing(frame: Picture) -> Detections:
        if clips.number_of(frame) == 7:
            raise ZeroDivisionError
        return two_garments(frame)

    with pytest.raises(ZeroDivisionError):
        detect(plan_outputs(["clip.mp4"], json="x.jsonl"), lambda rate, track: failing)
    assert len(clips.frames_in(Path("clip.fmnist.mp4"))) == len(lines_of("x.jsonl")[1]) == 7
    assert sorted(os.listdir()) == ["clip.fmnist.mp4", "clip.mp4", "x.jsonl"]


def test_ctrl_c_finishes_the_files_and_tells_what_there_is(desk: Path) -> None:
    def press(source: str, done: int, expected: int | None) -> None:
        assert (source, expected) == ("clip.mp4", 50)
        if done == 10:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    plan = plan_outputs(["clip.mp4"], json="x.jsonl", sheet=Path("sheet.jpg"))
    with pytest.raises(Interrupted) as stopped:
        detect(plan, lambda rate, track: two_garments, on_frame=press)
    assert signal.getsignal(signal.SIGINT) is before
    summary = stopped.value.summary
    assert summary.frames_read == 10
    assert summary.written == (Path("clip.fmnist.mp4"), Path("x.jsonl"), Path("sheet.jpg"))
    assert len(clips.frames_in(Path("clip.fmnist.mp4"))) == len(lines_of("x.jsonl")[1]) == 10


def test_nothing_seen_is_no_error(desk: Path) -> None:
    plan = plan_outputs(["clip.mp4"], json="x.jsonl")
    assert detect(plan, lambda rate, track: lambda frame: Detections.empty()).boxes == 0
    assert all(line["boxes"] == [] for line in lines_of("x.jsonl")[1])


def test_showing_without_a_display_is_refused(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(InputError, match="no display"):
        detect(Plan((Path("clip.mp4"),), (None,)), lambda rate, track: two_garments, show=True)


def test_the_loop_needs_neither_torch_nor_ultralytics() -> None:
    code = "import sys, detector.detect; print({'torch', 'ultralytics'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


MEASURED = """
import resource, sys
from detector.boxes import Detections
from detector.detect import detect
from detector.plan import plan_outputs
plan = plan_outputs([sys.argv[1]], json="x.jsonl", overwrite=True)
detect(plan, lambda rate, track: lambda _: Detections.empty())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_memory_stays_flat_however_long_the_video_is(tmp_path: Path) -> None:
    megabytes = []
    for frames in (100, 1600):
        clips.clip(tmp_path / "x.mp4", [i / 25 for i in range(frames)])
        command = [sys.executable, "-c", MEASURED, "x.mp4"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        megabytes.append(int(done.stdout))
    # 1,500 frames of 192x128 are 110 MB.
    assert megabytes[1] - megabytes[0] < 40
