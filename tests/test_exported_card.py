"""What an export's card says is enough to run it: boxes that are read by it alone are ours."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from jaxtyping import Float32, UInt8

from detector.backends.real_batches import bundled_photos
from detector.boxes import iou
from detector.defaults import GRID_FILE, HEAD_FILE
from detector.grid import Grid
from detector.head import Head
from detector.video.frames import read
from fmnist.classes import CLASSES
from tests.command import fmnist

LEAST = 0.25  # confidence of the boxes that are compared
NEARLY = 0.03  # that it may be off by: ours may be of bf16
SHOES = ("Sandal", "Sneaker", "Ankle boot")


def letterboxed(
    card: dict[str, Any], frame: UInt8[np.ndarray, "_ _ 3"]
) -> tuple[UInt8[np.ndarray, "rows columns 3"], float]:
    """As `before` says, for one that is no wider than high; and by how much it was scaled."""
    height, width = frame.shape[:2]
    assert width <= height
    scale = card["image_size"] / height
    size_wh = round(width * scale), round(height * scale)
    few = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA)
    cell = max(card["strides"])
    rows, columns = (-(-side // cell) * cell for side in few.shape[:2])
    filled = np.full((rows, columns, 3), 114, np.uint8)
    filled[: few.shape[0], : few.shape[1]] = few
    return filled, scale


def boxes_of(
    card: dict[str, Any],
    distances: Float32[np.ndarray, "64 cells"],
    answers: Float32[np.ndarray, "12 cells"],
    shape: tuple[int, ...],
) -> tuple[Float32[np.ndarray, "n 4"], Float32[np.ndarray, " n"], list[str]]:
    """As `after` says: boxes, how sure each is a garment, and its likeliest answer."""
    centres, strides = [], []
    for stride in card["strides"]:
        rows, columns = np.mgrid[: shape[0] // stride, : shape[1] // stride]
        centres.append(np.stack([columns.ravel(), rows.ravel()], 1) + 0.5)
        strides.append(np.full((rows.size, 1), stride))
    weights = np.exp(distances.reshape(4, 16, -1))
    sides = np.tensordot(np.arange(16), weights / weights.sum(1, keepdims=True), (0, 1)).T
    centre, stride = np.concatenate(centres), np.concatenate(strides)
    xyxy = (np.hstack([centre - sides[:, :2], centre + sides[:, 2:]]) * stride).astype(np.float32)
    probabilities = 1 / (1 + np.exp(-answers.T))
    looked_for = [n for n, name in enumerate(card["answers"]) if name != "another garment"]
    garment = 1 - (1 - probabilities[:, looked_for]).prod(1)
    kept: list[int] = []
    for one in np.argsort(-garment)[: int((garment >= LEAST).sum())]:
        if not kept or iou(xyxy[[one]], xyxy[kept]).max() <= 0.6:
            kept.append(one)
    shares = probabilities[kept][:, : len(CLASSES)]
    untold = probabilities[kept][:, card["answers"].index("footwear of untold kind")]
    for shoe in SHOES:
        shares[:, card["answers"].index(shoe)] += untold / 3
    names = [card["answers"][best] for best in shares.argmax(1)]
    return xyxy[kept], garment[kept], names


def test_the_card_of_an_exported_grid_tells_how_to_run_it(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    done = fmnist("export", "grid", folder=tmp_path)
    assert done.code == 0, done.err
    card = json.loads((tmp_path / "grid.onnx.json").read_text())
    session = onnxruntime.InferenceSession(tmp_path / "grid.onnx")
    grid = Grid.load(GRID_FILE, torch.device("cpu"))
    compared = 0
    for photo in bundled_photos():
        frame = next(iter(read(photo))).image
        if frame.shape[1] > frame.shape[0]:
            continue
        frame = cv2.resize(frame, None, None, 0.5, 0.5, cv2.INTER_AREA)  # ours halves large ones
        ours = grid(frame, LEAST - NEARLY)
        image, scale = letterboxed(card, frame)
        names = [output["name"] for output in card["outputs"]]
        outputs = session.run(names, {card["input"]["name"]: image[None]})
        xyxy, garment, labels = boxes_of(card, outputs[0][0], outputs[1][0], image.shape)
        assert 0 < (ours.confidence > LEAST + NEARLY).sum() <= len(xyxy) <= len(ours)
        overlap = iou(xyxy / np.float32(scale), ours.xyxy)
        nearest = overlap.argmax(1)
        assert overlap.max(1).min() > 0.8  # ours are means of near ones
        np.testing.assert_allclose(garment, ours.confidence[nearest], atol=NEARLY)
        assert labels == [CLASSES[label] for label in ours.labels[nearest]]
        compared += len(labels)
    assert compared


def square(
    frame: UInt8[np.ndarray, "_ _ 3"], box: tuple[int, int, int, int]
) -> UInt8[np.ndarray, "28 28"]:
    """As `before` says of a head, for a box of whole pixels and an even difference of its sides."""
    left, top, right, bottom = box
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    side = max(right - left, bottom - top)
    x, y = (left + right - side) // 2, (top + bottom - side) // 2
    rows = np.clip(np.arange(y, y + side), 0, len(gray) - 1)
    columns = np.clip(np.arange(x, x + side), 0, gray.shape[1] - 1)
    how = cv2.INTER_AREA if side > 28 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray[np.ix_(rows, columns)], (28, 28), interpolation=how))


def test_the_card_of_an_exported_head_tells_how_to_run_it(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    done = fmnist("export", "head", folder=tmp_path)
    assert done.code == 0, done.err
    card = json.loads((tmp_path / "vgg-worn.onnx.json").read_text())
    assert card["rejects"] and card["answers"] == list(CLASSES)
    session = onnxruntime.InferenceSession(tmp_path / "vgg-worn.onnx")
    head = Head.load(HEAD_FILE, torch.device("cpu"))
    frame = next(iter(read(bundled_photos()[0]))).image
    height, width = frame.shape[:2]
    boxes = [(0, 0, 200, 300), (100, 60, 120, 76), (width - 50, height - 90, width, height)]
    ours = head(frame, np.array(boxes, np.float32))
    crops = np.stack([square(frame, box) for box in boxes])
    (output,) = card["outputs"]
    (logits,) = session.run([output["name"]], {card["input"]["name"]: crops})
    likely = np.exp(logits)
    np.testing.assert_allclose(
        likely / likely.sum(1, keepdims=True), ours.probabilities, atol=NEARLY
    )
    energy = np.log(likely.sum(1))
    np.testing.assert_allclose(1 / (1 + np.exp(-energy)), ours.garment, atol=NEARLY)


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/head.onnx").write_bytes(b"before")
    (tmp_path / "link.onnx").symlink_to("kept/head.onnx")
    words = ("export", "head", "--weights", "lenet", "-o", "link.onnx", "--overwrite")
    done = fmnist(*words, folder=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "link.onnx").is_symlink()
    assert (tmp_path / "kept/head.onnx").stat().st_size > 100_000
