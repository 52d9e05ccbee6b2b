"""An epoch shows every image once; a GPU makes many views together."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fmnist.data import Split
from fmnist.models import build
from fmnist.recipes import RECIPES
from fmnist.training.epoch import SEEN_AT_ONCE, batches_at_once, train_one_epoch
from fmnist.training.step import Training, start


def test_a_processor_augments_a_batch_and_a_gpu_many() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert batches_at_once(128, cpu) == 1
    assert batches_at_once(128, gpu) == SEEN_AT_ONCE // 128
    assert batches_at_once(60_000, gpu) == 1


def test_views_made_many_at_once_show_every_image_once(
    tiny_split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where a step also is a graph."""
    monkeypatch.setattr("fmnist.training.epoch.batches_at_once", lambda size, device: 48 // size)
    numbered = Split(tiny_split.images, torch.arange(len(tiny_split)))
    steps: list[Tensor] = []

    def note(training: Training, images: Tensor, labels: Tensor, _: None) -> Tensor:
        assert images.shape == (16, 1, 28, 28)
        steps.append(labels)
        return torch.zeros(2)

    monkeypatch.setattr("fmnist.training.epoch.step", note)
    train_one_epoch(
        start(build("lenet"), replace(RECIPES["report"], batch_size=16), 1, 0), numbered
    )
    assert len(steps) == len(numbered) // 16
    assert len(set(torch.cat(steps).tolist())) == 16 * len(steps)
