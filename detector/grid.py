"""The YOLO grid that says where a garment is, and has its own idea of which."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor, nn
from torchvision.ops import box_iou, nms

from detector.backends.graphs import SIDES, GridGraph
from detector.backends.runnable import Runnable
from detector.boxes import Detections, Picture
from detector.defaults import CONFIDENCE
from detector.layouts import BINS, CELLS, MOST_BOXES, SAME_GARMENT, STRIDES
from detector.letterbox import check_frame, letterbox, longest_side, scaled_size
from detector.network import Network, read
from fmnist.classes import CLASSES, FOOTWEAR, OTHER, SHOES

MAX_CANDIDATES = 1000
VOTES_FROM = 0.01  # confidence from which a suppressed box still has a say in the one that stays
VOTES_IOU = 0.8


class Grid(Runnable):
    """A trained grid, ready to look at frames."""

    def __init__(self, network: Network, image_size: int, device: torch.device) -> None:
        """Take over a network of `build`: its batch normalisation is folded into its weights.

        It looks at frames with `longest_side` pixels for this `image_size`.
        """
        self.parameters = sum(p.numel() for p in network.parameters())
        network = network.float().eval().fuse(verbose=False)
        for module in network.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = True  # a tenth of the time
        self.image_size = image_size
        network = network.to(device=device, memory_format=torch.channels_last)
        super().__init__(GridGraph(network), device)

    @staticmethod
    def load(path: Path, device: torch.device) -> "Grid":
        """Read NAME.safetensors and its card NAME.json.

        Raises:
            InputError: the files are missing, damaged, or not those of a grid.
        """
        network, image_size = read(path)
        return Grid(network, image_size, device)

    @property
    def wide_hw(self) -> tuple[int, int]:
        """Height and width of what the network reads of a frame of 16:9."""
        height, width, _ = self.input(np.zeros((9 * CELLS, 16 * CELLS, 3), np.uint8)).shape
        return height, width

    def facts(self) -> dict[str, Any]:
        """For the card of an export; `image_size` is the longest side of an upright frame."""
        wide = dict(zip(("height", "width"), self.wide_hw, strict=True))
        return self.graph.facts() | {"image_size": self.image_size, "reads_16_to_9": wide}

    def input(self, frame: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "rows columns 3"]:
        """The frame as the network reads it. ValueError if it is no picture of bytes in BGR."""
        check_frame(frame)
        height, width = frame.shape[:2]
        return letterbox(frame, longest_side(width, height, self.image_size))

    def __call__(self, frame: Picture, confidence: float = CONFIDENCE) -> Detections:
        """The garments of a BGR frame of any size, the most confident one first.

        Their classes are what the grid itself sees.
        """
        return self.batch([frame], confidence)[0]

    @torch.inference_mode()
    def batch(
        self, frames: Sequence[UInt8[np.ndarray, "_ _ 3"]], confidence: float = CONFIDENCE
    ) -> list[Detections]:
        """The same for many frames; those of one shape go through the network together."""
        inputs = [self.input(frame) for frame in frames]
        boxes = [Detections.empty()] * len(frames)
        for shape in {image.shape for image in inputs}:
            members = [i for i, image in enumerate(inputs) if image.shape == shape]
            images = torch.from_numpy(np.stack([inputs[i] for i in members]))
            for i, distances, logits in zip(members, *self._run(images), strict=True):
                boxes[i] = self._select(distances, logits.sigmoid(), confidence, frames[i], shape)
        return boxes

    def _select(
        self,
        distances: Float[Tensor, "sides_bins cells"],
        answers: Float[Tensor, "answers cells"],
        confidence: float,
        frame: UInt8[np.ndarray, "_ _ 3"],
        shape: tuple[int, ...],
    ) -> Detections:
        """Decode the likely cells of one image and suppress those that tell of the same garment."""
        scores = _any_garment(answers)
        scores, order = scores.topk(min(MAX_CANDIDATES, len(scores)))
        scores = scores[scores >= min(confidence, VOTES_FROM)]
        order = order[: len(scores)]
        centre, stride = (part[order] for part in _cells(shape[0], shape[1], self.device))
        bins = torch.arange(BINS, dtype=torch.float32, device=self.device)
        sides = distances[:, order].T.reshape(-1, SIDES, BINS).softmax(2) @ bins
        xyxy = torch.cat([centre - sides[:, :2], centre + sides[:, 2:]], 1) * stride
        keep = nms(xyxy, scores, iou_threshold=SAME_GARMENT)[:MOST_BOXES]
        keep = keep[scores[keep] >= confidence]
        height, width = frame.shape[:2]
        scaled = scaled_size(width, height, longest_side(width, height, self.image_size))
        limit = np.array([width, height, width, height], np.float32)
        factor = limit / np.array([*scaled, *scaled], np.float32)
        boxes = (_box_voting(xyxy, scores, keep).cpu().numpy() * factor).clip(0, limit)
        probabilities = _shares(answers[:, order[keep]].T)
        return Detections(boxes, scores[keep].cpu().numpy(), probabilities.cpu().numpy())


def _any_garment(answers: Float[Tensor, "answers cells"]) -> Float[Tensor, " cells"]:
    """How likely there is one of those that are looked for, if each answer errs for itself."""
    others = torch.cat([answers[:OTHER], answers[OTHER + 1 :]])
    return 1 - (1 - others).prod(0)


def _shares(answers: Float[Tensor, "n answers"]) -> Float[Tensor, "n classes"]:
    """Of the ten classes; footwear of untold kind is as much of each kind of shoe."""
    shares = answers[:, : len(CLASSES)].clone()
    shares[:, SHOES] += answers[:, FOOTWEAR:] / len(SHOES)
    return shares / shares.sum(1, keepdim=True).clamp(min=1e-9)


def _box_voting(
    xyxy: Float[Tensor, "n 4"], scores: Float[Tensor, " n"], keep: Int[Tensor, " kept"]
) -> Float[Tensor, "kept 4"]:
    """The boxes that stay, each the mean, by confidence, of those that nearly agree with it.

    Box voting (Gidaris & Komodakis 2015, arXiv:1505.01749, section 3.3).
    """
    scores = scores.clamp(min=1e-9)  # a box that is not sure at all has a mean, too
    votes = (box_iou(xyxy[keep], xyxy) >= VOTES_IOU) * scores
    votes[torch.arange(len(keep)), keep] = scores[keep]  # its own, even of a box without area
    return votes @ xyxy / votes.sum(1, keepdim=True)


@lru_cache(maxsize=16)
def _cells(
    height: int, width: int, device: torch.device
) -> tuple[Float32[Tensor, "cells 2"], Float32[Tensor, "cells 1"]]:
    """Centre of every cell in units of its stride, and that stride, in the order of the maps."""
    centres, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // stride, device=device, dtype=torch.float32) + 0.5,
            torch.arange(width // stride, device=device, dtype=torch.float32) + 0.5,
            indexing="ij",
        )
        centres.append(torch.stack([x, y], 2).reshape(-1, 2))
        strides.append(torch.full_like(centres[-1][:, :1], stride))
    return torch.cat(centres), torch.cat(strides)
