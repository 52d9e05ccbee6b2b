"""The data set as tensors: Split, loading, and the fixed validation split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from fmnist.classes import CLASSES, VALIDATION_SIZE
from fmnist.files import read_idx, verify

_SPLIT_SEED = 2020  # of the one split that every figure of this project uses


@dataclass(frozen=True)
class Split:
    """Labelled images. They stay uint8 on their device; a batch becomes float when it is used."""

    images: UInt8[Tensor, "n 28 28"]
    labels: Int64[Tensor, " n"]

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Split":
        return Split(self.images.to(device), self.labels.to(device))

    def select(self, index: Int64[Tensor, " m"] | slice) -> "Split":
        return Split(self.images[index], self.labels[index])

    def __add__(self, other: "Split") -> "Split":
        return Split(torch.cat([self.images, other.images]), torch.cat([self.labels, other.labels]))


class Splits(NamedTuple):
    """What a network learns from, what is chosen by, and what judges it once."""

    training: Split
    validation: Split
    test: Split

    def to(self, device: torch.device) -> "Splits":
        return Splits(*(split.to(device) for split in self))


def load(folder: Path, part: Literal["train", "test"]) -> Split:
    """Read "train" (60,000 images) or "test" (10,000), after a check of their MD5.

    Raises:
        InputError: a file is missing, damaged or not the one that Zalando published.
    """
    prefix = {"train": "train", "test": "t10k"}[part]
    images, labels = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    verify(folder, (images, labels))
    return Split(
        torch.from_numpy(read_idx(folder / images)),
        torch.from_numpy(read_idx(folder / labels)).long(),
    )


def hold_out(train: Split, size: int = VALIDATION_SIZE) -> tuple[Split, Split]:
    """Split into training and validation, always the same, equally many of each class held out.

    Works on any split in the memory of the CPU, so that tests can use a small one; `size` is
    rounded down to whole classes.
    """
    generator = torch.Generator().manual_seed(_SPLIT_SEED)
    order = torch.randperm(len(train), generator=generator)
    each = size // len(CLASSES)
    labels = train.labels[order]
    held = torch.cat([order[labels == c][:each] for c in range(len(CLASSES))]).sort().values
    kept = torch.ones(len(train), dtype=torch.bool)
    kept[held] = False
    return train.select(kept.nonzero().squeeze(1)), train.select(held)


def release(splits: Splits, size: int) -> Splits:
    """Validate with `size` of the held-out images, equally many of each class; all others train.

    With a size of `VALIDATION_SIZE` they stay as they are.
    """
    if size >= VALIDATION_SIZE:
        return splits
    more, validation = hold_out(splits.validation, size)
    return Splits(splits.training + more, validation, splits.test)


def load_splits(folder: Path) -> Splits:
    """Training, validation and test of the data set in `folder`."""
    return Splits(*hold_out(load(folder, "train")), load(folder, "test"))
