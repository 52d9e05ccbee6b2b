"""What a step is judged by: the labels, the teachers, the places of the confused classes."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from fmnist.classes import CLASSES, FOOTWEAR, NOTHING, SHOES
from fmnist.recipes import Recipe
from fmnist.training.metric_learning import triplet_loss

# The shoes as a slice: a list of places would have to be sent to a GPU, which no CUDA graph allows.
EVERY_SHOE = slice(SHOES[0], SHOES[-1] + 1, SHOES[1] - SHOES[0])
Targets = Int64[Tensor, " batch"] | Float[Tensor, "batch classes"]


def one_hot(labels: Int64[Tensor, " batch"]) -> Float[Tensor, "batch classes"]:
    """Labels as shares of the classes, which an image that is mixed can have."""
    return F.one_hot(labels, len(CLASSES)).float()


def soft_targets(
    logits: Float[Tensor, "batch 11"], labels: Int64[Tensor, " batch"]
) -> Float[Tensor, "batch 11"]:
    """Labels, `NOTHING` and `FOOTWEAR` too, as shares of the answers.

    Footwear of untold kind is shared among the shoes as the network itself believes: the cross
    entropy with that has the gradient of -log(sum of the probabilities of all shoes).
    """
    targets = F.one_hot(labels.clamp(max=NOTHING), NOTHING + 1).float()
    belief = torch.zeros_like(targets)
    belief[:, EVERY_SHOE] = logits.detach()[:, EVERY_SHOE].softmax(1)
    return torch.where((labels == FOOTWEAR)[:, None], belief, targets)


def classification_loss(
    recipe: Recipe,
    logits: Float[Tensor, "batch answers"],
    targets: Targets,
    taught: Float[Tensor, "batch answers"] | None,
) -> Float[Tensor, ""]:
    """Cross entropy with the labels; with teachers, the distance from what they say, too."""
    loss = F.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing)
    if taught is None:
        return loss
    distance = distillation_loss(logits, taught, recipe.temperature)
    return (1 - recipe.distill) * loss + recipe.distill * distance


def mean_probabilities(
    teachers: Sequence[Float[Tensor, "batch 10"]], temperature: float
) -> Float[Tensor, "batch 10"]:
    """The mean of the probabilities that the logits of the teachers stand for."""
    return torch.stack([(t / temperature).softmax(1) for t in teachers]).mean(0)


def distillation_loss(
    logits: Float[Tensor, "batch 10"],
    taught: Float[Tensor, "batch 10"],
    temperature: float,
) -> Float[Tensor, ""]:
    """Kullback-Leibler divergence in nats from the probabilities that the teachers gave.

    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015): the square of
    the temperature keeps the size of the gradients.
    """
    learnt = F.log_softmax(logits / temperature, 1)
    return temperature**2 * F.kl_div(learnt, taught, reduction="batchmean")


def embedding_loss(
    recipe: Recipe, embedding: Tensor | None, targets: Targets
) -> Float[Tensor, ""] | float:
    """The weighted triplet loss of the recipe; an image that is mixed counts as its larger part.

    It draws from the global generator: processes that share a batch draw different numbers of
    triplets, and the one that shuffles and augments has to stay the same in all of them.
    """
    if embedding is None:
        return 0.0
    labels = targets.argmax(1) if targets.ndim == 2 else targets
    return recipe.triplet * triplet_loss(embedding, labels)
