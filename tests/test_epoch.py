"""An epoch shows every image once; a GPU makes many views together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from fmnist.augment import crop_flip, listing1, random_erasing
from fmnist.data import Split
from fmnist.models import build
from fmnist.recipes import RECIPES
from fmnist.training.epoch import (
    SEEN_AT_ONCE,
    batches_at_once,
    epoch_generator,
    train_one_epoch,
    view,
)
from fmnist.training.losses import mean_probabilities
from fmnist.training.optimization import rate_factor
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


CPU = torch.device("cpu")
RECIPE = replace(RECIPES["report"], augmentation="crop", batch_size=16)


@dataclass
class Step:
    """What a step was given, and how the training stood."""

    images: Tensor
    labels: Tensor
    taught: Tensor | None
    rate: float
    is_training: bool


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """The steps of the epochs to come, none of which is taken."""
    noted: list[Step] = []

    def note(training: Training, images: Tensor, labels: Tensor, taught: Tensor | None) -> Tensor:
        rate = float(training.optimizers[0].param_groups[0]["lr"])
        noted.append(Step(images, labels, taught, rate, training.network.training))
        return torch.zeros(2)

    monkeypatch.setattr("fmnist.training.epoch.step", note)
    return noted


@pytest.fixture
def numbered() -> Split:
    """Every image has a level of its own, three times its label."""
    labels = torch.arange(64)
    return Split((3 * labels.to(torch.uint8))[:, None, None].expand(64, 28, 28), labels)


def test_images_keep_their_labels_and_come_in_another_order_each_epoch(
    steps: list[Step], numbered: Split
) -> None:
    training = start(build("lenet"), RECIPE, 2, 0)
    training.network.eval()  # as it stands after it was judged
    for _ in range(2):
        train_one_epoch(training, numbered)
    assert all(step.is_training for step in steps)
    for step in steps:
        torch.testing.assert_close(step.images.amax((1, 2, 3)) * 85, step.labels.float())
    labels = torch.cat([step.labels for step in steps])
    orders = labels[:64].tolist(), labels[64:].tolist()
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(64))
    assert orders[0] != orders[1] and list(range(64)) not in orders


def test_rate_and_size_move_with_every_step(steps: list[Step], numbered: Split) -> None:
    sizes = ((0.4, 16), (0.8, 20), (1.0, 28))
    recipe = replace(RECIPE, schedule="triangle", warmup=0.25, sizes=sizes)
    training = start(build("vgg"), recipe, 2, 0)
    rows = [train_one_epoch(training, numbered) for _ in range(2)]
    wanted = [recipe.learning_rate * rate_factor(recipe, step / 8) for step in range(8)]
    assert [step.rate for step in steps] == pytest.approx(wanted)
    assert [row["lr"] for row in rows] == pytest.approx([wanted[3], wanted[7]])
    assert [step.images.shape[-1] for step in steps] == [16] * 4 + [20] * 3 + [28]


def test_an_epoch_repeats_by_its_seed_and_number_or_after_so_many_views() -> None:
    def drawn(seed: int, epoch: int, views: int = 0) -> tuple[float, float]:
        """By what augments, and by what drops out."""
        generator = epoch_generator(seed, epoch, CPU, views)
        return torch.rand(1, generator=generator).item(), torch.rand(1).item()

    pairs = [(seed, epoch) for seed in range(2) for epoch in range(4)]
    for values in zip(*(drawn(*pair) for pair in pairs), strict=True):
        assert len(set(values)) == len(pairs)
    assert [drawn(*pair) for pair in pairs] == [drawn(*pair) for pair in pairs]
    seen, dropped = zip(*(drawn(0, epoch, views=2) for epoch in range(4)), strict=True)
    assert seen[0] == seen[2] != seen[1] == seen[3]
    assert len(set(dropped)) == 4


@pytest.mark.parametrize(
    ("changes", "augment"),
    [
        ({"augmentation": "listing1"}, listing1),
        ({"pad": 4}, lambda images, random: crop_flip(images, random, 4)),
        (
            {"erasing": 0.5},
            lambda images, random: random_erasing(crop_flip(images, random), random, 0.5),
        ),
    ],
)
def test_a_view_is_the_recipe_s(
    changes: dict[str, Any], augment: Callable[[Tensor, Generator], Tensor], tiny_split: Split
) -> None:
    seen, labels = view(
        replace(RECIPE, **changes), *_all_of(tiny_split), Generator().manual_seed(3)
    )
    images = tiny_split.images[:, None] / 255  # as they are judged
    torch.testing.assert_close(seen, augment(images, Generator().manual_seed(3)), atol=0, rtol=0)
    assert torch.equal(labels, tiny_split.labels)


def test_a_mixed_view_tells_the_shares(tiny_split: Split) -> None:
    recipe = replace(RECIPE, cutmix=0.5)
    _, targets = view(recipe, *_all_of(tiny_split), Generator().manual_seed(0))
    torch.testing.assert_close(targets.sum(1), torch.ones(64))
    mixed = (targets.amax(1) < 1).float().mean()
    assert 0.2 < mixed < 0.6


def _all_of(split: Split) -> tuple[Tensor, Tensor]:
    return split.images, split.labels


@pytest.mark.parametrize("views", [0, 1])
def test_teachers_are_heard_at_the_temperature_of_the_recipe(
    views: int, steps: list[Step], tiny_split: Split
) -> None:
    """About the view of this epoch, which without `views` never comes again."""
    torch.manual_seed(0)
    linear = nn.Linear(784, 10)
    nn.init.normal_(linear.weight, std=0.2)  # not all classes alike
    teacher = nn.Sequential(nn.Flatten(), linear)
    recipe = replace(RECIPE, distill=0.9, temperature=3.0, views=views)
    training = start(build("lenet"), recipe, 2, 0, [teacher])
    for _ in range(2):
        train_one_epoch(training, tiny_split)
    for step in steps:
        assert step.taught is not None
        with torch.no_grad():
            said = mean_probabilities([teacher(step.images)], 3.0)
        torch.testing.assert_close(step.taught, said, atol=0.03, rtol=0)
