"""Muon: momentum whose step is made orthogonal, for the filters of convolutions."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fmnist.training.cuda_graphs import side_by_side

Matrix = Float[Tensor, "_rows _columns"]

# Of Jordan et al., "Muon: an optimizer for hidden layers" (2024): steep at zero, so that four
# steps bring all but the smallest singular values near 1, between about 0.7 and 1.2.
QUINTIC = (3.4445, -4.7750, 2.0315)
STEPS = 4


def orthogonalizers(matrices: Sequence[Matrix]) -> list[Matrix]:
    """What pushes the singular values of each towards 1: from the left of a wide matrix X, from
    the right of a tall one.

    The quintic Newton-Schulz iteration X <- (a + b XX' + c (XX')^2) X only multiplies by
    polynomials of XX', which commute; so it runs on the small square matrices, for half the
    arithmetic. Those of several X are one batch: a GPU takes as long for one as for all.
    """
    found: dict[int, Matrix] = {}
    for places in _batches(matrices):
        batch = [_wide(matrices[place]) for place in places]
        side = max(map(len, batch))
        squares = batch[0].new_zeros(len(batch), side, side)
        side_by_side(_square, [*zip(batch, squares, strict=True)], squares.device)
        for place, wide, factor in zip(places, batch, _polynomial(squares), strict=True):
            found[place] = factor[: len(wide), : len(wide)]
    return [found[place] for place in range(len(matrices))]


def _square(given: tuple[Matrix, Matrix]) -> None:
    """XX' of the first, into a corner of the second."""
    wide, square = given
    torch.mm(wide, wide.mT, out=square[: len(wide), : len(wide)])


def _polynomial(squares: Float[Tensor, "n side side"]) -> Float[Tensor, "n side side"]:
    """The product of the factors of all steps; `squares` are XX', padded with zeros."""
    a, b, c = QUINTIC
    square = squares.diagonal(dim1=1, dim2=2).sum(1).add(1e-14)[:, None, None]  # of the norm of X
    gram = squares / square
    first = a * torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    total = None
    for step in range(STEPS):
        factor = torch.add(first, gram, alpha=b).baddbmm_(gram, gram, alpha=c)
        total = factor / square.sqrt() if total is None else factor @ total
        if step < STEPS - 1:
            gram = factor @ gram @ factor
    assert total is not None
    return total


def _batches(matrices: Sequence[Matrix]) -> Iterator[list[int]]:
    """The places of what is worked on at once: on a GPU all, elsewhere those of one size."""
    sides = [0 if each.is_cuda else min(each.shape) for each in matrices]
    order = sorted(range(len(matrices)), key=sides.__getitem__)
    for _, places in groupby(order, key=sides.__getitem__):
        yield list(places)


def _wide(matrix: Matrix) -> Matrix:
    return matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalized per filter bank, on weights of constant length.

    Every bank [out in h w] is a matrix [out, in*h*w] whose Frobenius norm is set to
    sqrt(min(out, in*h*w)) before the first and after each step. Batch norm makes the network
    blind to that length, so `lr` is the length of a step relative to the weights (as in airbench,
    Jordan 2024).
    """

    _has_begun = False  # whether the weights have their length

    def __init__(
        self,
        filters: list[nn.Parameter],
        lr: float | Tensor,
        momentum: float = 0.9,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`dtype` is that of each step's last product, which may be rounded; what leads to it
        multiplies errors of the small singular values.
        """
        super().__init__(filters, {"lr": lr, "momentum": momentum})
        self._dtype = dtype

    def begin(self) -> None:
        """The weights are others now, of any length."""
        self._has_begun = False

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._has_begun = bool(self.state)  # else the weights would be scaled, by a rounding

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            if moved and not self._has_begun:
                _set_length(moved)
            if moved:
                self._move(moved, group["lr"], group["momentum"])
        self._has_begun = True

    def _move(self, weights: list[nn.Parameter], rate: float | Tensor, momentum: float) -> None:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        buffers = [self._momentum(weight) for weight in weights]
        torch._foreach_lerp_(buffers, gradients, 1 - momentum)
        ahead = torch._foreach_lerp(gradients, buffers, momentum)
        directions = [_rows(each, weight) for each, weight in zip(ahead, weights, strict=True)]
        factors = torch._foreach_mul(orthogonalizers(directions), rate)

        def move(number: int) -> None:
            moved = _rows(weights[number], weights[number])
            assert moved.data_ptr() == weights[number].data_ptr()  # no copy of weights with gaps
            _subtract(_wide(moved), factors[number], _wide(directions[number]), self._dtype)

        side_by_side(move, range(len(weights)), weights[0].device)
        _set_length(weights)

    def _momentum(self, weight: nn.Parameter) -> Tensor:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"]
        return momentum


def _rows(bank: Float[Tensor, "out in h w"], like: Tensor) -> Matrix:
    """A filter bank as a matrix, its columns as the memory of `like` has them: that one's own
    memory, where it is the bank.
    """
    is_last = like.is_contiguous(memory_format=torch.channels_last)
    return (bank.permute(0, 2, 3, 1) if is_last else bank).reshape(len(bank), -1)


def _subtract(matrix: Matrix, left: Matrix, right: Matrix, dtype: torch.dtype) -> None:
    """`left` times `right` from `matrix`, in place; multiplied in that format."""
    if dtype == matrix.dtype:
        matrix.addmm_(left, right, alpha=-1)  # one kernel of a GPU instead of two
    else:
        matrix.sub_(left.to(dtype) @ right.to(dtype))


def _set_length(weights: Sequence[Tensor]) -> None:
    """Scale each bank to the length that it keeps."""
    lengths = [min(len(weight), weight[0].numel()) ** 0.5 for weight in weights]
    norms = torch._foreach_norm([*weights])
    for weight, norm, length in zip(weights, norms, lengths, strict=True):
        weight.mul_(length / norm)
