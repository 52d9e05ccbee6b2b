"""What most networks here are: features of an image, and answers from them."""

from jaxtyping import Float
from torch import Tensor, nn


class Classifier(nn.Module):
    """Two parts, one after the other; their names are those of the weights in a checkpoint."""

    def __init__(self, features: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, images: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 10"]:
        logits: Tensor = self.classifier(self.features(images))
        return logits
