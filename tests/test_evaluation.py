"""The figures of a classifier: their laws, and a case worked by hand."""

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fmnist.classes import CLASSES
from fmnist.errors import InputError
from fmnist.evaluation import Evaluation, from_logits, predict_logits, wilson_interval


def random_case(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, 10, generator=generator)
    return logits, torch.randint(10, (n,), generator=generator)


def of_pairs(pairs: list[tuple[int, int, int]]) -> Evaluation:
    """The evaluation of images given as (truth, prediction, how many)."""
    labels = torch.tensor([truth for truth, _, count in pairs for _ in range(count)])
    predictions = torch.tensor([called for _, called, count in pairs for _ in range(count)])
    return from_logits(functional.one_hot(predictions, 10).float(), labels)


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(10)
    )


def random_images(n: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 28, 28), generator=generator, dtype=torch.uint8)


def test_the_confusion_matrix_counts_every_image_once() -> None:
    logits, labels = random_case(500)
    evaluation = from_logits(logits, labels)
    assert evaluation.n == evaluation.confusion.sum() == 500
    assert np.array_equal(evaluation.confusion.sum(axis=1), labels.bincount(minlength=10))
    calls = logits.argmax(dim=1).bincount(minlength=10)
    assert np.array_equal(evaluation.confusion.sum(axis=0), calls)
    assert evaluation.accuracy == pytest.approx((logits.argmax(1) == labels).double().mean().item())


def test_rows_are_the_truth() -> None:
    evaluation = of_pairs([(3, 6, 2), (6, 6, 1)])
    assert evaluation.confusion[3, 6] == 2
    assert evaluation.confusion[6, 3] == 0


def test_the_order_of_the_images_does_not_matter() -> None:
    logits, labels = random_case(500)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(2))
    one, other = from_logits(logits, labels), from_logits(logits[order], labels[order])
    assert np.array_equal(one.confusion, other.confusion)
    assert one.loss == pytest.approx(other.loss, rel=1e-12)


def test_the_loss_is_the_mean_cross_entropy() -> None:
    logits, labels = random_case(300)
    expected = functional.cross_entropy(logits, labels).item()
    assert from_logits(logits, labels).loss == pytest.approx(expected, rel=1e-5)
    assert from_logits(logits.bfloat16(), labels).loss == pytest.approx(expected, rel=1e-2)


def test_macro_recall_of_a_balanced_set_is_its_accuracy() -> None:
    logits, _ = random_case(400)
    evaluation = from_logits(logits, torch.arange(400) % 10)
    assert evaluation.recall.mean() == pytest.approx(evaluation.accuracy)


def test_a_perfect_classifier_has_ones_everywhere() -> None:
    evaluation = of_pairs([(label, label, 5) for label in range(10)])
    assert evaluation.accuracy == 1
    for values in (evaluation.precision, evaluation.recall, evaluation.f1):
        assert np.array_equal(values, np.ones(10))
    assert evaluation.accuracy_interval[1] == 1


def test_a_classifier_that_always_says_the_same_is_at_chance() -> None:
    evaluation = of_pairs([(label, 4, 7) for label in range(10)])
    assert evaluation.accuracy == pytest.approx(0.1)
    assert evaluation.recall[4] == 1
    assert evaluation.precision[4] == pytest.approx(0.1)
    others = np.arange(10) != 4
    for values in (evaluation.precision, evaluation.recall, evaluation.f1):
        assert not values[others].any(), "a class that is never predicted has 0 by convention"


def test_three_classes_worked_by_hand() -> None:
    # truth 0: 4 right, 1 called 1.  truth 1: 2 right, 1 called 0, 1 called 2.  truth 2: 1 called 1.
    evaluation = of_pairs([(0, 0, 4), (0, 1, 1), (1, 1, 2), (1, 0, 1), (1, 2, 1), (2, 1, 1)])
    assert evaluation.accuracy == pytest.approx(6 / 10)
    assert evaluation.precision[:3] == pytest.approx([4 / 5, 2 / 4, 0 / 1])
    assert evaluation.recall[:3] == pytest.approx([4 / 5, 2 / 4, 0 / 1])
    assert evaluation.f1[:3] == pytest.approx([8 / 10, 4 / 8, 0])
    # One more image of class 0 that is called 1 takes them apart.
    evaluation = of_pairs([(0, 0, 4), (0, 1, 2), (1, 1, 2), (1, 0, 1), (1, 2, 1), (2, 1, 1)])
    assert evaluation.precision[:3] == pytest.approx([4 / 5, 2 / 5, 0])
    assert evaluation.recall[:3] == pytest.approx([4 / 6, 2 / 4, 0])
    assert evaluation.f1[:3] == pytest.approx([8 / 11, 4 / 9, 0])
    assert not evaluation.f1[3:].any(), "a class without images has 0 by convention"
    assert evaluation.to_dict()["macro"]["f1"] == pytest.approx((8 / 11 + 4 / 9) / 10)


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    evaluation = from_logits(*random_case(2000))
    precision, recall = evaluation.precision, evaluation.recall
    assert evaluation.f1 == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [  # worked with z = 1.96 from Wilson's formula (1927)
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (9450, 10000, 0.9404, 0.9493),
    ],
)
def test_the_interval_is_wilsons(correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(correct, n) == pytest.approx((low, high), abs=5e-5)


def test_the_dictionary_goes_through_json_unchanged() -> None:
    evaluation = from_logits(*random_case(100))
    facts = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert facts == evaluation.to_dict()
    assert [row["name"] for row in facts["classes"]] == list(CLASSES)
    assert np.array_equal(facts["confusion"], evaluation.confusion)
    assert sum(row["n"] for row in facts["classes"]) == facts["n"] == 100


def test_an_evaluation_cannot_be_changed() -> None:
    evaluation = from_logits(*random_case(10))
    with pytest.raises(ValueError, match="read-only"):
        evaluation.confusion[0, 0] = 1


def test_misuse_is_a_value_error_and_broken_weights_are_told() -> None:
    logits, labels = random_case(3)
    with pytest.raises(ValueError, match="at least one image"):
        from_logits(logits[:0], labels[:0])
    with pytest.raises(ValueError, match=r"must be 0\.\.9, got 4\.\.10"):
        from_logits(logits, torch.tensor([4, 5, 10]))
    logits[1, 2] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        from_logits(logits, labels)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 1000])
def test_the_batch_size_does_not_matter(batch_size: int) -> None:
    model, images = small_network(), random_images(20)
    together = predict_logits(model, images)
    assert together.shape == (20, 10) and together.dtype == torch.float32
    model.register_buffer("answers_at_once", torch.tensor(batch_size))
    assert torch.allclose(predict_logits(model, images), together, atol=0.02)


def test_the_model_sees_floats_from_0_to_1_and_keeps_its_mode() -> None:
    class Looks(nn.Linear):
        def forward(self, batch: Tensor) -> Tensor:
            assert not self.training and not torch.is_grad_enabled()
            assert batch.dtype == torch.float32 and batch.shape[1:] == (1, 28, 28)
            return batch.flatten(1)[:, :10]

    model = Looks(1, 1).train()
    images = torch.arange(256, dtype=torch.uint8).repeat(4)[:784].reshape(1, 28, 28)
    assert torch.equal(predict_logits(model, images), torch.arange(10)[None] / 255)
    assert model.training
    predict_logits(model.eval(), images)
    assert not model.training


def test_no_images_give_no_logits() -> None:
    assert predict_logits(small_network(), random_images(0)).shape == (0, 10)
