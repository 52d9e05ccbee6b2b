"""What the losses mean: labels as one_hot, teachers as targets."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from fmnist.choices import recipe_for
from fmnist.classes import FOOTWEAR, NOTHING, SHOES
from fmnist.nothing import with_nothing
from fmnist.recipes import RECIPES
from fmnist.training.losses import (
    classification_loss,
    distillation_loss,
    embedding_loss,
    mean_probabilities,
    one_hot,
    soft_targets,
)
from fmnist.training.metric_learning import CONFUSED, triplet_loss

LOGITS = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 3, 5, 9, 2, 2])


def test_labels_and_their_shares_cost_the_same() -> None:
    recipe = RECIPES["best"]  # with label smoothing
    by_label = classification_loss(recipe, LOGITS, LABELS, None)
    assert classification_loss(recipe, LOGITS, one_hot(LABELS), None) == pytest.approx(
        float(by_label)
    )


def test_a_student_that_says_what_its_teachers_say_has_nothing_to_learn() -> None:
    assert distillation_loss(
        LOGITS, mean_probabilities([LOGITS, LOGITS], 3.0), 3.0
    ) == pytest.approx(0, abs=1e-6)
    assert distillation_loss(LOGITS, LOGITS.roll(1, 0).softmax(1), 1.0) > 0.1


def test_teachers_are_averaged_as_probabilities() -> None:
    sure = torch.full((2, 10), -60.0)
    sure[:, 0] = 0
    other = sure.roll(1, 1)
    even = torch.logaddexp(sure, other)
    taught = mean_probabilities([sure, other], 1.0)
    assert distillation_loss(even, taught, 1.0) == pytest.approx(0, abs=1e-6)
    assert distillation_loss(sure / 20, taught, 1.0) > math.log(2)


def test_without_an_embedding_there_is_no_loss_of_places() -> None:
    assert embedding_loss(RECIPES["best"], None, LABELS) == 0.0


def test_footwear_of_untold_kind_is_learnt_as_any_kind_of_shoe() -> None:
    logits = with_nothing(LOGITS).requires_grad_()
    labels = torch.tensor([0, 3, FOOTWEAR, NOTHING, FOOTWEAR, 2])
    targets = soft_targets(logits, labels)
    torch.testing.assert_close(targets.sum(1), torch.ones(6))
    assert targets[[0, 1, 3, 5]].argmax(1).tolist() == [0, 3, NOTHING, 2]
    (learnt,) = torch.autograd.grad(cross_entropy(logits, targets, reduction="sum"), logits)
    probabilities = logits.softmax(1)
    any_shoe = -probabilities[:, list(SHOES)].sum(1).log()
    true = -probabilities[range(6), labels.clamp(max=NOTHING)].log()
    expected = torch.where(labels == FOOTWEAR, any_shoe, true).sum()
    torch.testing.assert_close(learnt, torch.autograd.grad(expected, logits)[0])


def test_smoothing_gives_every_class_a_part_of_the_label() -> None:
    recipe = replace(RECIPES["best"], label_smoothing=0.1)
    expected = 0.9 * cross_entropy(LOGITS, LABELS) - 0.1 * LOGITS.log_softmax(1).mean()
    torch.testing.assert_close(classification_loss(recipe, LOGITS, LABELS, None), expected)


def test_labels_and_teachers_share_the_loss() -> None:
    recipe = recipe_for("distill", "vgg", ["distill=0.25", "temperature=2"])
    taught = mean_probabilities([LOGITS.roll(1, 0)], 2.0)
    learnt = (LOGITS / 2).log_softmax(1)
    apart = (taught * (taught.log() - learnt)).sum(1).mean()
    expected = 0.75 * cross_entropy(LOGITS, LABELS) + 0.25 * 4 * apart
    torch.testing.assert_close(classification_loss(recipe, LOGITS, LABELS, taught), expected)


def test_the_temperature_keeps_the_size_of_the_gradients() -> None:
    sizes = []
    for temperature in (30.0, 300.0):
        logits = LOGITS.clone().requires_grad_()
        taught = mean_probabilities([LOGITS.roll(1, 0)], temperature)
        distillation_loss(logits, taught, temperature).backward()
        assert logits.grad is not None
        sizes.append(logits.grad.norm().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_places_weigh_what_the_recipe_says_and_a_mixed_image_is_its_larger_part() -> None:
    points = normalize(torch.randn(40, 8, generator=torch.Generator().manual_seed(0)))
    labels = torch.tensor(CONFUSED).repeat(10)
    mixed = 0.7 * one_hot(labels) + 0.3 * one_hot(labels.roll(1))
    for targets in (labels, mixed):
        losses = []
        for weight in (0.2, 1.0):
            torch.manual_seed(0)
            recipe = replace(RECIPES["best"], triplet=weight)
            losses.append(float(embedding_loss(recipe, points, targets)))
        torch.manual_seed(0)
        assert losses == pytest.approx([0.2 * losses[1], float(triplet_loss(points, labels))])
