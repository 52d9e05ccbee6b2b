"""The networks are those of the report's tables, and share one input convention."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.transforms.functional import normalize

from fmnist.errors import InputError
from fmnist.models import MODELS, build
from fmnist.models.resnet import PreActivatedBlock, ResNet18
from fmnist.models.size import Size, size_of

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # of ImageNet, by channel


@pytest.mark.parametrize(
    ("name", "parameters", "why"),
    [
        ("lenet", 173_962, "Table 1"),
        ("vgg", 1_148_618, "Table 2"),
        ("resnet10", 1_229_002, "the report's text"),
        ("resnet10-56", 1_229_002, "the same layers"),
        ("resnet18", 11_181_642, "Listing 2"),
    ],
)
def test_a_network_has_the_parameters_of_the_report(name: str, parameters: int, why: str) -> None:
    assert sum(p.numel() for p in build(name).parameters()) == parameters, why


@pytest.mark.parametrize(
    ("name", "most"),
    [("inception", 1_200_000), ("densenet", 800_000), ("resnet8", 300_000), ("wrn", 9_000_000)],
)
def test_a_network_of_future_work_is_as_small_as_planned(name: str, most: int) -> None:
    assert most / 2.5 < size_of(name).parameters <= most


def test_sizes_are_counted_without_computing() -> None:
    """VGG-like: 9 weights times inputs times outputs times pixels, and the linear layer."""
    pairs = [(1, 64, 784), (64, 64, 784), (64, 128, 196), (128, 128, 196), (128, 256, 49)]
    macs = sum(9 * a * b * pixels for a, b, pixels in [*pairs, (256, 256, 49)]) + 2560
    assert size_of("vgg") == Size(1_148_618, macs)


def test_a_resnet_of_larger_images_has_the_same_layers() -> None:
    small, large = build("resnet10").eval(), build("resnet10-56").eval()
    large.load_state_dict(small.state_dict())
    image = torch.rand(2, 1, 28, 28)
    twice = nn.functional.interpolate(image, scale_factor=2, mode="bilinear")
    with torch.inference_mode():
        torch.testing.assert_close(large(image), small(twice))


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_gives_what_its_images_give_alone(name: str) -> None:
    torch.manual_seed(0)
    model = build(name).eval()
    images = torch.rand(3, 1, 28, 28)
    with torch.inference_mode():
        together = model(images)
        alone = torch.cat([model(image[None]) for image in images])
    assert together.shape == (3, 10)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_normalisation_travels_with_the_code_and_not_with_the_weights(name: str) -> None:
    assert not [key for key in build(name).state_dict() if "mean" in key.split(".")]


def test_weights_for_imagenet_are_taken_all_but_the_answers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    original = resnet18()  # a thousand answers
    torch.save(original.state_dict(), tmp_path / "imagenet.pth")
    model = ResNet18(0)
    fresh = model.network.fc.weight.detach().clone()
    model.load_imagenet(str(tmp_path / "imagenet.pth"))
    assert torch.equal(model.network.conv1.weight, original.conv1.weight)
    assert torch.equal(model.network.fc.weight, fresh)


def test_other_weights_than_those_for_imagenet_are_refused(tmp_path: Path) -> None:
    torch.save(build("lenet").state_dict(), tmp_path / "lenet.pth")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(InputError, match="does not hold the weights of torchvision's ResNet-18"):
        ResNet18(0).load_imagenet(str(tmp_path / "lenet.pth"))
    for name in ("text.pth", "missing.pth"):
        with pytest.raises(InputError, match="cannot be had") as told:
            ResNet18(0).load_imagenet(str(tmp_path / name))
        assert "weights_only" not in str(told.value), "torch advises what is dangerous"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("vgg", [0.4, 0.4, 0.5]),
        ("lenet", [0.5] * 2),
        ("resnet10", [0.5]),
        ("resnet10-56", [0.5]),
        ("resnet8", [0.5]),
        ("resnet18", []),
        ("inception", [0.4]),
        ("densenet", [0.2] * 16),
        ("wrn", [0.3] * 18),
    ],
)
def test_dropout_scales_the_rates_of_every_network(name: str, wanted: list[float]) -> None:
    for scale in (1.0, 0.5, 0.0):
        rates = [m.p for m in build(name, scale).modules() if isinstance(m, nn.Dropout)]
        assert rates == pytest.approx([scale * rate for rate in wanted])


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("vgg", 7),
        ("resnet10", 2),
        ("resnet10-56", 4),
        ("resnet8", 7),
        ("inception", 7),
        ("densenet", 7),
        ("wrn", 7),
    ],
)
def test_the_average_is_over_so_many_cells_of_what_is_never_negative(name: str, cells: int) -> None:
    torch.manual_seed(0)
    model, seen = build(name).eval(), []
    (average,) = [m for m in model.modules() if isinstance(m, nn.AdaptiveAvgPool2d)]
    average.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model(torch.rand(2, 1, 28, 28))
    assert seen[0].shape[2:] == (cells, cells) and seen[0].min() >= 0


def test_the_features_of_the_lenet_like_are_never_negative() -> None:
    torch.manual_seed(0)
    features = build("lenet").get_submodule("features")(torch.rand(2, 1, 28, 28))
    assert features.shape == (2, 64, 3, 3) and features.min() >= 0 < features.max()


def test_a_wide_block_adds_to_what_it_is_given() -> None:
    block = PreActivatedBlock(8, 8, 1, 0.0)
    assert isinstance(last := block.residual[-1], nn.Conv2d)
    nn.init.zeros_(last.weight)
    images = torch.randn(2, 8, 6, 6)
    torch.testing.assert_close(block(images.clone()), images)


@pytest.mark.parametrize(("side", "seen_side"), [(28, 224), (16, 128)])
def test_resnet18_sees_images_as_those_of_imagenet_are_seen(side: int, seen_side: int) -> None:
    seen: list[torch.Tensor] = []
    model = ResNet18(0).eval()
    model.network.conv1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model(image := torch.rand(1, 1, side, side))
    size = (seen_side, seen_side)
    large = nn.functional.interpolate(image, size, mode="bilinear").expand(1, 3, -1, -1)
    torch.testing.assert_close(seen[0], normalize(large, MEAN, STD))
