"""Where the arithmetic happens: the device, its number format, and its name for the record."""

import ctypes
import os
import platform
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

import torch

from fmnist.errors import InputError

# From so many images on: it takes a minute, and then saves 1.5 microseconds an image (VGG-like,
# H200). No recipe here sees so many.
COMPILING_PAYS = 40_000_000
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def pick_device(name: str = "auto") -> torch.device:
    """Turn "auto", "cpu", "cuda" or "cuda:N" into a device that this machine has.

    Raises:
        InputError: the device does not exist here; the text lists those that do.
    """
    present = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name == "auto":
        return torch.device(present[1] if len(present) > 1 else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in present:
        raise InputError(
            f"{name} is not available; this machine has: {', '.join(present)}. "
            "Choose one of these with --device, or leave it at auto."
        )
    return torch.device(wanted)


def keep_memory() -> None:
    """For training: the process keeps the memory of freed tensors of up to 32 MB (glibc only).

    Else glibc returns it to the system and has it mapped again page by page, which takes a tenth
    of a training step of the grid.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # not in musl
        mallopt(M_MMAP_THRESHOLD, 2**25)  # the most that it takes
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def settle_on(device: torch.device) -> None:
    """On a GPU: make it the current device, let cuDNN time its convolutions and take the fastest,
    and multiply float32 matrices in TF32.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")


def compiles(choice: str, device: torch.device, images: int = COMPILING_PAYS) -> bool:
    """Whether torch.compile fuses the network of a training that sees so many images in all.

    "auto": on a GPU, where what a step gains by it outweighs the wait before the first; without a
    number of images that wait does not count, as where a clock starts after it.
    """
    if choice == "auto":
        return device.type == "cuda" and images >= COMPILING_PAYS
    return choice == "on"


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 is faster than fp32 there: a GPU from Ampere on, a CPU with AMX or AVX512-BF16.

    Elsewhere oneDNN emulates bf16, which is slower than fp32.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):  # it asks the current one
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return has_amx() or "avx512_bf16" in _cpu_info("flags").split()


def has_amx() -> bool:
    """Whether the CPU multiplies whole tiles of bf16 at once."""
    return "amx_bf16" in _cpu_info("flags").split()


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision in bf16 where the device gains by it; nothing elsewhere."""
    if has_bf16(device):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def product_dtype(device: torch.device) -> torch.dtype:
    """Of products that may be rounded: bf16 on a CPU that is faster so; a GPU has TF32."""
    is_rough = device.type == "cpu" and has_bf16(device)
    return torch.bfloat16 if is_rough else torch.float32


def describe(device: torch.device) -> dict[str, str | int | float]:
    """The facts that every measured figure carries: device, threads, number format, versions.

    `load` is how many processes wanted a core, on average over the last minute: where it is more
    than `threads`, others worked there too, and seconds are upper bounds.
    """
    name = _cpu_info("model name") or platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {
        "device": name,
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0,
        "precision": "bf16" if has_bf16(device) else "fp32",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def wait_for(device: torch.device) -> None:
    """Until all of its work is done, for a clock; a CPU's always is."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@cache  # asked at every step of a training
def _cpu_info(key: str) -> str:
    """A field of the first processor in /proc/cpuinfo; "" where there is no such file."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return ""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")
