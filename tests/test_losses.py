"""What the losses mean: labels as one_hot, teachers as targets."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

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


def test_labels_have_the_share_that_the_teachers_leave() -> None:
    recipe = recipe_for("distill", "vgg", ["distill=0.25"])
    taught = classification_loss(recipe, LOGITS, LABELS, LOGITS.softmax(1))
    assert taught == pytest.approx(0.75 * float(cross_entropy(LOGITS, LABELS)), rel=1e-5)


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
