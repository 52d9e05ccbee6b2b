"""The LeNet-like network: Table 1 of the report, 173,962 parameters."""

from jaxtyping import Float
from torch import Tensor, nn

from fmnist.models.normalize import Normalize


class LeNet(nn.Module):
    """Three 5x5 convolutions of 16, 32 and 64 channels, each halved by a max pool, then 128, 256.

    `dropout` scales the rate of 0.5 before both hidden layers.
    """

    def __init__(self, dropout: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [Normalize()]
        width = 1
        for channels in (16, 32, 64):
            layers += [nn.Conv2d(width, channels, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
            width = channels
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.5 * dropout),
            nn.Linear(64 * 3 * 3, 128),
            nn.ReLU(),
            nn.Dropout(0.5 * dropout),
            nn.Linear(128, 256),
            nn.ReLU(),
            nn.Linear(256, 10),
        )

    def forward(self, images: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch 10"]:
        logits: Tensor = self.classifier(self.features(images))
        return logits
