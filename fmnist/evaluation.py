"""What a classifier is worth: loss, accuracy with its interval, and the figures of each class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from fmnist.classes import CLASSES
from fmnist.device import autocast
from fmnist.errors import NotFinite

BATCH = 1000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The mean cross entropy in nats and the confusion matrix; all else follows from these.

    `confusion[truth, prediction]` counts images. A quotient with nothing below the line is 0 by
    convention: the precision of a class that is never predicted, the recall of one without images.
    """

    loss: float
    confusion: Int64[np.ndarray, "10 10"]

    @property
    def n(self) -> int:
        """How many images were judged."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The fraction of images that got the right class, 0..1."""
        return float(self.confusion.trace() / self.n)

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy for n images, by Wilson's score."""
        return wilson_interval(int(self.confusion.trace()), self.n)

    @property
    def precision(self) -> Float64[np.ndarray, "10"]:
        """Of what was called a class, the fraction that is of it, 0..1."""
        return _quotient(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> Float64[np.ndarray, "10"]:
        """Of what is of a class, the fraction that was called so, 0..1."""
        return _quotient(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def f1(self) -> Float64[np.ndarray, "10"]:
        """The harmonic mean of a class's precision and recall, 0..1."""
        called_or_true = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        return _quotient(2 * self.confusion.diagonal(), called_or_true)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain numbers for JSON; macro is the unweighted mean over the classes."""
        low, high = self.accuracy_interval
        precision, recall, f1 = self.precision, self.recall, self.f1
        return {
            "n": self.n,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "accuracy_interval_95": [low, high],
            "macro": {
                "precision": float(precision.mean()),
                "recall": float(recall.mean()),
                "f1": float(f1.mean()),
            },
            "classes": [
                {
                    "name": name,
                    "n": int(self.confusion[index].sum()),
                    "precision": float(precision[index]),
                    "recall": float(recall[index]),
                    "f1": float(f1[index]),
                }
                for index, name in enumerate(CLASSES)
            ],
            "confusion": self.confusion.tolist(),
        }


def from_logits(logits: Float[Tensor, "n 10"], labels: Int64[Tensor, " n"]) -> Evaluation:
    """Judge `logits` (any device) against the true `labels`, 0..9; the largest logit wins.

    The loss is summed in float64, so that it does not depend on the order of the images.

    Raises:
        ValueError: there are no images, or a label is out of range.
        NotFinite: a logit is NaN or infinite, as from weights after a diverged training.
    """
    logits, labels = logits.detach().double().cpu(), labels.cpu()
    if len(labels) == 0:
        raise ValueError("an evaluation needs at least one image")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise ValueError(f"labels must be 0..9, got {int(labels.min())}..{int(labels.max())}")
    if not logits.isfinite().all():
        raise NotFinite(
            "The network's output is not finite. "
            "Its weights are damaged: use those of an earlier epoch, or train again."
        )
    cells = labels * len(CLASSES) + logits.argmax(dim=1)
    confusion = torch.bincount(cells, minlength=len(CLASSES) ** 2).reshape(len(CLASSES), -1).numpy()
    confusion.setflags(write=False)
    return Evaluation(float(functional.cross_entropy(logits, labels)), confusion)


def at_once(model: nn.Module, most: int = BATCH) -> int:
    """Images that it answers at once: `most`, but fewer where it enlarges them much."""
    return min(most, int(getattr(model, "answers_at_once", most)))


def predict_logits(model: nn.Module, images: UInt8[Tensor, "n 28 28"]) -> Float32[Tensor, "n 10"]:
    """The logits of `images` on the CPU, computed on the model's device in its fast precision.

    The model works in eval mode and is given back in the mode in which it came.
    """
    if len(images) == 0:
        return torch.zeros(0, len(CLASSES))
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        with torch.inference_mode(), autocast(device):
            logits = [
                model(batch.to(device).unsqueeze(1).float() / 255).float()
                for batch in torch.split(images, at_once(model))
            ]
    finally:
        model.train(training)
    return torch.cat(logits).cpu()


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion of `correct` in `n` > 0 trials, within 0..1.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927), 209-212. Unlike the usual
    p +- z sqrt(p (1 - p) / n) it keeps its coverage near 0 and 1, where accuracies are.
    """
    from scipy.stats import binomtest  # takes most of a second

    low, high = binomtest(correct, n).proportion_ci(0.95, "wilson")
    return float(low), float(high)


def _quotient(
    part: Int64[np.ndarray, "10"], whole: Int64[np.ndarray, "10"]
) -> Float64[np.ndarray, "10"]:
    result = np.zeros(len(CLASSES))
    np.divide(part, whole, out=result, where=whole > 0)
    return result
