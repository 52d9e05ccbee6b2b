"""What the labels of others mean here."""

import pytest

from detector.photos.names import NO_GARMENT, meaning
from fmnist.classes import CLASSES, FOOTWEAR, OTHER
from fmnist.errors import InputError


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("T-shirt/top", 0),
        ("jeans", CLASSES.index("Trouser")),
        ("hoodie", CLASSES.index("Pullover")),
        ("Outwear", CLASSES.index("Coat")),
        ("ankle boot", CLASSES.index("Ankle boot")),
        ("purse", CLASSES.index("Bag")),
        ("heels", FOOTWEAR),
        ("skirt", OTHER),
        ("hair", NO_GARMENT),
    ],
)
def test_a_name_has_one_meaning(name: str, means: int) -> None:
    assert meaning(name) == means


def test_every_class_means_itself() -> None:
    assert [meaning(name) for name in CLASSES] == list(range(10))


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean sneakers"):
        meaning("sneekers")
