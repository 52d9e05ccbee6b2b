"""A detector of ultralytics, judged as ours is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detector.evaluation.peer import Peer
from detector.layouts import SAME_GARMENT
from detector.photos.dataset import NAMES
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from tests.command import fmnist
from tests.photo_folders import picture, with_masks
from tests.theirs import saved

CPU = torch.device("cpu")
FRAME = picture(3, (96, 64))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("peer") / "theirs.pt", NAMES)


def test_its_scores_of_all_classes_count(weights: Path) -> None:
    threads = torch.get_num_threads()
    found = Peer(weights, 96, CPU)(FRAME, 0.01)
    assert torch.get_num_threads() == threads
    assert len(found) > 0
    assert (found.xyxy[:, 2:] <= [96, 64]).all()
    assert (found.probabilities.max(1) >= 1 / 3 - 1e-6).all(), "footwear is a third of each kind"
    assert ((found.probabilities > 0).sum(1) == len(CLASSES)).all()


def test_box_and_likeliest_class_are_those_of_ultralytics_itself(tmp_path: Path) -> None:
    from ultralytics import YOLO

    file = saved(tmp_path / "ten.pt", CLASSES)
    model: Any = YOLO(file)
    frame = picture(3, (64, 96))  # upright: it is looked at with 96 pixels
    (theirs,) = model.predict(
        frame, conf=0.01, iou=SAME_GARMENT, agnostic_nms=True, imgsz=96, verbose=False
    )
    found = Peer(file, 96, CPU)(frame, 0.01)
    assert len(found) > 0
    np.testing.assert_allclose(found.xyxy, theirs.boxes.xyxy, atol=1e-3)
    np.testing.assert_allclose(found.confidence, theirs.boxes.conf, atol=1e-5)
    np.testing.assert_array_equal(found.labels, theirs.boxes.cls)


def test_a_garment_of_no_class_is_no_box(tmp_path: Path) -> None:
    assert len(Peer(saved(tmp_path / "x.pt", ("skirt",)), 96, CPU)(FRAME, 0.01)) == 0
    coats = Peer(saved(tmp_path / "x.pt", ("coat",)), 96, CPU)(FRAME, 0.01)
    assert len(coats) > 0 and set(coats.labels.tolist()) == {CLASSES.index("Coat")}


def test_what_cannot_be_judged_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file. Give a .pt file of ultralytics"):
        Peer(tmp_path / "none.pt", 96, CPU)
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(InputError, match=r"text.pt cannot be read. Give a .pt file of ultral"):
        Peer(tmp_path / "text.pt", 96, CPU)
    with pytest.raises(InputError, match=r"zoo.pt: elephant"):
        Peer(saved(tmp_path / "zoo.pt", ("elephant",)), 96, CPU)


def test_the_command_writes_the_data_set_and_judges_both(tmp_path: Path, weights: Path) -> None:
    photos = str(with_masks(tmp_path / "street"))
    made = fmnist("detector", "dataset", photos, "-o", "set", folder=tmp_path)
    assert made.code == 0 and "8 photos to train, 1 to validate" in made.err
    arguments = ("--photos", "set", "--heads", "none,lenet", "--yolo", str(weights))
    done = fmnist("detector", "evaluate", *arguments, "--json", "x.json", folder=tmp_path)
    assert done.code == 0, done.err
    rows = {row["head"]: row for row in json.loads((tmp_path / "x.json").read_text())["rows"]}
    assert list(rows) == ["none", "lenet", "theirs"]
    assert rows["lenet"]["parameters"] - rows["none"]["parameters"] == 173_962
    assert all(row["milliseconds"] > 0 for row in rows.values())
    assert rows["theirs"]["calibration_error"] is None
    few = str(with_masks(tmp_path / "few", 7))
    refused = fmnist("detector", "dataset", few, "-o", "other", folder=tmp_path)
    assert refused.code == 2 and "too few photos for two parts" in refused.err
    again = fmnist("detector", "dataset", photos, "-o", "set", folder=tmp_path)
    assert again.code == 2 and "set is not empty" in again.err
