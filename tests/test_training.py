"""The step learns, and an epoch depends on nothing but its seed and the state before it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fmnist.augment import resize
from fmnist.choices import recipe_for
from fmnist.classes import FOOTWEAR, NOTHING
from fmnist.data import Split, load
from fmnist.errors import NotFinite
from fmnist.evaluation import from_logits, predict_logits
from fmnist.models import build
from fmnist.nothing import garment_probability
from fmnist.recipes import RECIPES, Recipe
from fmnist.training.epoch import train_one_epoch
from fmnist.training.metric_learning import Embedded, triplet_loss
from fmnist.training.optimization import side_at
from fmnist.training.step import Training, loss_and_accuracy, start

BEST = replace(RECIPES["best"], sizes=((1.0, 28),), batch_size=16)

FILTERS = {name for name, value in build("vgg").named_parameters() if value.ndim == 4}


def begin(model: str, recipe: Recipe, epochs: int, seed: int = 0) -> Training:
    torch.manual_seed(seed)
    return start(build(model, recipe.dropout), recipe, epochs, seed)


@pytest.mark.parametrize(
    ("model", "recipe", "epochs"),
    [
        ("lenet", replace(RECIPES["report"], dropout=0.0, ema_decay=0.9, batch_size=16), 50),
        ("lenet", recipe_for("best", "lenet", ["erasing=0", "ema_decay=0.9", "batch_size=16"]), 40),
        ("vgg", replace(BEST, ema_decay=0.9, sizes=((0.6, 16), (1.0, 28))), 14),
    ],
)
def test_it_overfits_thirty_two_images(
    model: str, recipe: Recipe, epochs: int, fashion_mnist: Path
) -> None:
    some = load(fashion_mnist, "test").select(slice(32))
    often = some + some + some + some
    training = begin(model, recipe, epochs)
    for _ in range(epochs):
        row = train_one_epoch(training, often)
    result = from_logits(predict_logits(training.weights(), some.images), some.labels)
    assert result.accuracy == 1.0
    assert set(row) == {"lr", "train_loss", "train_accuracy"}


def test_teachers_look_at_the_whole_view_that_the_student_sees_small(tiny_split: Split) -> None:
    views: dict[str, list[torch.Tensor]] = {"teacher": [], "student": []}

    class Watched(torch.nn.Module):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(10))
            self.name = name

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            views[self.name].append(images.detach().clone())
            return images.mean((1, 2, 3))[:, None] * self.scale

    recipe = replace(
        recipe_for("distill", "vgg"), optimizer="adamw", batch_size=16, sizes=((1.0, 14),)
    )
    training = start(Watched("student"), recipe, 1, 0, [Watched("teacher")])
    train_one_epoch(training, tiny_split)
    for seen, small in zip(views["teacher"], views["student"], strict=True):
        assert seen.shape == (16, 1, 28, 28)
        torch.testing.assert_close(resize(seen, 14), small)


def test_teachers_are_asked_once_for_a_view_that_comes_again(tiny_split: Split) -> None:
    """And what is learnt from the kept answers is what they would say again."""
    asked = {"keeps": 0, "forgets": 0}
    weights = []
    recipe = recipe_for("distill", "lenet", ["views=2", "batch_size=16", "cutmix=0.5"])
    for name in asked:
        torch.manual_seed(0)
        teacher, student = build("lenet", 0.0).eval(), build("lenet", 0.0)
        teacher.register_forward_hook(
            lambda *_, name=name: asked.update({name: asked[name] + 1}),
        )
        training = start(student, recipe, 4, 0, [teacher])
        for _ in range(4):
            train_one_epoch(training, tiny_split)
            if name == "forgets":  # as a run that is stopped and resumed
                assert training.teachers
                training.teachers.forget()
        weights.append(student.state_dict())
    steps = len(tiny_split) // 16
    assert asked == {"keeps": 2 * steps, "forgets": 4 * steps}
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_it_learns_to_say_that_there_is_nothing(tiny_split: Split) -> None:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 60, (64, 28, 28), generator=generator, dtype=torch.uint8)
    nothing = Split(noise, torch.full((64,), NOTHING))
    recipe = replace(recipe_for("best", "lenet"), ema_decay=0.9, batch_size=16, nothing=1.0)
    training = begin("lenet", recipe, 20)
    for _ in range(20):
        train_one_epoch(training, tiny_split + nothing)
    garment, none = (
        garment_probability(predict_logits(training.weights(), split.images))
        for split in (tiny_split, nothing)
    )
    assert garment.min() > none.max()


@pytest.mark.parametrize("recipe", [RECIPES["report"], replace(BEST, erasing=0.5)])
def test_an_epoch_after_a_restart_is_the_epoch_without_one(
    recipe: Recipe, tiny_split: Split
) -> None:
    through, stopped = begin("lenet", recipe, 3), begin("lenet", recipe, 3)
    train_one_epoch(through, tiny_split)
    train_one_epoch(through, tiny_split)
    train_one_epoch(stopped, tiny_split)
    resumed = begin("lenet", recipe, 3, seed=0)
    torch.rand(7)  # whatever else the process has drawn
    resumed.load_state_dict(stopped.state_dict())
    train_one_epoch(resumed, tiny_split)
    wanted, got = through.state_dict(), resumed.state_dict()
    assert all(torch.equal(value, got["model"][name]) for name, value in wanted["model"].items())
    averages = zip(
        through.weights().state_dict().values(),
        resumed.weights().state_dict().values(),
        strict=True,
    )
    assert all(torch.equal(a, b) for a, b in averages)


@pytest.mark.parametrize("gpus", [1, 2])
def test_a_run_from_before_biases_were_given_to_norms_goes_on(gpus: int, tiny_split: Split) -> None:
    """With the batch norms of several GPUs, too, which answer on a CPU, but cannot learn there."""
    recipe = replace(BEST, ema_decay=0.5)
    training, older = begin("vgg", recipe, 3), begin("vgg", recipe, 3)
    state = {name: _with_bias(training.state_dict()[name]) for name in ("model", "average")}
    if gpus > 1:
        older.model = nn.SyncBatchNorm.convert_sync_batchnorm(older.model)
        older.network = older.model
    older.load_state_dict(training.state_dict() | state)
    assert not older.model.get_parameter("features.1.bias").any()
    if gpus == 1:
        for one in (training, older):
            train_one_epoch(one, tiny_split)
    for pair in ((training.model, older.model), (training.weights(), older.weights())):
        answers = [predict_logits(network, tiny_split.images) for network in pair]
        torch.testing.assert_close(*answers, atol=1e-3, rtol=1e-3)


def _with_bias(weights: dict[str, Any]) -> dict[str, Any]:
    """The same network, with a bias that the mean of the norm behind it takes away again."""
    moved = {name: value.clone() for name, value in weights.items()}
    for name in moved:
        if name.endswith(("features.1.bias", "features.2.running_mean")):
            moved[name] += 1
    return moved


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("resnet10", {}),
        ("resnet10", {"optimizer": "sgd"}),
        ("resnet10", {"triplet": 0.2}),
        ("vgg", {}),
    ],
)
def test_a_training_that_begins_anew_is_a_new_one(
    model: str, changes: dict[str, Any], tiny_split: Split
) -> None:
    recipe = replace(BEST, erasing=0.5, ema_decay=0.5, **changes)
    used, fresh = begin(model, recipe, 2, seed=5), begin(model, recipe, 2, seed=1)
    train_one_epoch(used, tiny_split)
    torch.manual_seed(1)
    used.begin_anew(build(model, recipe.dropout), 1)
    for training in (used, fresh):
        for _ in range(2):
            train_one_epoch(training, tiny_split)
    for one, other in ((used.model, fresh.model), (used.weights(), fresh.weights())):
        wanted = other.state_dict()
        assert all(torch.equal(value, wanted[name]) for name, value in one.state_dict().items())


def test_a_bias_before_a_batch_norm_stays(tiny_split: Split) -> None:
    training = begin("vgg", BEST, 1)
    before = {name: value.clone() for name, value in training.model.named_parameters()}
    train_one_epoch(training, tiny_split)
    moved = {
        n for n, value in training.model.named_parameters() if not torch.equal(value, before[n])
    }
    assert moved == {
        name for name in before if not (name.endswith("bias") and f"{name[:-4]}weight" in FILTERS)
    }


def test_a_loss_that_is_not_finite_is_an_error(tiny_split: Split) -> None:
    training = begin("lenet", replace(RECIPES["report"], learning_rate=1e30), 5)
    with pytest.raises(NotFinite):
        for _ in range(5):
            train_one_epoch(training, tiny_split)


def test_images_grow_as_the_recipe_says() -> None:
    recipe = replace(BEST, sizes=((0.5, 16), (1.0, 28)))
    assert [side_at(recipe, p) for p in (0.0, 0.49, 0.5, 0.99, 1.0)] == [16, 16, 28, 28, 28]


def test_the_averaged_weights_ship_where_the_recipe_averages(tiny_split: Split) -> None:
    for decay in (0.0, 0.9):
        training = begin("lenet", replace(BEST, optimizer="adamw", ema_decay=decay), 1)
        train_one_epoch(training, tiny_split)
        ships, moved = (n.state_dict() for n in (training.weights(), training.model))
        same = all(torch.equal(value, moved[name]) for name, value in ships.items())
        assert same == (decay == 0)


def test_triplets_add_their_weighted_loss(tiny_split: Split) -> None:
    torch.manual_seed(0)
    network = Embedded(build("lenet", 0.0))
    images = tiny_split.images[:, None] / 255
    losses = {}
    for weight in (0.1, 1.1):
        torch.manual_seed(1)
        recipe = replace(BEST, triplet=weight)
        losses[weight], _ = loss_and_accuracy(network, recipe, images, tiny_split.labels, None)
    torch.manual_seed(1)
    expected = triplet_loss(network(images)[1], tiny_split.labels)
    assert expected > 0
    torch.testing.assert_close(losses[1.1] - losses[0.1], expected)


@pytest.mark.parametrize(("nothing", "shoe"), [(0.0, 5), (0.4, 5), (0.4, FOOTWEAR)])
def test_the_part_that_is_named_rightly_is_told(nothing: float, shoe: int) -> None:
    logits = torch.eye(10)[[3, 3, 5, 7]] * 9
    recipe = replace(BEST, nothing=nothing)
    images, labels = torch.zeros(4, 1, 28, 28), torch.tensor([3, 4, shoe, 7])
    _, accuracy = loss_and_accuracy(lambda _: logits, recipe, images, labels, None)
    assert accuracy == 0.75
