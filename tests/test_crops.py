"""Crops for the head: repeatable, however many processes render them, and kept for a resume."""

from pathlib import Path

import numpy as np
import pytest
import torch

from detector import crops as module
from detector.crops import Plan, crop_splits, crops
from detector.grid import MODEL, build
from detector.synthesis.backgrounds import TRAIN
from detector.synthesis.scenes import Scene
from fmnist.checkpoint import save_checkpoint
from fmnist.data import Split, hold_out
from fmnist.nothing import NOTHING


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces, so that several tasks are rendered."""
    monkeypatch.setattr(module, "CHUNK", 15)
    monkeypatch.setattr(module, "JUDGED", 10)


def test_a_seed_gives_its_crops_with_any_number_of_workers(tiny_split: Split) -> None:
    alone = crops(tiny_split, TRAIN, Plan(40), (3, 0), workers=1)
    shared = crops(tiny_split, TRAIN, Plan(40), (3, 0), workers=2)
    other = crops(tiny_split, TRAIN, Plan(40), (4, 0), workers=1)
    assert len(alone) == 40
    assert torch.equal(alone.images, shared.images)
    assert torch.equal(alone.labels, shared.labels)
    assert not torch.equal(alone.images, other.images)
    assert len(alone.labels.unique()) > 5


def test_no_crops_are_an_empty_split(tiny_split: Split) -> None:
    assert crops(tiny_split, TRAIN, Plan(0), (0, 0)).images.shape == (0, 28, 28)


def test_a_fifth_of_training_stays_plain_and_the_rest_is_kept(
    tiny_split: Split, tmp_path: Path
) -> None:
    plain = (*hold_out(tiny_split, 20), tiny_split)
    cache = tmp_path / "crops.npz"
    first = crop_splits(plain, Plan(40), 0, cache)
    assert [len(split) for split in first] == [50, 10, 10]
    known = {image.numpy().tobytes() for image in plain[0].images}
    are_plain = [image.numpy().tobytes() in known for image in first[0].images]
    assert sum(are_plain) == 10
    written = cache.stat().st_mtime_ns
    again = crop_splits(plain, Plan(40), 0, cache)
    assert cache.stat().st_mtime_ns == written
    pairs = zip(first, again, strict=True)
    assert all(
        torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) for a, b in pairs
    )
    assert [path.name for path in tmp_path.iterdir()] == ["crops.npz"]
    with np.load(cache) as kept:
        assert kept["images0"].shape == (40, 28, 28)


def test_only_what_lies_beside_the_garments_is_a_mistake() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[60:90, 60:90] = 255
    garment = np.array([[10, 10, 40, 40]], np.float32)
    found = np.array([[12, 10, 42, 40], [60, 60, 90, 90], [10, 10, 40, 25]], np.float32)
    scene = Scene(frame, garment, np.zeros(1, np.int64))
    (mistake,) = module._mistakes(scene, found)
    assert mistake.min() == 255


def test_mistakes_of_a_grid_follow_the_garments_that_stay_the_same(
    tiny_split: Split, tmp_path: Path
) -> None:
    grid = build(0)
    for branch in grid.model[-1].cv3:
        torch.nn.init.zeros_(branch[-1].bias)  # untrained and eager: it is wrong everywhere
    path = tmp_path / "grid.safetensors"
    save_checkpoint(path, grid.state_dict(), {"model": MODEL, "image_size": 96})
    garments = crops(tiny_split, TRAIN, Plan(15), (3, 0))
    both = crops(tiny_split, TRAIN, Plan(15, 0.4, path), (3, 0))
    assert torch.equal(both.images[:15], garments.images)
    assert both.labels[15:].tolist() == [NOTHING] * 6
