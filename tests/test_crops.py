"""Crops for the head: repeatable, however many processes render them, and kept for a resume."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detector.layouts import MODEL
from detector.network import build
from detector.scene import Scene
from detector.synthesis.held_out_textures import HELD_OUT
from detector.synthesis.scenes import FAIR, TRAINING
from detector.synthesis.training_textures import TRAIN
from detector.training import crops as module
from detector.training.crops import CropPlan, crop_splits, crops, photo_crops
from fmnist.checkpoint import save_checkpoint
from fmnist.classes import FOOTWEAR, NOTHING, OTHER
from fmnist.data import Split, Splits
from fmnist.errors import InputError


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces, so that several tasks are rendered."""
    monkeypatch.setattr(module, "CHUNK", 15)
    monkeypatch.setattr(module, "JUDGED", 10)


def eager_grid(folder: Path) -> Path:
    """One that is untrained and sees garments everywhere."""
    grid = build(0)
    for branch in grid.model[-1].cv3:
        torch.nn.init.zeros_(branch[-1].bias)
    path = folder / "grid.safetensors"
    save_checkpoint(path, grid.state_dict(), {"model": MODEL, "image_size": 96})
    return path


def test_a_seed_gives_its_crops_with_any_number_of_workers(tiny_split: Split) -> None:
    alone = crops(tiny_split, TRAIN, CropPlan(40), (3, 0))
    shared = crops(tiny_split, TRAIN, CropPlan(40), (3, 0), workers=2)
    other = crops(tiny_split, TRAIN, CropPlan(40), (4, 0))
    assert len(alone) == 40
    assert torch.equal(alone.images, shared.images)
    assert torch.equal(alone.labels, shared.labels)
    assert not torch.equal(alone.images, other.images)
    assert len(alone.labels.unique()) > 5


def test_no_crops_are_an_empty_split(tiny_split: Split) -> None:
    assert crops(tiny_split, TRAIN, CropPlan(0), (0, 0)).images.shape == (0, 28, 28)


def test_a_fifth_of_training_stays_plain_and_the_rest_is_kept(
    splits: Splits, tmp_path: Path
) -> None:
    cache = tmp_path / "crops.npz"
    first = crop_splits(splits, CropPlan(40), 0, cache)
    assert [len(split) for split in first] == [50, 10, 10]
    known = {image.numpy().tobytes() for image in splits[0].images}
    are_plain = [image.numpy().tobytes() in known for image in first[0].images]
    assert sum(are_plain) == 10
    written = cache.stat().st_mtime_ns
    again = crop_splits(splits, CropPlan(40), 0, cache)
    assert cache.stat().st_mtime_ns == written
    pairs = zip(first, again, strict=True)
    assert all(
        torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) for a, b in pairs
    )
    assert [path.name for path in tmp_path.iterdir()] == ["crops.npz"]
    with np.load(cache) as kept:
        assert kept["images0"].shape == (40, 28, 28)
    cache.write_bytes(cache.read_bytes()[:1000])
    with pytest.raises(InputError, match="crops.npz is damaged. Delete it"):
        crop_splits(splits, CropPlan(40), 0, cache)


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
    path = eager_grid(tmp_path)
    garments = crops(tiny_split, TRAIN, CropPlan(15), (3, 0))
    both = crops(tiny_split, TRAIN, CropPlan(15, 0.4, grid=path), (3, 0))
    assert torch.equal(both.images[:15], garments.images)
    assert both.labels[15:].tolist() == [NOTHING] * 6


def test_crops_of_photos_have_all_labels_and_are_the_same_however_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = eager_grid(tmp_path)

    def make(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        frame = rng.integers(0, 256, (size_wh[1], size_wh[0], 3)).astype(np.uint8)
        boxes = np.array([[10, 10, 90, 90], [200, 10, 260, 90], [10, 200, 90, 300]], np.float32)
        return Scene(frame, boxes, np.array([3, FOOTWEAR, OTHER]))

    plan = CropPlan(0, nothing=0.5, of_photos=30, grid=path)
    split = photo_crops(make, plan, seed=0)
    assert split.images.shape[1:] == (28, 28)
    assert split.labels[:30].tolist() == [3, FOOTWEAR, NOTHING] * 10
    assert set(split.labels[30:].tolist()) == {NOTHING} and len(split) >= 45
    again = photo_crops(make, plan, seed=0, workers=1)
    assert torch.equal(split.images, again.images) and torch.equal(split.labels, again.labels)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    one_by_one = photo_crops(make, plan, seed=0)
    assert torch.equal(split.labels, one_by_one.labels)
    apart = (split.images.int() - one_by_one.images.int()).abs().flatten(1).amax(1)
    assert (apart <= 2).float().mean() > 0.9  # but for rounding, and what it decides


def test_a_box_that_the_grid_found_stands_for_the_true_one_half_of_the_times() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[20:60, 20:60] = 255
    scene = Scene(frame, np.array([[20, 20, 60, 60]], np.float32), np.zeros(1, np.int64))
    found = np.array([[20, 20, 80, 60]], np.float32)
    rng = np.random.default_rng(0)
    means = [module._garment_crops(rng, scene, found)[0].mean() for _ in range(200)]
    wide = sum(mean < 190 for mean in means)
    assert 70 < wide < 130


def leveled(rng: np.random.Generator) -> Scene:
    """None to three garments, each as bright as its label says."""
    labels = rng.integers(0, 10, rng.integers(0, 4))
    corners = np.arange(len(labels))[:, None] * [120, 60] + 20
    xyxy = np.concatenate([corners, corners + 60], 1).astype(np.float32)
    frame = np.zeros((320, 400, 3), np.uint8)
    for (x1, y1, x2, y2), label in zip(xyxy.astype(int), labels, strict=True):
        frame[y1:y2, x1:x2] = 20 * label + 20
    return Scene(frame, xyxy, labels)


def test_a_crop_is_labelled_by_what_it_shows_and_half_are_of_each_style(
    tiny_split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    styles = []

    def render(rng: np.random.Generator, *others: Any) -> Scene:
        styles.append(others[-1])
        return leveled(rng)

    monkeypatch.setattr(module, "render", render)
    made = crops(tiny_split, TRAIN, CropPlan(200), (0, 0))
    assert torch.equal(made.images[:, 14, 14].long(), 20 * made.labels + 20)
    assert len(made.labels.unique()) == 10
    assert set(styles) == {TRAINING, FAIR} and 0.3 < np.mean([s is FAIR for s in styles]) < 0.7


def test_a_box_that_the_grid_found_stands_for_its_own_garment() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        scene = leveled(rng)
        found = scene.xyxy[::-1] + np.float32(3)
        levels = [crop[14, 14] for crop in module._garment_crops(rng, scene, found)]
        assert levels == (20 * scene.labels + 20).tolist()


def test_each_split_is_rendered_from_its_own_garments_and_the_test_before_other_backgrounds(
    tiny_split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Splits(tiny_split, *(tiny_split.select(slice(n)) for n in (40, 30)))
    asked = []

    def noted(split: Split, family: Any, plan: CropPlan, seed: Any, workers: int) -> Split:
        asked.append((split, family, seed))
        return split

    monkeypatch.setattr(module, "crops", noted)
    crop_splits(plain, CropPlan(40), 7, tmp_path / "crops.npz")
    splits, families, seeds = zip(*asked, strict=True)
    assert all(mine is theirs for mine, theirs in zip(splits, plain, strict=True))
    assert [family is HELD_OUT for family in families] == [False, False, True]
    assert len(set(seeds)) == 3
