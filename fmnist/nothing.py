"""A classifier that can also answer "none of these": an eleventh logit that is always zero.

The network keeps its ten outputs. Where it is trained with images of nothing, the softmax runs over
those ten and a zero, so that log(sum(exp(logits))) is the logit of "there is a garment".
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


def with_nothing(logits: Float[Tensor, "batch 10"]) -> Float[Tensor, "batch 11"]:
    """The logits of all eleven answers."""
    return pad(logits, (0, 1))


def garment_probability(logits: Float[Tensor, "batch 10"]) -> Float[Tensor, " batch"]:
    """How likely there is a garment at all; the softmax of the logits says which, if there is."""
    return torch.logsumexp(logits, 1).sigmoid()
