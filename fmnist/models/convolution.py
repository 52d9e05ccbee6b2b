"""A convolution for training, without what costs a GPU or a CPU time for nothing."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm

from fmnist.device import has_amx

ALIGNED = 8  # channels: with fewer, cuDNN makes as many itself, in passes of its own
# Up to this side and from so many channels on, one product is 1.3 to 3 times as fast as oneDNN's
# gradient of the weights (AMX, bf16, batches of 128); with larger sides it is slower.
MOST_SIDE, LEAST_CHANNELS = 8, 128


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
        if gains_by_a_product(input):
            convolved: Tensor = ByProduct.apply(input, self.weight)
            return convolved
        weight = self.weight
        if self.in_channels == 1 and input.is_cuda and torch.compiler.is_compiling():
            input, weight = aligned(input), aligned(weight)
        return self._conv_forward(input, weight, None)


def aligned(images: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 8 h w"]:
    """With channels of zeros, which a compiler writes where it writes the images anyway."""
    wide = F.pad(images, (0, 0, 0, 0, 0, ALIGNED - 1))
    return wide.contiguous(memory_format=torch.channels_last)


def gains_by_a_product(input: Float[Tensor, "batch in h w"]) -> bool:
    """Whether `ByProduct` is faster for it: on AMX in bf16, with many channels of few pixels."""
    _, channels, height, width = input.shape
    is_deep = max(height, width) <= MOST_SIDE and channels >= LEAST_CHANNELS
    if not is_deep or torch.compiler.is_compiling() or input.device.type != "cpu":
        return False
    return torch.is_autocast_enabled("cpu") and has_amx()


class ByProduct(torch.autograd.Function):
    """A 3x3 convolution that keeps the sides, in bf16 where that is on. The gradient of its weights
    is one product: that of the output with each pixel's 3x3 neighbours (im2col).
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)
    def forward(
        ctx: Any, input: Float[Tensor, "batch in h w"], weight: Float[Tensor, "out in 3 3"]
    ) -> Float[Tensor, "batch out h w"]:
        ctx.save_for_backward(input, weight)
        return F.conv2d(input, weight, padding=1)

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(  # type: ignore[override]  # torch types it for any number of arguments
        ctx: Any, gradient: Float[Tensor, "batch out h w"]
    ) -> tuple[Float[Tensor, "batch in h w"], Float[Tensor, "out in 3 3"]]:
        input, weight = ctx.saved_tensors
        sides, ones, only_input = [0, 0], [1, 1], [True, False, False]
        before, _, _ = torch.ops.aten.convolution_backward(
            gradient, input, weight, None, ones, ones, ones, False, sides, 1, only_input
        )
        pixels = gradient.permute(0, 2, 3, 1).reshape(-1, len(weight))
        product = (pixels.T @ _neighbours(input)).view(len(weight), 3, 3, -1)
        return before, product.permute(0, 3, 1, 2)


def _neighbours(input: Float[Tensor, "batch in h w"]) -> Float[Tensor, "pixels nine_in"]:
    """Of each pixel its 3x3 neighbours, row by row, with all channels; zeros beyond the edge."""
    n, channels, height, width = input.shape
    padded = F.pad(input.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    batch, row, column, channel = padded.stride()
    shape = (n, height, width, 3, 3, channels)
    windows = padded.as_strided(shape, (batch, row, column, row, column, channel))
    return windows.reshape(n * height * width, 9 * channels)
