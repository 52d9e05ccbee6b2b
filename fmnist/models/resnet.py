"""Residual networks: the report's ResNet-10 and ResNet-18, a wide one to teach others, and one
for races.
"""

from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.models.resnet import BasicBlock

from fmnist.errors import InputError
from fmnist.models.classifier import Classifier
from fmnist.models.dropout import Dropout
from fmnist.models.normalize import Normalize


class ResNet10(Classifier):
    """A 7x7 stem of 64 channels at half size, a max pool, one block each of 64, 128, 256 channels.

    1,229,002 parameters. The report's has no dropout and asks in its question 4 what it would do;
    `dropout` scales a rate of 0.5 before the linear layer. Images are enlarged `times` first.
    """

    def __init__(self, dropout: float, times: int = 1) -> None:
        seen: list[nn.Module] = [Normalize()]
        if times > 1:
            seen.append(nn.Upsample(scale_factor=times, mode="bilinear"))
        features = nn.Sequential(
            nn.Sequential(*seen),
            nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            BasicBlock(64, 64),
            _halving(64, 128),
            _halving(128, 256),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        classifier = nn.Sequential(Dropout(0.5 * dropout), nn.Linear(256, 10))
        super().__init__(features, classifier)


class ResNet10At56(ResNet10):
    """The very same layers, of images that are twice as large, as ResNet-18 has them at 224 px.

    At 28 px the stem leaves 7x7 cells to the first block and 2x2 to the last; here 14x14 and 4x4,
    for four times the work.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__(dropout, times=2)


def _halving(width: int, channels: int) -> BasicBlock:
    shortcut = nn.Sequential(
        nn.Conv2d(width, channels, 1, stride=2, bias=False), nn.BatchNorm2d(channels)
    )
    return BasicBlock(width, channels, stride=2, downsample=shortcut)


class ResNet8(Classifier):
    """For races: a stem of 24 channels, then 48 and 96 at half and a quarter of the size, each
    with two more convolutions beside a shortcut; 261,298 parameters.

    Page's ResNet-9 ("How to train your ResNet", 2018), one convolution shorter and narrower, with
    the pool before the norm, as in airbench (Jordan 2024): a norm costs as much as it has pixels.
    `dropout` scales a rate of 0.5 before the linear layer.
    """

    def __init__(self, dropout: float) -> None:
        features = nn.Sequential(
            Normalize(),
            *_convolution(1, 24),
            *_convolution(24, 48, nn.MaxPool2d(2)),
            Residual(*_convolution(48, 48), *_convolution(48, 48)),
            *_convolution(48, 96, nn.MaxPool2d(2)),
            Residual(*_convolution(96, 96), *_convolution(96, 96)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        classifier = nn.Sequential(Dropout(0.5 * dropout), nn.Linear(96, 10))
        super().__init__(features, classifier)


class Residual(nn.Sequential):
    """Layers beside a shortcut, with nothing after the sum."""

    def forward(self, input: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        result: Tensor = input + super().forward(input)
        return result


def _convolution(width: int, channels: int, *pool: nn.Module) -> list[nn.Module]:
    layer = nn.Conv2d(width, channels, 3, padding=1, bias=False)
    return [layer, *pool, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


class ResNet18(nn.Module):
    """torchvision's ResNet-18 with ten outputs: Listing 2 of the report, 11,181,642 parameters.

    The images are enlarged eight times, 28 px to 224, their gray repeated three times and
    normalised as those of ImageNet: its weights expect that. It has no dropout.
    """

    answers_at_once = 100  # images: a thousand of 224 px would take some 7 GB
    mean: Tensor
    std: Tensor

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.network = resnet18(num_classes=10)
        for name, value in (("mean", (0.485, 0.456, 0.406)), ("std", (0.229, 0.224, 0.225))):
            self.register_buffer(name, torch.tensor(value).view(3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 10"]:
        large = F.interpolate(images, scale_factor=8.0, mode="bilinear")
        logits: Tensor = self.network((large - self.mean) / self.std)
        return logits

    def load_imagenet(self, source: str) -> None:
        """Begin with weights for ImageNet; the ten outputs stay fresh.

        Args:
            source: a file of torchvision's ResNet-18 (.pth), or "torchvision": its cached file,
                fetched where there is none.

        Raises:
            InputError: they cannot be had, or are of another network.
        """
        state = {
            name: value
            for name, value in _imagenet_state(source).items()
            if not name.startswith("fc.")
        }
        try:
            missing = self.network.load_state_dict(state, strict=False).missing_keys
        except RuntimeError:
            missing = ["everything"]
        if set(missing) != {"fc.weight", "fc.bias"}:
            raise InputError(
                f"{source} does not hold the weights of torchvision's ResNet-18. "
                "Name its .pth file, or train from scratch without --pretrained."
            )


def _imagenet_state(source: str) -> dict[str, Tensor]:
    try:
        if source == "torchvision":
            return dict(ResNet18_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True))
        state: dict[str, Tensor] = torch.load(Path(source), "cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError, LookupError, ValueError) as error:
        why = "" if isinstance(error, UnpicklingError) else f" ({error})"  # that advises danger
        raise InputError(
            f"The ImageNet weights cannot be had from {source}{why}. "
            "Name torchvision's .pth file with --pretrained FILE, or leave it out."
        ) from error
    if not isinstance(state, dict):
        raise InputError(f"{source} holds no weights. Name torchvision's .pth file.")
    return state


class WideResNet(Classifier):
    """WRN-40-4 (Zagoruyko and Komodakis 2016), 8.9 million parameters: the teacher of the others.

    Three groups of six pre-activated blocks, 64, 128 and 256 channels wide. `dropout` scales the
    rate of 0.3 between the convolutions of a block, as the paper has it for its largest networks.
    """

    def __init__(self, dropout: float) -> None:
        layers: list[nn.Module] = [Normalize(), nn.Conv2d(1, 16, 3, padding=1, bias=False)]
        width = 16
        for channels, stride in ((64, 1), (128, 2), (256, 2)):
            for block in range(6):
                first = stride if block == 0 else 1
                layers.append(PreActivatedBlock(width, channels, first, 0.3 * dropout))
                width = channels
        features = nn.Sequential(
            *layers,
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        classifier = nn.Linear(width, 10)
        super().__init__(features, classifier)


class PreActivatedBlock(nn.Module):
    """Norm, ReLU, convolution, twice; the shortcut of a wider block starts after the first ReLU."""

    def __init__(self, width: int, channels: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.residual = nn.Sequential(
            nn.Conv2d(width, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )
        self.shortcut = (
            nn.Conv2d(width, channels, 1, stride, bias=False) if width != channels else None
        )

    def forward(self, x: Float[Tensor, "batch width h w"]) -> Float[Tensor, "batch channels h2 w2"]:
        entered = self.enter(x)
        shortcut = x if self.shortcut is None else self.shortcut(entered)
        result: Tensor = shortcut + self.residual(entered)
        return result
