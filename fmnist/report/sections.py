"""What the page shows: every part from the runs and weights that it is about."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from fmnist import figures
from fmnist.cards import Facts
from fmnist.checkpoint import load_model
from fmnist.classes import CLASSES
from fmnist.data import Split, Splits
from fmnist.evaluation import Evaluation, from_logits, predict_logits
from fmnist.models.layers import layers_of
from fmnist.report import plots
from fmnist.report.curves import dropout, training_curves
from fmnist.report.page import Picture, Section, Table
from fmnist.report.results import results
from fmnist.report.triplets import triplets
from fmnist.training.run_folder import name_of_weights


def all_sections(rows: Sequence[Facts], data: Splits, weights: Path) -> list[Section]:
    """All parts of the page.

    Args:
        rows: those of the benchmark.
        weights: the classifier whose mistakes are shown.
    """
    training, validation, test = data
    whole = training + validation
    model, _ = load_model(weights)
    logits = predict_logits(model, test.images)
    return [
        _data_set(whole),
        _networks(),
        results(rows),
        training_curves(rows),
        dropout(rows),
        triplets(rows),
        _mistakes(test, logits, from_logits(logits, test.labels), name_of_weights(weights)),
    ]


def _data_set(split: Split) -> Section:
    counts = split.labels.bincount(minlength=len(CLASSES)).numpy()
    images, labels = split.images.numpy(), split.labels.numpy()
    return Section(
        "The data",
        "Fashion-MNIST: 60,000 training and 10,000 test images, 28x28 gray pixels, ten classes. "
        "5,000 of the training images, equally many of each class, are held out for validation; "
        "fewer where a row says held_out.",
        [
            Picture(
                "figure-1",
                "Figure 1. Samples of every class.",
                figures.png(figures.sample_grid(images, labels)),
            ),
            Picture(
                "figure-2",
                "Figure 2. Images of each class in the training set.",
                figures.png(figures.class_distribution(counts)),
            ),
        ],
    )


def _networks() -> Section:
    titles = ("layer", "output", "parameters")
    tables = [
        Table(f"Table {number}. The {label} network.", titles, layers_of(name))
        for number, (name, label) in enumerate((("lenet", "LeNet-like"), ("vgg", "VGG-like")), 1)
    ]
    return Section("The networks", "As they are built, counted layer by layer.", [*tables])


def _mistakes(test: Split, logits: torch.Tensor, judged: Evaluation, name: str) -> Section:
    probabilities = logits.softmax(1)
    sure, answers = probabilities.max(1)
    wrong = (answers != test.labels).nonzero().squeeze(1)
    worst = wrong[sure[wrong].argsort(descending=True)][:48]
    shown: list[tuple[np.ndarray, str, str, float]] = [
        (test.images[i].numpy(), CLASSES[test.labels[i]], CLASSES[answers[i]], float(sure[i]))
        for i in worst.tolist()
    ]
    return Section(
        "Mistakes",
        f"Of the weights {name} on the 10,000 test images: {judged.accuracy:.2%} right.",
        [
            Picture(
                "figure-6",
                "Figure 6. Confusion matrix.",
                figures.png(figures.confusion(judged.confusion)),
            ),
            Picture(
                "mistakes",
                "The surest mistakes: what the label says, what the network says, how sure it is.",
                figures.png(plots.mistakes(shown)),
            ),
        ],
    )
