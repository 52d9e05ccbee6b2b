"""The printed tables: every class has its line, and columns stand under each other."""

import json
from typing import Any

import torch

from commands.detector_tables import detector_table, tracks_table
from commands.tables import counts_table, evaluation_table, training_speed_table
from fmnist.classes import CLASSES
from fmnist.evaluation import from_logits
from tests.command import ROOT


def test_every_class_has_a_line_with_its_counts() -> None:
    lines = counts_table(range(10), range(10, 20)).splitlines()
    assert [line.split()[-2:] for line in lines[1:]] == [[str(i), str(10 + i)] for i in range(10)]
    assert len({len(line) for line in lines}) == 1


def test_the_evaluation_of_a_perfect_network_is_all_ones() -> None:
    labels = torch.arange(10)
    row = {"weights": "vgg", "model": "vgg", **from_logits(100 * torch.eye(10), labels).to_dict()}
    lines = evaluation_table(row).splitlines()
    assert lines[0].startswith("vgg (vgg): 10 images, loss 0.0000")
    assert lines[1].startswith("accuracy 100.00% (95 % interval ")
    assert len(lines) == 3 + len(CLASSES) + 1
    assert all(line.split()[-3:] == ["1.0000"] * 3 for line in lines[3:])


def test_the_detector_table_has_a_line_a_head() -> None:
    keys: tuple[str, ...] = (
        "agnostic_map50",
        "agnostic_map50_95",
        "map50",
        "map50_95",
        "label_accuracy",
        "shown_recall",
        "milliseconds",
    )
    figures: dict[str, Any] = dict.fromkeys(keys, 0.5) | {"frames": 2, "garments": 3}
    figures |= {"calibration_error": None, "shown_precision": None, "parameters": 1_234_567}
    figures["ap50_per_class"] = dict.fromkeys(CLASSES, 0.25) | {"Bag": None}
    lines = detector_table([figures | {"head": name} for name in ("vgg", "vgg-crops")]).splitlines()
    assert lines[0] == "2 frames, 3 garments"
    assert [line.split()[0] for line in lines[2:4]] == ["vgg", "vgg-crops"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[2].split()[-3:] == ["-", "0.500", "1,234,567"]
    assert lines[-2].split() == ["Bag", "-", "-"] and len(lines) == 16


def test_the_tracks_table_has_a_line_for_each_row_and_a_dash_where_nothing_is() -> None:
    rates = ("boxes_per_frame", "mean_track_seconds", "flips_per_track_second")
    figures: dict[str, Any] = dict.fromkeys((*rates, "gaps_per_track_second"), 0.25)
    figures |= {"video": "x.mp4", "tracks": 3, "flips": 7, "gaps": 2, "showing": {"Coat": 0.5}}
    rows = [{**figures, "tracked": False}, {**figures, "tracked": True, "mean_track_seconds": None}]
    lines = tracks_table(rows).splitlines()
    assert lines[1].split() == ["x.mp4", "without", "0.25", "3", "0.25", "7", "0.25", "2", "0.25"]
    assert lines[2].split()[1:5] == ["with", "0.25", "3", "-"]
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[-1].split() == ["x.mp4", "Coat", "50%"]


def test_speed_is_told_for_every_way_of_training_and_of_answering() -> None:
    whole = json.loads((ROOT / "results" / "speed.json").read_text())
    lines = training_speed_table(whole).splitlines()
    assert len(lines) == 1 + len(whole["rows"]) + 1 + len(whole["answers"]) - 1
    (openvino,) = [line for line in lines if line.startswith("answers, openvino, of 128")]
    assert openvino.split()[-1] == f"{whole['answers']['openvino']['median']:,.0f}"
