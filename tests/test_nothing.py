"""The eleventh answer: its probability, and that of a garment, are one softmax."""

import torch

from fmnist.classes import NOTHING
from fmnist.nothing import garment_probability, with_nothing


def test_garment_and_nothing_share_one_softmax() -> None:
    logits = torch.randn(5, 10, generator=torch.Generator().manual_seed(0)) * 4
    eleven = with_nothing(logits).softmax(1)
    torch.testing.assert_close(garment_probability(logits), 1 - eleven[:, NOTHING])
    given = eleven[:, :NOTHING] / eleven[:, :NOTHING].sum(1, keepdim=True)
    torch.testing.assert_close(given, logits.softmax(1))
