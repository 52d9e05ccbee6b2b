"""Devices by name, and what is told of them."""

import pytest
import torch

from fmnist.device import autocast, describe, has_bf16, pick_device
from fmnist.errors import InputError


def test_the_processor_is_always_there() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda")


def test_a_device_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"cuda:97 is not available; this machine has: cpu"):
        pick_device("cuda:97")


def test_autocast_is_bf16_exactly_where_the_device_gains_by_it() -> None:
    cpu = torch.device("cpu")
    with autocast(cpu):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert (product.dtype == torch.bfloat16) == has_bf16(cpu)


def test_the_record_names_device_threads_and_versions() -> None:
    facts = describe(torch.device("cpu"))
    assert facts["torch"] == torch.__version__
    assert facts["threads"] == torch.get_num_threads()
    assert facts["device"]
    assert isinstance(facts["load"], float)
