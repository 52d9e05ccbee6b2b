"""The VGG-like network: Table 2 of the report, 1,148,618 parameters."""

from torch import nn

from fmnist.models.classifier import Classifier
from fmnist.models.convolution import Convolution
from fmnist.models.dropout import Dropout
from fmnist.models.normalize import Normalize

# Channels of the 3x3 convolutions; "M" halves with a max pool, followed by dropout.
LAYERS = (64, 64, "M", 128, 128, "M", 256, 256)


class VGG(Classifier):
    """Six 3x3 convolutions with batch norm, an average over the 7x7 that is left, one linear layer.

    `dropout` scales the rates of Table 2: 0.4 after each max pool, 0.5 before the linear layer.
    The average takes any size, so training may begin with smaller images.
    """

    def __init__(self, dropout: float) -> None:
        layers: list[nn.Module] = [Normalize()]
        width = 1
        for layer in LAYERS:
            if isinstance(layer, str):
                layers += [nn.MaxPool2d(2), Dropout(0.4 * dropout)]
                continue
            layers += [Convolution(width, layer), nn.BatchNorm2d(layer)]
            layers += [nn.ReLU(inplace=True)]
            width = layer
        features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        classifier = nn.Sequential(Dropout(0.5 * dropout), nn.Linear(width, 10))
        super().__init__(features, classifier)
