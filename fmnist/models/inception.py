"""A small network of inception blocks, which the report names as future work."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from fmnist.models.classifier import Classifier
from fmnist.models.dropout import Dropout
from fmnist.models.normalize import Normalize

# Blocks by the channels of their branches (1x1, 3x3, double 3x3, pool); "M" halves with a max pool.
Branches = tuple[int, int, int, int]
BLOCKS: tuple[Branches | str, ...] = (
    "M",
    (32, 48, 24, 24),
    (40, 64, 32, 24),
    "M",
    (64, 96, 48, 48),
    (72, 112, 56, 48),
    (80, 128, 64, 48),
)


class Inception(Classifier):
    """A 3x3 stem, then blocks at 14x14 and 7x7, an average, one linear layer.

    Blocks as in GoogLeNet (Szegedy et al. 2015) with batch norm and two 3x3 in the place of a 5x5
    (Szegedy et al. 2016). `dropout` scales a rate of 0.4 before the linear layer, as there.
    """

    def __init__(self, dropout: float) -> None:
        layers: list[nn.Module] = [Normalize(), _conv(1, 32, 3), _conv(32, 64, 3)]
        width = 64
        for block in BLOCKS:
            if isinstance(block, str):
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(InceptionBlock(width, block))
            width = sum(block)
        features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        classifier = nn.Sequential(Dropout(0.4 * dropout), nn.Linear(width, 10))
        super().__init__(features, classifier)


class InceptionBlock(nn.Module):
    """Four views of the same input side by side; the larger filters see it through a 1x1."""

    def __init__(self, width: int, branches: Branches) -> None:
        super().__init__()
        point, middle, large, pooled = branches
        self.branches = nn.ModuleList(
            [
                _conv(width, point, 1),
                nn.Sequential(_conv(width, middle // 2, 1), _conv(middle // 2, middle, 3)),
                nn.Sequential(
                    _conv(width, large // 2, 1),
                    _conv(large // 2, large, 3),
                    _conv(large, large, 3),
                ),
                nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _conv(width, pooled, 1)),
            ]
        )

    def forward(self, x: Float[Tensor, "batch width h w"]) -> Float[Tensor, "batch channels h w"]:
        return torch.cat([branch(x) for branch in self.branches], 1)


def _conv(width: int, channels: int, size: int) -> nn.Module:
    return Conv2dNormActivation(width, channels, size)
