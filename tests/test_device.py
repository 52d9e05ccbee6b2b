"""Devices by name, and what is told of them."""

import platform
import subprocess
import sys

import pytest
import torch

from fmnist import device
from fmnist.device import autocast, compiles, describe, has_bf16, pick_device, product_dtype
from fmnist.errors import InputError

# Page faults of tensors that live together and are freed together, without and with it.
FAULTS = """
import resource, torch
from fmnist.device import keep_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    kept = [torch.ones(3_000_000) for _ in range(3)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(), faults()
without = faults()
keep_memory()
faults(), faults(), faults()
print(without, faults())
"""


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


def test_products_are_rough_on_a_cpu_that_gains_by_it_and_never_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "has_bf16", lambda _: True)
    assert product_dtype(torch.device("cpu")) == torch.bfloat16
    assert product_dtype(torch.device("cuda")) == torch.float32
    monkeypatch.setattr(device, "has_bf16", lambda _: False)
    assert product_dtype(torch.device("cpu")) == torch.float32


def test_the_record_names_device_threads_and_versions() -> None:
    facts = describe(torch.device("cpu"))
    assert facts["torch"] == torch.__version__
    assert facts["threads"] == torch.get_num_threads()
    assert facts["device"]
    assert isinstance(facts["load"], float)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what it asks for is glibc's")
def test_memory_that_was_freed_is_not_mapped_anew() -> None:
    """Without it two of three tensors (12 MB, 3,000 pages each) are mapped anew every time."""
    ours = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    without, with_it = map(int, ours.stdout.split())
    assert without > 2_000
    assert with_it < 200


@pytest.mark.parametrize(
    ("choice", "device", "images", "compiled"),
    [
        ("auto", "cpu", 10**9, False),
        ("auto", "cuda", 10**9, True),
        ("auto", "cuda", 60_000, False),
        ("on", "cpu", 1, True),
        ("off", "cuda", 10**9, False),
    ],
)
def test_compiling_is_for_long_trainings_on_a_gpu(
    choice: str, device: str, images: int, compiled: bool
) -> None:
    assert compiles(choice, torch.device(device), images) == compiled
