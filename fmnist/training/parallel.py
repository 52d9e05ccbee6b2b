"""Several processes that train one network, started by torchrun: each takes a share of a batch.

Batches, augmentation and seeds are those of a single process; torch's DistributedDataParallel
averages the gradients. Without torchrun there is one process, and nothing to share.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from fmnist.errors import InputError

Value = TypeVar("Value")
HALF = (
    "WORLD_SIZE is set, but not what torchrun sets beside it. "
    "Start with torchrun, or unset WORLD_SIZE."
)
PATIENCE = timedelta(hours=3)  # of any process for the others: the first may render crops


@contextmanager
def group(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that torchrun started; gives the device of this one."""
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield device
        return
    if device.type == "cuda":
        number, count = _local_rank(), torch.cuda.device_count()
        if number >= count:
            raise InputError(
                f"Process {number} has no GPU of its own: there are {count}. "
                f"Start --nproc-per-node {count}, or train with --device cpu."
            )
        device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=PATIENCE)
    except ValueError:
        raise InputError(HALF) from None
    try:
        yield device
    finally:
        dist.destroy_process_group()


def _local_rank() -> int:
    try:
        return int(os.environ["LOCAL_RANK"])
    except (KeyError, ValueError):
        raise InputError(HALF) from None


def rank() -> int:
    """The number of this process; the one of number 0 writes and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def broadcast(value: Value) -> Value:
    """The value of the first process, in all of them."""
    if world_size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def on_rank_zero(work: Callable[[], Value]) -> Value | None:
    """The work of the first process; for all others, who wait for it, None.

    Raises:
        InputError: in all of them, where the first one raised it.
    """
    if world_size() == 1:
        return work()
    done, mistake = None, None
    if rank() == 0:
        try:
            done = work()
        except InputError as error:
            mistake = str(error)
    if mistake := broadcast(mistake):
        raise InputError(mistake)
    return done


def rank_zero_first(work: Callable[[], Value]) -> Value:
    """The work of the first process, then of all others, who find what it left.

    Raises:
        InputError: in all of them, where the first one raised it.
    """
    done = on_rank_zero(work)
    return work() if rank() else cast(Value, done)


def shared(network: nn.Module) -> nn.Module:
    """The network with averaged gradients, and on a GPU with the batch norm of the whole batch.

    On a CPU torch has no such batch norm: there each process normalises its own share.
    """
    if world_size() == 1:
        return network
    if next(network.parameters()).is_cuda:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return DistributedDataParallel(network)


def check_batch(batch_size: int) -> None:
    """Raises InputError where a batch cannot be shared evenly."""
    if batch_size % world_size():
        raise InputError(
            f"A batch of {batch_size} cannot be shared evenly by {world_size()} processes. "
            "Choose another --nproc-per-node, or --set batch_size=N."
        )


def shard(batch: Tensor) -> Tensor:
    """What this process takes of a batch."""
    return batch[rank() :: world_size()]


def mean(value: Tensor) -> Tensor:
    """The mean of a number over all processes."""
    if world_size() > 1:
        dist.all_reduce(value)
    return value / world_size()
