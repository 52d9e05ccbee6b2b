"""A VGG-like classifier becomes the first layers of a grid, and sees there what it saw before."""

from typing import Any

import torch
from torch import Tensor, nn

from detector.layouts import LATER, SHARED_FROM, TRUNK, VGG
from fmnist.models import build

BGR_TO_GRAY = (0.114, 0.587, 0.299)  # as OpenCV's COLOR_BGR2GRAY
EPS = nn.BatchNorm2d(1).eps  # ultralytics sets another


@torch.no_grad()
def prepare_trunk(trunk: nn.Sequential) -> None:
    """Have the first layer of a VGG-like trunk turn BGR in 0..1 into gray in -1..1, three times.

    It normalises as the classifier does, so that the padding of the layers above is the same.
    """
    gray, *others = trunk
    assert isinstance(gray, nn.Conv2d) and gray.bias is not None
    gray.weight.copy_(2 * torch.tensor(BGR_TO_GRAY)[None, :, None, None].expand_as(gray.weight))
    gray.bias.fill_(-1)
    for norm in _of_type(nn.BatchNorm2d, nn.ModuleList(others)):
        norm.eps = EPS


@torch.no_grad()
def carry_over(classifier: dict[str, Tensor], trunk: nn.Sequential) -> None:
    """Give a prepared trunk the weights of a VGG-like classifier: its features become the same.

    Ultralytics' convolutions have no bias, so it goes into the mean that batch norm subtracts.
    """
    vgg = build(VGG)
    vgg.load_state_dict(classifier)
    _, *convs = _of_type(nn.Conv2d, trunk)  # the first one makes gray
    pairs = zip(convs, _of_type(nn.Conv2d, vgg), strict=True)
    for number, (ours, theirs) in enumerate(pairs):
        # The first one reads the gray three times.
        ours.weight.copy_(theirs.weight / 3 if number == 0 else theirs.weight)
    norms = zip(
        _of_type(nn.BatchNorm2d, trunk),
        _of_type(nn.BatchNorm2d, vgg),
        _of_type(nn.Conv2d, vgg),
        strict=True,
    )
    for mine, norm, conv in norms:
        mine.load_state_dict(norm.state_dict())
        mine.running_mean -= conv.bias


@torch.no_grad()
def carry_behind(grid: dict[str, Tensor], network: Any) -> None:
    """Give what stands behind the trunk the weights of a grid on YOLO11n, where they fit.

    So the classifier takes Darknet's place in a detector that knows its task already.
    """
    state = network.state_dict()
    for name, value in grid.items():
        model, number, rest = name.split(".", 2)
        theirs = f"{model}.{int(number) + LATER}.{rest}"
        if int(number) >= SHARED_FROM and state[theirs].shape == value.shape:
            state[theirs].copy_(value)


def freeze(network: Any) -> None:
    """Keep the trunk as it is, its statistics too: a step then costs a third."""
    network.model[:TRUNK].requires_grad_(False).eval()


def _of_type(kind: Any, module: nn.Module) -> list[Any]:
    return [inner for inner in module.modules() if isinstance(inner, kind)]
