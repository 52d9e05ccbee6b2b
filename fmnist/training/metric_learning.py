"""Triplet loss with distance-weighted sampling, for the classes that are mistaken for each other.

Wu, Manmatha, Smola and Krähenbühl, "Sampling matters in deep embedding learning" (2017).
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from fmnist.classes import CLASSES

CONFUSED = tuple(CLASSES.index(name) for name in ("T-shirt/top", "Pullover", "Coat", "Shirt"))
DIMENSIONS = 64  # of the embedding: in more of them all distances become alike
NEAREST = 0.5  # closer negatives count as if they were this far: they are mostly noise
FARTHEST = 1.4  # beyond it a negative has no loss any more
MARGIN = 0.2


class Embedded(nn.Module):
    """A classifier that also gives what its last linear layer sees, as points on a unit sphere."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
        self.model = model
        self.projection = nn.Linear(last.in_features, DIMENSIONS, bias=False)
        last.register_forward_pre_hook(self._keep)

    def _keep(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._seen = inputs[0]

    def forward(
        self, images: Float[Tensor, "batch 1 h w"]
    ) -> tuple[Float[Tensor, "batch 10"], Float[Tensor, "batch dimensions"]]:
        logits = self.model(images)
        return logits, nn.functional.normalize(self.projection(self._seen).float(), dim=1)


def sampling_weights(
    distances: Float[Tensor, "anchors others"], dimensions: int
) -> Float[Tensor, "anchors others"]:
    """How often each point is drawn: one over the density of its distance on the sphere (eq. 6).

    Points spread evenly over the sphere are so drawn evenly over the distances. Points beyond
    `FARTHEST` have weight zero; the largest weight of an anchor is one.
    """
    d = distances.clamp(min=NEAREST, max=FARTHEST)
    logs = (2 - dimensions) * d.log() - (dimensions - 3) / 2 * (1 - d.square() / 4).log()
    logs = logs.masked_fill(distances > FARTHEST, -torch.inf)
    weights = (logs - logs.max(1, keepdim=True).values).exp()
    return weights.nan_to_num(0.0)  # an anchor without any other point within reach


def triplet_loss(
    embedding: Float[Tensor, "batch dimensions"], labels: Int64[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Mean over all pairs of one confused class of max(0, d(pair) - d(negative) + margin).

    The negative of a pair is drawn from the other confused classes around its first member, by
    `sampling_weights`. Zero where a batch has no pair with a negative.
    """
    confused = torch.isin(labels, torch.tensor(CONFUSED, device=labels.device))
    points, labels = embedding[confused], labels[confused]
    if len(points) == 0:
        return embedding.sum() * 0
    # The root has no slope at zero, where every point is from itself.
    distances = (2 - 2 * points @ points.mT).clamp(min=1e-6).sqrt()
    same = labels[:, None] == labels
    weights = sampling_weights(distances.detach(), embedding.shape[1]) * ~same
    anchors, positives = _pairs(same, weights.sum(1) > 0)
    if len(anchors) == 0:
        return embedding.sum() * 0
    negatives = torch.multinomial(weights[anchors], 1).squeeze(1)
    return (distances[anchors, positives] - distances[anchors, negatives] + MARGIN).relu().mean()


def _pairs(
    same: Bool[Tensor, "n n"], has_negative: Bool[Tensor, " n"]
) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
    others = ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    anchors, positives = (same & others & has_negative[:, None]).nonzero().unbind(1)
    return anchors, positives
