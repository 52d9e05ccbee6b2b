"""A max pool that a compiler can fuse with what stands around it."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class MaxPool(nn.MaxPool2d):
    """`nn.MaxPool2d` of 2x2; written out where torch.compile compiles a training.

    PyTorch's own looks for every pixel which windows it is in, as if they could overlap: that
    backward pass and what it cannot be fused with take a GPU a tenth of the VGG-like's step.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, input: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h2 w2"]:
        height, width = input.shape[2:]
        if not (self.training and torch.compiler.is_compiling()) or height % 2 or width % 2:
            return super().forward(input)
        pooled: Tensor = Pooled.apply(input)
        return pooled


class Pooled(torch.autograd.Function):
    """The largest of each 2x2 pixels, of even sides; the first of several that are the largest
    gets the gradient, as from `nn.MaxPool2d`.
    """

    @staticmethod
    def forward(ctx: Any, images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h2 w2"]:
        quads = images.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
        (a, b), (c, d) = [[quads[:, :, :, y, :, x] for x in range(2)] for y in range(2)]
        above, below = torch.maximum(a, b), torch.maximum(c, d)
        is_right = torch.where(below > above, d > c, b > a)
        ctx.save_for_backward(2 * (below > above).to(torch.uint8) + is_right)
        return torch.maximum(above, below)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Float[Tensor, "batch c h2 w2"]
    ) -> Float[Tensor, "batch c h w"]:
        (place,) = ctx.saved_tensors
        height, width = (2 * side for side in place.shape[2:])
        rows = torch.arange(height, device=place.device)[:, None] % 2
        columns = torch.arange(width, device=place.device) % 2
        is_largest = F.interpolate(place, scale_factor=2) == 2 * rows + columns
        return torch.where(is_largest, F.interpolate(gradient, scale_factor=2), 0)
