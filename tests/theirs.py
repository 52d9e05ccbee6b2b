"""Files of ultralytics, untrained."""

from pathlib import Path
from typing import Any

import torch

from detector.network import ultralytics_import


def saved(path: Path, names: tuple[str, ...], layout: str = "yolo11n.yaml") -> Path:
    """An untrained detector for classes of these names, so noisy that it sees something."""
    with ultralytics_import():
        from ultralytics import YOLO
        from ultralytics.nn.tasks import DetectionModel

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: Any = DetectionModel(layout, nc=len(names), verbose=False)
        for branch in network.model[-1].cv3:
            torch.nn.init.normal_(branch[-1].weight, std=0.5)
            torch.nn.init.normal_(branch[-1].bias)
    network.names = dict(enumerate(names))
    model: Any = YOLO(layout, task="detect")
    model.model = network
    model.save(path)
    return path
