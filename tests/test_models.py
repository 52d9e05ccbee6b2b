"""The networks are those of the report's tables, and share one input convention."""

import pytest
import torch
from torch import nn

from fmnist.models import MODELS, build


@pytest.mark.parametrize(
    ("name", "parameters", "why"),
    [("lenet", 173_962, "Table 1"), ("vgg", 1_148_618, "Table 2")],
)
def test_a_network_has_the_parameters_of_the_report(name: str, parameters: int, why: str) -> None:
    assert sum(p.numel() for p in build(name).parameters()) == parameters, why


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


def test_dropout_scales_the_rates_of_the_tables() -> None:
    def rates(scale: float) -> list[float]:
        return [m.p for m in build("vgg", scale).modules() if isinstance(m, nn.Dropout)]

    assert rates(1.0) == [0.4, 0.4, 0.5]
    assert rates(0.5) == [0.2, 0.2, 0.25]
    assert rates(0.0) == [0.0, 0.0, 0.0]
