"""A shallow DenseNet, which the report names as future work."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from fmnist.models.classifier import Classifier
from fmnist.models.dropout import Dropout
from fmnist.models.normalize import Normalize

STEM = 48
GROWTH = 24  # channels that a layer adds
BLOCKS = (8, 8)  # layers of the blocks at 14x14 and 7x7


class DenseNet(Classifier):
    """DenseNet-BC (Huang et al. 2017) with two blocks of eight layers, 35 layers in all.

    A transition halves channels and size. `dropout` scales a rate of 0.2 after every layer, which
    is the paper's for data sets without augmentation.
    """

    def __init__(self, dropout: float) -> None:
        layers: list[nn.Module] = [
            Normalize(),
            Conv2dNormActivation(1, STEM, 3),
            nn.MaxPool2d(2),
        ]
        width = STEM
        for number, length in enumerate(BLOCKS):
            if number:
                layers += [*_enter(width), nn.Conv2d(width, width // 2, 1, bias=False)]
                layers.append(nn.AvgPool2d(2))
                width //= 2
            layers += [DenseLayer(width + GROWTH * i, 0.2 * dropout) for i in range(length)]
            width += GROWTH * length
        features = nn.Sequential(*layers, *_enter(width), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        classifier = nn.Linear(width, 10)
        super().__init__(features, classifier)


class DenseLayer(nn.Module):
    """Adds `GROWTH` channels to its input: a 1x1 down to four times as many, then a 3x3."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.grow = nn.Sequential(
            *_enter(width),
            nn.Conv2d(width, 4 * GROWTH, 1, bias=False),
            *_enter(4 * GROWTH),
            nn.Conv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False),
            Dropout(dropout),
        )

    def forward(self, x: Float[Tensor, "batch width h w"]) -> Float[Tensor, "batch wider h w"]:
        return torch.cat([x, self.grow(x)], 1)


def _enter(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
