"""A network as a table of its layers, as the report prints them."""

import torch
from torch import nn

from fmnist.models import build

SHOWN = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.Dropout, nn.Linear)


def layers_of(name: str) -> list[tuple[str, str, str]]:
    """Layer, shape of its output for one 28x28 image, parameters; the last line is the sum."""
    rows: list[tuple[str, str, str]] = []

    def note(layer: nn.Module, _: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        shape = " x ".join(map(str, output.shape[1:]))
        rows.append((_words(layer), shape, f"{_parameters(layer):,}" if _parameters(layer) else ""))

    with torch.device("meta"), torch.no_grad():
        model = build(name).eval()
        for layer in model.modules():
            if isinstance(layer, SHOWN):
                layer.register_forward_hook(note)
        model(torch.rand(1, 1, 28, 28))
    return [*rows, ("all", "", f"{_parameters(model):,}")]


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _words(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d):
        return f"convolution {layer.kernel_size[0]}x{layer.kernel_size[1]}"
    if isinstance(layer, nn.Dropout):
        return f"dropout {layer.p:g}"
    words = {nn.BatchNorm2d: "batch norm", nn.MaxPool2d: "max pool", nn.Linear: "linear"}
    return words.get(type(layer), "average pool")
