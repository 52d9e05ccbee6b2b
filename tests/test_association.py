"""ByteTrack gives ids; what its library calls things may change, what is asked of it may not."""

import numpy as np
import pytest

from detector.boxes import Detections
from detector.tracking.association import Association
from tests.garments_seen import BLACK, WHITE, coat, detections, shirt


@pytest.fixture
def associate() -> Association:
    return Association(confidence=0.25, least=0.1, patience=10)


def test_boxes_keep_their_order_and_everything_but_the_id(associate: Association) -> None:
    found = detections([shirt(100, 0.3), coat(300, 0.9)])
    seen = associate(BLACK, found)
    for name in ("xyxy", "confidence", "probabilities"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(found, name))
    assert seen.track_id is not None and sorted(seen.track_id.tolist()) == [1, 2]
    again = associate(BLACK, found.select(np.array([1, 0])))
    assert again.track_id is not None
    assert again.track_id.tolist() == seen.track_id.tolist()[::-1]


def test_only_a_sure_box_begins_a_garment_and_an_unsure_one_continues_it(
    associate: Association,
) -> None:
    unsure = detections([shirt(100, 0.15), coat(300, 0.05)])
    assert len(associate(BLACK, unsure)) == 0
    for _ in range(2):
        associate(BLACK, detections([shirt(100), coat(300)]))
    seen = associate(BLACK, unsure)
    assert seen.confidence.tolist() == [np.float32(0.15)]
    assert len(associate.expected) == 1


def test_a_garment_that_is_missed_is_expected_where_it_was_going(associate: Association) -> None:
    for n in range(12):
        associate(BLACK, detections([shirt(20.0 + 10 * n)]))
    for n in range(12, 15):
        assert len(associate(BLACK, Detections.empty())) == 0
        assert list(associate.expected) == [1]
        assert associate.expected[1][0] == pytest.approx(20 + 10 * n, abs=6)


def test_it_is_waited_for_as_long_as_was_said(associate: Association) -> None:
    for _ in range(3):
        associate(BLACK, detections([shirt(100)]))
    expected = []
    for _ in range(13):
        associate(BLACK, Detections.empty())
        expected.append(len(associate.expected))
    assert sum(expected) in (10, 11)  # the library lets go a frame late
    assert expected == sorted(expected, reverse=True)


def test_a_cut_begins_a_scene_with_new_ids(associate: Association) -> None:
    found, scenes, ids = detections([shirt(100)]), [], []
    for frame in (BLACK, BLACK, WHITE, WHITE, BLACK):
        seen = associate(frame, found)
        assert seen.track_id is not None
        scenes.append(associate.is_new_scene)
        ids.append(seen.track_id.item())
    assert scenes == [True, False, True, False, True]
    assert ids == [1, 1, 2, 2, 3]


def test_boxes_without_area_are_no_error(associate: Association) -> None:
    point = Detections(
        np.full((1, 4), 7, np.float32), np.ones(1, np.float32), np.full((1, 10), 0.1, np.float32)
    )
    assert len(associate(BLACK, point)) == 0
