"""What counts as trousers and a top of somebody who stands whole in a frame."""

import numpy as np
import pytest

from scripts import whole_people

CHEST, THIGH = np.array([50.0, 40.0]), np.array([50.0, 80.0])
TROUSERS = {"label": "Trouser", "xyxy": [40, 60, 60, 120]}
TO_THE_COLLAR = {"label": "Trouser", "xyxy": [40, 20, 60, 120]}
TOP = {"label": "unknown", "xyxy": [38, 22, 62, 64]}
OF_A_NEIGHBOUR = {"label": "Trouser", "xyxy": [70, 60, 90, 120]}


@pytest.mark.parametrize(
    ("boxes", "trousers", "top"),
    [
        ([], False, False),
        ([TROUSERS], True, False),
        ([TROUSERS, TOP], True, True),
        ([TO_THE_COLLAR], False, False),  # a person in black is not one pair of trousers
        ([TO_THE_COLLAR, TROUSERS, TOP], True, True),
        ([OF_A_NEIGHBOUR, TOP], False, True),
    ],
)
def test_trousers_begin_below_the_chest_and_a_top_covers_it(
    boxes: list[dict[str, object]], trousers: bool, top: bool
) -> None:
    assert whole_people.has_trousers(boxes, CHEST, THIGH) == trousers
    assert whole_people.has_top(boxes, CHEST) == top


def test_a_pair_of_joints_is_where_those_that_are_seen_are() -> None:
    joints = np.array([[10.0, 20.0, 0.9], [30.0, 40.0, 0.8]])
    np.testing.assert_array_equal(whole_people.middle(joints), [20, 30])
    joints[1, 2] = 0.1
    np.testing.assert_array_equal(whole_people.middle(joints), [10, 20])
    joints[0, 2] = 0.1
    assert np.isnan(whole_people.middle(joints)).all()


def test_trousers_are_asked_of_those_who_wear_some() -> None:
    numbers = np.array([0, 10, 20, 30])
    trousers, top = np.array([False, False, True, True]), np.array([True, True, True, False])
    of_all = whole_people.shares(numbers, trousers, top, [])
    assert (of_all["in_trousers"], of_all["trousers"], of_all["both"]) == (4, 0.5, 0.25)
    of_some = whole_people.shares(numbers, trousers, top, [(0, 5), (10, 10)])
    assert (of_some["in_trousers"], of_some["trousers"], of_some["both"]) == (2, 1.0, 0.5)
    assert of_some["top"] == of_all["top"] == 0.75
    assert of_some["both_of_all_people"] == 0.25
    with pytest.raises(SystemExit, match="Nobody"):
        whole_people.shares(numbers, trousers, top, [(0, 30)])
