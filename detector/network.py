"""The grid's network: built, and read from its file.

It imports ultralytics for the network's modules and their loss.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import torch
from PIL import Image

from detector.backbones import prepare_trunk
from detector.layouts import LAYOUTS, TRUNK, VGG, YOLO, backbone_of, grid_card, not_a_grid
from fmnist.cards import Facts
from fmnist.checkpoint import read_weights
from fmnist.offline import offline

Network = Any  # ultralytics' DetectionModel: its attributes have no types


def build(seed: int = 0, backbone: str = YOLO) -> Network:
    """The untrained network: BGR in 0..1 [batch 3 height width] (multiples of 32) -> raw maps.

    `backbone` is one of `detector.layouts.LAYOUTS`; `network.loss` is ultralytics'
    `v8DetectionLoss`.
    """
    with ultralytics_import():
        from ultralytics.nn.tasks import DetectionModel
        from ultralytics.utils import YAML, IterableSimpleNamespace

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network: Network = DetectionModel(YAML.load(LAYOUTS[backbone]), ch=3, verbose=False)
    if backbone == VGG:
        prepare_trunk(network.model[:TRUNK])
    # Weights of the loss; cls is twice the usual: boxes are found early, the garment in them late.
    network.args = IterableSimpleNamespace(box=7.5, cls=1.0, dfl=1.5)
    return network.to(memory_format=torch.channels_last)


def read(path: Path) -> tuple[Network, int]:
    """The network with the weights of NAME.safetensors, and the size at which it looks at frames.

    Raises:
        InputError: the files are missing, damaged, or not those of a grid.
    """
    facts = grid_card(path)
    state = read_weights(path)
    network = build(backbone=backbone_of(facts))
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    if wanted != {name: value.shape for name, value in state.items()}:
        raise not_a_grid(path)
    network.load_state_dict(state)
    return network, inference_size_of(facts)


def inference_size_of(card: Facts) -> int:
    """The size at which a grid looks at frames: that of its training, if no other is told."""
    size: int = card.get("looks_at") or card["image_size"]
    return size


@contextmanager
def ultralytics_import() -> Iterator[None]:
    """Import it inside: ultralytics stays offline, without telemetry or installing by itself.

    What the user has set stays, and so do OpenCV's threads, of which its first import leaves one
    to the whole process, and Pillow's `open`, in whose place it puts one that wants more packages.
    """
    for name, value in offline(verbose=False).items():
        os.environ.setdefault(name, value)
    threads, pillows_open = cv2.getNumThreads(), Image.open
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        Image.open = pillows_open
