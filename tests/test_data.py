"""The data set as tensors: what is read, and the one validation split."""

from pathlib import Path

import pytest
import torch

from fmnist.classes import CLASSES
from fmnist.data import Split, Splits, hold_out, load, release
from fmnist.errors import InputError


def numbered(n: int) -> Split:
    """n images, the pixels of each tell its number; the labels go round."""
    images = torch.zeros(n, 28, 28, dtype=torch.uint8)
    images[:, 0, 0] = torch.arange(n) // 256
    images[:, 0, 1] = torch.arange(n) % 256
    return Split(images, torch.arange(n) % 10)


def numbers(split: Split) -> list[int]:
    """The numbers of the images, in their order."""
    return (split.images[:, 0, 0].long() * 256 + split.images[:, 0, 1]).tolist()


def test_the_real_data_set_has_the_published_sizes_and_statistics(fashion_mnist: Path) -> None:
    train, test = load(fashion_mnist, "train"), load(fashion_mnist, "test")
    for split, n in ((train, 60_000), (test, 10_000)):
        assert split.images.shape == (n, 28, 28) and split.images.dtype == torch.uint8
        assert split.labels.dtype == torch.int64
        assert split.labels.bincount().tolist() == [n // 10] * 10
    share = train.images.flatten().bincount(minlength=256) / train.images.numel()
    value = torch.arange(256) / 255
    mean = (share * value).sum().item()
    assert mean == pytest.approx(0.2860, abs=1e-4)
    assert (share * (value - mean) ** 2).sum().sqrt().item() == pytest.approx(0.3530, abs=1e-4)
    assert [CLASSES[label] for label in train.labels[:3].tolist()] == [
        "Ankle boot",
        "T-shirt/top",
        "T-shirt/top",
    ]


def test_the_split_of_the_real_data_is_55_000_and_5_000_of_equal_classes(
    fashion_mnist: Path,
) -> None:
    train = load(fashion_mnist, "train")
    kept, held = hold_out(train)
    assert kept.labels.bincount().tolist() == [5_500] * 10
    assert held.labels.bincount().tolist() == [500] * 10


def test_loading_from_a_folder_without_the_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="t10k-images-idx3-ubyte"):
        load(tmp_path, "test")


def test_training_and_validation_share_no_image_and_lose_none() -> None:
    whole = numbered(1_000)
    kept, held = hold_out(whole, size=100)
    assert len(kept) == 900 and len(held) == 100
    assert sorted(numbers(kept) + numbers(held)) == list(range(1_000))
    for split in (kept, held):
        assert split.labels.tolist() == [number % 10 for number in numbers(split)]


def test_the_validation_split_is_always_the_same_and_leaves_the_callers_generator_alone() -> None:
    whole = numbered(1_000)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = numbers(hold_out(whole, size=100)[1])
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert numbers(hold_out(whole, size=100)[1]) == first
    # The figures of earlier versions can only be compared while these stay as they are.
    assert first[:5] == [18, 27, 28, 30, 57]


def test_every_class_is_held_out_equally_often() -> None:
    _, held = hold_out(numbered(1_000), size=105)
    assert held.labels.bincount(minlength=10).tolist() == [10] * 10


def test_fewer_can_be_held_out_and_the_others_train() -> None:
    training, validation = hold_out(numbered(1_000), size=100)
    more, fewer, test = release(Splits(training, validation, numbered(7)), 30)
    assert numbers(test) == list(range(7))
    assert set(numbers(fewer)) < set(numbers(validation))
    assert fewer.labels.bincount().tolist() == [3] * 10
    assert sorted(numbers(more) + numbers(fewer)) == list(range(1_000))


def test_images_and_labels_must_be_equally_many() -> None:
    with pytest.raises((ValueError, TypeError)):  # a TypeError where shapes are checked first
        Split(torch.zeros(3, 28, 28, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64))


def test_selecting_keeps_each_image_with_its_label() -> None:
    chosen = numbered(20).select(torch.tensor([13, 2, 2]))
    assert numbers(chosen) == [13, 2, 2]
    assert chosen.labels.tolist() == [3, 2, 2]
