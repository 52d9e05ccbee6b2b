"""The classifiers by name. Each takes float [batch 1 28 28] in 0..1 and gives logits [batch 10]."""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from fmnist.checks import known

if TYPE_CHECKING:
    from torch import nn


class Model(NamedTuple):
    """Where a network lives: it is imported when it is built, listing names must not cost torch."""

    module: str
    attribute: str
    about: str
    has_dropout: bool = True
    takes_imagenet: bool = False  # weights of it to begin with


MODELS = {
    "lenet": Model("lenet", "LeNet", "LeNet-like, Table 1 of the report"),
    "vgg": Model("vgg", "VGG", "VGG-like, Table 2 of the report"),
    "resnet10": Model("resnet", "ResNet10", "ResNet-10 of the report"),
    "resnet10-56": Model("resnet", "ResNet10At56", "the same at 56 px"),
    "resnet18": Model(
        "resnet",
        "ResNet18",
        "ResNet-18 at 224 px, from ImageNet weights with --pretrained",
        has_dropout=False,
        takes_imagenet=True,
    ),
    "inception": Model("inception", "Inception", "inception blocks, future work of the report"),
    "densenet": Model("densenet", "DenseNet", "shallow DenseNet-BC, future work of the report"),
    "wrn": Model("resnet", "WideResNet", "WRN-40-4, a teacher"),
    "resnet8": Model("resnet", "ResNet8", "an eight-layer ResNet for races"),
}


def build(name: str, dropout: float = 1.0) -> "nn.Module":
    """A classifier of `MODELS` with fresh weights, on the CPU, in training mode.

    `dropout` scales the network's own rates, each told where it is defined (0: none); what the
    report had is 1, of its ResNets 0; one that has none ignores it.

    Raises:
        InputError: there is no network of that name.
    """
    there = MODELS[known(name, MODELS, "model")]
    module = import_module(f"fmnist.models.{there.module}")
    model: nn.Module = getattr(module, there.attribute)(dropout)
    return model
