"""Muon: momentum whose step is made orthogonal, for the filters of convolutions."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fmnist.captured import side_by_side


def orthogonalize(
    matrix: Float[Tensor, "rows columns"], steps: int = 4
) -> Float[Tensor, "rows columns"]:
    """Push all singular values towards 1 by a quintic Newton-Schulz iteration.

    Coefficients of Jordan et al., "Muon: an optimizer for hidden layers" (2024): steep at zero, so
    that four steps bring all but the smallest near 1, between about 0.7 and 1.2.

    The iteration X <- (a + b XX' + c (XX')^2) X only multiplies by polynomials of XX', which
    commute; so it runs on the small square matrix and touches X once, for half the arithmetic.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / (wide.norm() + 1e-7)
    gram = wide @ wide.mT
    total = identity = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(steps):
        factor = a * identity + b * gram + c * gram @ gram
        total = factor @ total
        gram = factor @ gram @ factor
    wide = total @ wide
    return wide.mT if matrix.shape[0] > matrix.shape[1] else wide


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalized per filter bank, on weights of constant length.

    Every bank [out in h w] is a matrix [out, in*h*w] whose Frobenius norm is set back to
    sqrt(min(out, in*h*w)) after each step. Batch norm makes the network blind to that length, so
    `lr` is the length of a step relative to the weights (as in airbench, Jordan 2024).
    """

    def __init__(
        self, filters: list[nn.Parameter], lr: float | Tensor, momentum: float = 0.9
    ) -> None:
        super().__init__(filters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            move = partial(self._move, rate=group["lr"], momentum=group["momentum"])
            if moved:
                side_by_side(move, moved, moved[0].device)

    def _move(self, weight: nn.Parameter, rate: float | Tensor, momentum: float) -> None:
        assert weight.grad is not None
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        buffer = state["momentum"]
        buffer.lerp_(weight.grad, 1 - momentum)
        direction = weight.grad.lerp(buffer, momentum).flatten(1)
        length = min(direction.shape) ** 0.5
        update = orthogonalize(direction).view_as(weight)
        weight.mul_(length / weight.norm()).sub_(update * rate)
        weight.mul_(length / weight.norm())
