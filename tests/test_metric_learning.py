"""Distance-weighted sampling draws evenly over distances, and the loss pulls where it should."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from fmnist.classes import CLASSES
from fmnist.models import MODELS, build
from fmnist.training.metric_learning import (
    CONFUSED,
    FARTHEST,
    MARGIN,
    NEAREST,
    Embedded,
    sampling_weights,
    triplet_loss,
)


def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("dimensions", [4, 8])
def test_points_spread_over_the_sphere_are_drawn_evenly_over_distance(dimensions: int) -> None:
    points = normalize(torch.randn(400_000, dimensions, generator=random(), dtype=torch.float64))
    anchor = torch.zeros(1, dimensions, dtype=torch.float64)
    anchor[0, 0] = 1
    distances = torch.cdist(anchor, points).float()
    drawn = distances[0, sampling_weights(distances, dimensions)[0].multinomial(200_000, True)]
    inside = drawn[drawn > NEAREST]
    counts = inside.histc(9, NEAREST, FARTHEST)
    assert drawn.max() <= FARTHEST
    assert counts.max() / counts.min() < 1.25


def test_weights_stay_finite_in_many_dimensions_and_without_neighbours() -> None:
    distances = torch.tensor([[0.0, 0.3, 1.0, 1.39], [1.9, 1.9, 2.0, 2.0]])
    weights = sampling_weights(distances, 64)
    assert weights.isfinite().all()
    assert weights[0].max() == 1 and weights[0, 0] == weights[0, 1] == 1
    assert (weights[1] == 0).all()


def test_classes_that_nobody_confuses_have_no_loss() -> None:
    points = normalize(torch.randn(8, 16, generator=random()))
    trousers = torch.ones(8, dtype=torch.long)
    assert triplet_loss(points, trousers) == 0


def test_separate_places_have_no_loss_and_one_place_has_the_margin() -> None:
    labels = torch.tensor(CONFUSED).repeat(6)
    corners = torch.eye(4).repeat(6, 1)
    angle = torch.tensor(0.3)  # within reach of each other, and still farther than the margin
    apart = normalize(corners + angle)
    assert triplet_loss(apart, labels) < 1e-6
    together = torch.ones(24, 4) / 2
    assert triplet_loss(together, labels) == pytest.approx(MARGIN, abs=1e-6)


def test_descending_the_loss_separates_the_confused_classes() -> None:
    labels = torch.tensor(CONFUSED).repeat(8)
    points = torch.randn(32, 8, generator=random()).requires_grad_()
    torch.manual_seed(0)  # the negatives
    losses = []
    for _ in range(250):
        loss = triplet_loss(normalize(points), labels)
        losses.append(loss.item())
        (slope,) = torch.autograd.grad(loss, points)
        assert slope.isfinite().all()
        points = (points - 2 * slope).detach().requires_grad_()
    assert sum(losses[-10:]) < 0.1 * sum(losses[:10])


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("resnet18", "wrn")])
def test_every_classifier_has_places_and_unchanged_answers(name: str) -> None:
    torch.manual_seed(0)
    model = build(name).eval()
    images = torch.rand(2, 1, 28, 28)
    with torch.no_grad():
        plain = model(images)
        logits, places = Embedded(model)(images)
    assert torch.equal(plain, logits)
    torch.testing.assert_close(places.norm(dim=1), torch.ones(2))


def test_the_confused_classes_are_the_four_tops() -> None:
    """Those that the report's confusion matrix mixes up most."""
    assert {CLASSES[label] for label in CONFUSED} == {"T-shirt/top", "Pullover", "Coat", "Shirt"}


def test_a_pair_costs_what_its_distance_exceeds_that_of_the_negative_by() -> None:
    """Three points on a circle: a pair, and the only negative of both; no pair gains anything."""
    labels = torch.tensor([CONFUSED[0], CONFUSED[0], CONFUSED[1]])
    for pair, negative in ((0.9, 0.6), (0.1, 1.2), (0.4, 0.9)):
        angles = torch.tensor([0.0, pair, negative])
        points = torch.stack([angles.cos(), angles.sin(), 0 * angles], 1)
        apart = 2 * (angles[:, None] - angles).abs().div(2).sin()
        costs = apart[0, 1] - apart[:2, 2] + MARGIN
        expected = costs.clamp(min=0).mean()
        torch.testing.assert_close(triplet_loss(points, labels), expected)


def test_places_are_made_of_what_the_answers_are_made_of() -> None:
    """What the last linear layer sees: where its inputs are the same, so are the places."""
    torch.manual_seed(0)
    network = Embedded(build("lenet", 0.0))
    last = [module for module in network.model.modules() if isinstance(module, nn.Linear)][-1]
    seen: list[torch.Tensor] = []
    last.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    _, places = network(torch.rand(2, 1, 28, 28))
    torch.testing.assert_close(places, normalize(network.projection(seen[0])))
