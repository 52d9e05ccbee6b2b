"""A convolution before a batch norm, without what costs a GPU time in training for nothing."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

ALIGNED = 16  # numbers in a row that a GPU multiplies fast


class Convolution(nn.Conv2d):
    """`nn.Conv2d` of 3x3 that can do without its bias in training, and there, where torch.compile
    compiles it, takes images of one channel for a matrix.
    """

    is_without_bias = False  # in training

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(width, channels, 3, padding=1)

    def give_bias_to(self, norm: nn.BatchNorm2d) -> None:
        """Have the mean of the norm that follows stand for the bias, which is zero from then on."""
        assert self.bias is not None and norm.running_mean is not None
        with torch.no_grad():
            norm.running_mean -= self.bias
            self.bias.zero_()
        self.is_without_bias = True

    def forward(self, input: Float[Tensor, "batch in h w"]) -> Float[Tensor, "batch out h w"]:
        if not (self.training and self.is_without_bias):
            return super().forward(input)
        if self.in_channels == 1 and torch.compiler.is_compiling():
            return self._as_matrix(input)
        return self._conv_forward(input, self.weight, None)

    def _as_matrix(self, input: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch out h w"]:
        """One product of matrices: cuDNN would make eight channels of the one, twice a step."""
        count, _, height, width = input.shape
        # The columns behind the ninth repeat it, and their weights are zero.
        place = torch.arange(ALIGNED, device=input.device).clamp(max=8)
        rows = torch.arange(height, device=input.device)[:, None, None] + place // 3
        columns = torch.arange(width, device=input.device)[:, None] + place % 3
        seen = F.pad(input[:, 0], (1, 1, 1, 1))[:, rows, columns]
        weight = F.pad(self.weight.flatten(1), (0, ALIGNED - 9))
        product = seen.flatten(0, 2) @ weight.mT
        return product.view(count, height, width, -1).permute(0, 3, 1, 2)
