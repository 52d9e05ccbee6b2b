"""How fast the same network is trained: by us and by a plain loop, in turn.

A plain loop is what the report of 2020 had: torchvision's transforms of one image after the other
(its Listing 1), a DataLoader, Adam, fp32; rate, dropout and batches are those of its recipe.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fmnist.benchmark.spread import around_median
from fmnist.choices import recipe_for
from fmnist.classes import TRAINING_SIZE
from fmnist.data import Split
from fmnist.models import build
from fmnist.recipes import FULL_SIZE
from fmnist.training.cuda_graphs import WARM_UP
from fmnist.training.epoch import train_one_epoch
from fmnist.training.step import start

BATCHES = {"cpu": 128, "cuda": 1024}  # of ours: a processor's cache, a GPU's many cores
Pass = Callable[[], float]  # goes once over the images; its seconds


class Listing1(Dataset[tuple[Tensor, int]]):
    """The report's view of an image: Listing 1 with torchvision, one image at a time, in 0..1.

    Its last line, which normalises, is the first layer of our networks.
    """

    def __init__(self, split: Split) -> None:
        self.split = split
        self.view = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomHorizontalFlip(0.5),
                transforms.RandomAffine(10, (0.1, 0.1)),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.view(self.split.images[index]), int(self.split.labels[index])


def plain_loop(model: str, split: Split, device: torch.device) -> Pass:
    """An epoch of the plain loop."""
    recipe = recipe_for("report", model)
    network = build(model, recipe.dropout).to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate)
    size = min(recipe.batch_size, len(split))
    loader = DataLoader(Listing1(split), size, shuffle=True, drop_last=True)

    def epoch() -> None:
        for images, labels in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
        loss.item()  # waits for a GPU

    return _timed(epoch)


def our_trainer(model: str, split: Split, device: torch.device, compiled: bool = False) -> Pass:
    """An epoch of ours: recipe best, always at 28 px."""
    recipe = replace(recipe_for("best", model), sizes=FULL_SIZE, batch_size=BATCHES[device.type])
    network = build(model, recipe.dropout).to(device)
    training = start(network, recipe, 10_000, 0, compiled=compiled)
    resident = split.to(device)
    if device.type == "cuda":
        for _ in range(WARM_UP + 1):  # with the smallest of splits the recording, too
            train_one_epoch(training, resident.select(slice(recipe.batch_size)))
    return _timed(lambda: train_one_epoch(training, resident))


def _timed(work: Callable[[], object]) -> Pass:
    def seconds() -> float:
        before = time.perf_counter()
        work()
        return time.perf_counter() - before

    return seconds


def in_turn(
    programs: dict[str, Pass], images: int, rounds: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row for each: passes over so many images, in turn; the first round warms up.

    The ratio is that of the images a second to those of the first program, pair by pair.
    """
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, program in programs.items():
            took = program()
            say(f"{number}/{rounds} {name}: {images / took:,.0f} images/s")
            if number:
                seconds[name].append(took)
    first = next(iter(seconds.values()))
    return [_row(name, images, its, first) for name, its in seconds.items()]


def _row(name: str, images: int, seconds: list[float], first: list[float]) -> dict[str, Any]:
    rate = around_median([images / each for each in seconds])
    return {
        "row": name,
        "images": images,
        "images_per_second": rate,
        "seconds_of_60000": TRAINING_SIZE / rate["median"],
        "ratio": around_median([slow / fast for slow, fast in zip(first, seconds, strict=True)]),
    }
