"""What the labels of other data sets mean here: a class, footwear of some kind, or neither."""

from fmnist.checks import known
from fmnist.classes import CLASSES, FOOTWEAR, OTHER, SHOES

# The label of a pixel, a box or a folder that shows no garment at all.
NO_GARMENT = -1

_MEANT = {
    "T-shirt/top": "t-shirt tshirt tee top",
    "Trouser": "trousers pants jeans leggings",
    "Pullover": "sweater sweatshirt jumper hoodie cardigan longsleeve",
    "Coat": "jacket blazer suit cape outwear outerwear",
    "Sandal": "sandals",
    "Shirt": "blouse",
    "Sneaker": "sneakers",
    "Bag": "purse handbag backpack",
    "Ankle boot": "boots boot",
}
_FOOTWEAR = "shoes shoe heels pumps loafers flats wedges clogs footwear"
_OTHER_GARMENTS = """
    garment belt bodysuit bra gloves hat intimate panties romper scarf shorts skirt socks stockings
    swimwear tie tights vest
"""
_NO_GARMENTS = """
    null background person skin hair accessories bracelet earrings glasses necklace ring sunglasses
    wallet watch
"""


def _all(names: str, label: int) -> dict[str, int]:
    return dict.fromkeys(names.split(), label)


MEANING: dict[str, int] = {
    **{name.lower(): label for label, name in enumerate(CLASSES)},
    **{name: CLASSES.index(is_a) for is_a, names in _MEANT.items() for name in names.split()},
    **_all(_FOOTWEAR, FOOTWEAR),
    **_all(_OTHER_GARMENTS, OTHER),
    **_all(_NO_GARMENTS, NO_GARMENT),
}
# Things that come in twos or more: every piece of them is one. All else is one garment, in one
# piece or seen in several.
PIECES = frozenset({*SHOES, FOOTWEAR, CLASSES.index("Bag")})


def meaning(name: str) -> int:
    """0..9, `FOOTWEAR`, `OTHER` (a garment of none of the classes) or `NO_GARMENT`.

    Raises:
        InputError: nobody has said what that name means; the nearest known one is told.
    """
    return MEANING[known(name.strip().lower(), MEANING, "label of a garment")]
