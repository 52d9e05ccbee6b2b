"""The LeNet-like network: Table 1 of the report, 173,962 parameters."""

from torch import nn

from fmnist.models.classifier import Classifier
from fmnist.models.dropout import Dropout
from fmnist.models.normalize import Normalize


class LeNet(Classifier):
    """Three 5x5 convolutions of 16, 32 and 64 channels, each halved by a max pool, then 128, 256.

    `dropout` scales the rate of 0.5 before both hidden layers.
    """

    def __init__(self, dropout: float) -> None:
        layers: list[nn.Module] = [Normalize()]
        width = 1
        for channels in (16, 32, 64):
            layers += [nn.Conv2d(width, channels, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
            width = channels
        features = nn.Sequential(*layers)
        classifier = nn.Sequential(
            nn.Flatten(),
            Dropout(0.5 * dropout),
            nn.Linear(64 * 3 * 3, 128),
            nn.ReLU(),
            Dropout(0.5 * dropout),
            nn.Linear(128, 256),
            nn.ReLU(),
            nn.Linear(256, 10),
        )
        super().__init__(features, classifier)
