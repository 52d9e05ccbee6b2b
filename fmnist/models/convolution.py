"""A convolution before a batch norm, without what costs a GPU time in training for nothing."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

ALIGNED = 8  # channels: with fewer, cuDNN makes as many itself, in passes of its own


class Convolution(nn.Conv2d):
    """`nn.Conv2d` of 3x3 that keeps the sides, and can do without its bias in training."""

    is_without_bias = False  # in training; the bias is zero then

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(width, channels, 3, padding=1)

    def give_bias_to(self, norm: _BatchNorm) -> None:
        """Have the mean of the norm that follows stand for the bias; what both say stays."""
        assert self.bias is not None and norm.running_mean is not None
        with torch.no_grad():
            norm.running_mean -= self.bias
            self.bias.zero_()
        self.is_without_bias = True

    def forward(self, input: Float[Tensor, "batch in h w"]) -> Float[Tensor, "batch out h w"]:
        if not (self.training and self.is_without_bias):
            return super().forward(input)
        weight = self.weight
        if self.in_channels == 1 and input.is_cuda and torch.compiler.is_compiling():
            input, weight = aligned(input), aligned(weight)
        return self._conv_forward(input, weight, None)


def aligned(images: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 8 h w"]:
    """With channels of zeros, which a compiler writes where it writes the images anyway."""
    wide = F.pad(images, (0, 0, 0, 0, 0, ALIGNED - 1))
    return wide.contiguous(memory_format=torch.channels_last)
