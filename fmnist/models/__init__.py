"""The classifiers by name. Each takes float [batch 1 28 28] in 0..1 and gives logits [batch 10]."""

from importlib import import_module
from typing import TYPE_CHECKING

from fmnist.checks import known

if TYPE_CHECKING:
    from torch import nn

# What each one is, for the reader of a list.
ABOUT = {
    "lenet": "LeNet-like, Table 1 of the report",
    "vgg": "VGG-like, Table 2 of the report",
    "resnet10": "ResNet-10 of the report",
    "resnet10-56": "the same at 56 px",
    "resnet18": "ResNet-18 at 224 px, from ImageNet weights with --pretrained",
    "inception": "inception blocks, future work of the report",
    "densenet": "shallow DenseNet-BC, future work of the report",
    "wrn": "WRN-40-4, a teacher",
    "resnet8": "an eight-layer ResNet for races",
}
# Where each one lives. They are imported when they are built: listing names must not cost torch.
MODELS = {
    "lenet": ("fmnist.models.lenet", "LeNet"),
    "vgg": ("fmnist.models.vgg", "VGG"),
    "resnet10": ("fmnist.models.resnet", "ResNet10"),
    "resnet10-56": ("fmnist.models.resnet", "ResNet10At56"),
    "resnet18": ("fmnist.models.resnet", "ResNet18"),
    "inception": ("fmnist.models.inception", "Inception"),
    "densenet": ("fmnist.models.densenet", "DenseNet"),
    "wrn": ("fmnist.models.resnet", "WideResNet"),
    "resnet8": ("fmnist.models.resnet", "ResNet8"),
}

WITHOUT_DROPOUT = frozenset({"resnet18"})


def build(name: str, dropout: float = 1.0) -> "nn.Module":
    """A classifier of `MODELS` with fresh weights, on the CPU, in training mode.

    `dropout` scales the network's own rates, each told where it is defined (0: none); what the
    report had is 1, of its ResNets 0; those `WITHOUT_DROPOUT` ignore it.

    Raises:
        InputError: there is no network of that name.
    """
    module, attribute = MODELS[known(name, MODELS, "model")]
    model: nn.Module = getattr(import_module(module), attribute)(dropout)
    return model
