"""Dropout that costs little on a CPU, too."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

LEVELS = 2**16  # of a random number: a rate is met to 1 / 65,536


class Dropout(nn.Dropout):
    """`nn.Dropout`; on a CPU four values share a random number of 64 bits.

    PyTorch draws every value by itself there, in one thread: a sixth of a training step of the
    VGG-like with the report's rates. The numbers are those of the global generator, and the same
    for any count of threads.
    """

    def forward(self, input: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not self.training or self.p == 0 or input.device.type != "cpu":
            return super().forward(input)
        return input * _kept(input, self.p)


def _kept(like: Tensor, rate: float) -> Tensor:
    """0 with the probability `rate`, else 1 / (1 - rate), laid out in memory as `like` is."""
    kept = torch.empty_like(like)
    draws = torch.empty(-(-kept.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    least = min(round(rate * LEVELS), LEVELS - 1) - LEVELS // 2
    flat = kept.as_strided((kept.numel(),), (1,))  # dense: empty_like keeps strides, not gaps
    flat.copy_(draws.view(torch.int16)[: kept.numel()] >= least)
    return kept.mul_(1 / (1 - rate) if rate < 1 else 0)
