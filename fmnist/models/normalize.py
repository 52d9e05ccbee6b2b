"""The input convention that all classifiers share."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Normalize(nn.Module):
    """Map 0..1 to -1..1: mean and standard deviation 0.5, as in Listing 1 of the report.

    The buffers are not persistent: the convention belongs to the code, not to a checkpoint.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(0.5), persistent=False)
        self.register_buffer("std", torch.tensor(0.5), persistent=False)

    def forward(self, images: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 1 h w"]:
        return (images - self.mean) / self.std
