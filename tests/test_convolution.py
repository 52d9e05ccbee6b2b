"""The convolution before a batch norm: its bias may go to the norm, and nothing else changes."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fmnist.models import build, convolution
from fmnist.models.convolution import ByProduct, Convolution, aligned, gains_by_a_product
from fmnist.training.optimization import freeze_idle_biases


@pytest.fixture
def layers() -> nn.Sequential:
    """With a bias and a mean that are not zero."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(4)
    norm.running_mean = torch.randn(4)
    return nn.Sequential(Convolution(1, 4), norm)


def without_bias(layers: nn.Sequential) -> nn.Sequential:
    other = copy.deepcopy(layers)
    freeze_idle_biases(other)
    return other


@pytest.mark.parametrize("training", [True, False])
def test_what_the_norm_says_stays(layers: nn.Sequential, training: bool) -> None:
    images = torch.rand(8, 1, 6, 6)
    other = without_bias(layers).train(training)
    torch.testing.assert_close(other(images), layers.train(training)(images))
    torch.testing.assert_close(other.eval()(images), layers.eval()(images))  # its mean has moved


def test_the_bias_is_zero_and_does_not_move(layers: nn.Sequential) -> None:
    other = without_bias(without_bias(layers))
    other(torch.rand(8, 1, 6, 6)).square().sum().backward()
    assert isinstance(other[0], Convolution)
    assert other[0].bias is not None and other[0].bias.grad is None
    assert not other[0].bias.any()


def test_who_gave_no_bias_away_keeps_adding_it(layers: nn.Sequential) -> None:
    """Frozen or not: as a network that no training of ours has begun."""
    frozen = copy.deepcopy(layers).requires_grad_(False)
    assert isinstance(frozen[0], Convolution)
    images = torch.rand(8, 1, 6, 6)
    convolved = nn.functional.conv2d(images, frozen[0].weight, frozen[0].bias, padding=1)
    torch.testing.assert_close(frozen[0].train()(images), convolved)


def test_its_weights_are_those_of_a_network_that_adds_the_bias(layers: nn.Sequential) -> None:
    """As they are shipped, read into a fresh network, and folded by the detector's head."""
    given = without_bias(layers).eval()
    fresh = copy.deepcopy(layers).eval()
    fresh.load_state_dict(given.state_dict())
    images = torch.rand(8, 1, 6, 6)
    torch.testing.assert_close(fresh(images), given(images))
    convolution, norm = given
    assert isinstance(convolution, Convolution) and isinstance(norm, nn.BatchNorm2d)
    torch.testing.assert_close(fuse_conv_bn_eval(convolution, norm)(images), given(images))


def test_channels_of_zeros_change_nothing(layers: nn.Sequential) -> None:
    """Which a GPU's compiler adds."""
    convolution = layers[0]
    assert isinstance(convolution, Convolution)
    images = torch.rand(8, 1, 6, 6)
    wide = nn.functional.conv2d(
        aligned(images), aligned(convolution.weight), convolution.bias, padding=1
    )
    torch.testing.assert_close(wide, convolution(images))


def test_every_bias_of_the_vgg_like_before_a_norm_is_given() -> None:
    network = build("vgg")
    freeze_idle_biases(network)
    given = [layer for layer in network.modules() if isinstance(layer, Convolution)]
    assert len(given) == 6
    assert all(layer.is_without_bias for layer in given)


@pytest.mark.parametrize("shape", [(3, 5, 7, 7), (2, 4, 4, 6), (1, 3, 1, 1)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_by_a_product_are_those_of_autograd(
    shape: tuple[int, int, int, int], layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    images = torch.randn(shape).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(6, shape[1], 3, 3).contiguous(memory_format=layout).requires_grad_()
    expected = nn.functional.conv2d(images, weight, padding=1)
    direction = torch.randn_like(expected)
    found = ByProduct.apply(images, weight)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, (images, weight), direction),
        torch.autograd.grad(expected, (images, weight), direction),
    )


def test_a_product_in_bf16_gives_gradients_in_the_precision_of_what_moves() -> None:
    torch.manual_seed(0)
    images = torch.randn(8, 16, 5, 5, requires_grad=True)
    weight = torch.randn(8, 16, 3, 3, requires_grad=True)
    exact = torch.autograd.grad(ByProduct.apply(images, weight).square().sum(), weight)[0]
    with torch.autocast("cpu", torch.bfloat16):
        answer = ByProduct.apply(images, weight)
    assert answer.dtype == torch.bfloat16
    rough = torch.autograd.grad(answer.float().square().sum(), weight)[0]
    assert rough.dtype == torch.float32
    assert (rough - exact).norm() < 0.01 * exact.norm()


def test_products_are_for_many_channels_of_few_pixels_in_bf16_on_amx(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(convolution, "has_amx", lambda: True)
    deep = torch.rand(2, 128, 7, 7)
    assert not gains_by_a_product(deep)
    with torch.autocast("cpu", torch.bfloat16):
        assert gains_by_a_product(deep)
        assert not gains_by_a_product(torch.rand(2, 128, 9, 7))
        assert not gains_by_a_product(torch.rand(2, 64, 7, 7))
        monkeypatch.setattr(convolution, "has_amx", lambda: False)
        assert not gains_by_a_product(deep)


def test_a_network_trains_alike_with_products_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = build("vgg").train()
    freeze_idle_biases(network)
    images = torch.rand(4, 1, 16, 16)
    asked: list[bool] = []

    def gradients(product: bool) -> list[torch.Tensor]:
        def choice(input: torch.Tensor) -> bool:
            asked.append(product)
            return product and input.shape[1] > 1

        monkeypatch.setattr(convolution, "gains_by_a_product", choice)
        moving = [p for p in network.parameters() if p.requires_grad]
        torch.manual_seed(1)  # of the dropout
        return list(torch.autograd.grad(network(images).square().sum(), moving))

    torch.testing.assert_close(gradients(True), gradients(False), rtol=1e-3, atol=1e-3)
    assert asked.count(True) == asked.count(False) == 6
