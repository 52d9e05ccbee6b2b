"""Laws of the tracks: who moves steadily keeps id and label, brief mistakes do not show."""

from collections.abc import Sequence

import numpy as np
import pytest

from detector.boxes import Detections
from detector.tracking.tracks import BRIEF, FORGOTTEN, Tracks
from tests.garments_seen import BLACK, COAT, SHIRT, WHITE, Seen, coat, detections, shirt

RATE = 10.0
BRIDGED = int(BRIEF * RATE)  # looks


def follow(*looks: Sequence[Seen], rate: float = RATE, sureness: float = 0.8) -> list[Detections]:
    """What is shown of a black scene."""
    tracks = Tracks(rate)
    return [tracks(BLACK, detections(look, sureness)) for look in looks]


def ids(shown: Detections) -> list[int]:
    return [] if shown.track_id is None else shown.track_id.tolist()


def test_a_garment_that_moves_steadily_keeps_its_id_label_and_box() -> None:
    looks = [[shirt(20.0 + 8 * n)] for n in range(40)]
    for look, shown in zip(looks, follow(*looks), strict=True):
        assert ids(shown) == [1] and shown.labels.tolist() == [SHIRT]
        np.testing.assert_array_equal(shown.xyxy, detections(look).xyxy)
        assert shown.confidence == pytest.approx(0.8) == shown.label_confidence


def test_two_that_cross_keep_their_ids() -> None:
    looks = [[shirt(20.0 + 12 * n, y=100), coat(500.0 - 12 * n, y=130)] for n in range(41)]
    for shown in follow(*looks):
        assert dict(zip(ids(shown), shown.labels.tolist(), strict=True)) == {1: SHIRT, 2: COAT}


@pytest.mark.parametrize("before", [1, 2, 10])
def test_another_label_for_a_moment_changes_nothing(before: int) -> None:
    looks = [[shirt(100)]] * before + [[coat(100)]] * BRIDGED + [[shirt(100)]] * 10
    for shown in follow(*looks):
        assert shown.labels.tolist() == [SHIRT]


def test_a_label_that_is_clearly_beaten_changes_once() -> None:
    shown = follow(*[[shirt(100)]] * 20, *[[coat(100)]] * 20)
    labels = [look.labels.item() for look in shown]
    assert labels[-1] == COAT
    assert np.count_nonzero(np.diff(labels)) == 1
    assert len({tuple(ids(look)) for look in shown}) == 1


def test_a_label_that_is_hardly_beaten_stays() -> None:
    looks = [[shirt(100)]] * 3 + [[coat(100)], [coat(100)], [shirt(100)]] * 20
    shown = follow(*looks, sureness=0.3)[-1]  # 0.3 against 0.08: the mean leads by less than 0.1
    assert shown.labels.tolist() == [SHIRT] != shown.probabilities.argmax(1).tolist()
    assert shown.label_confidence == shown.probabilities[0, SHIRT]


def test_what_was_said_is_averaged_by_confidence() -> None:
    shown = follow([shirt(100, 0.9)], [coat(100, 0.3)])[-1]
    first = np.exp(-1 / (FORGOTTEN * RATE)) * 0.9
    wanted = (first * 0.8 + 0.3 * 0.2 / 9) / (first + 0.3)
    assert shown.probabilities[0, SHIRT] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("rate", [10.0, 30.0])
def test_a_brief_miss_is_bridged_and_a_longer_one_ends(rate: float) -> None:
    bridged = int(BRIEF * rate)
    looks = [[shirt(20.0 + 6 * n)] for n in range(20)] + [[]] * (bridged + 3)
    shown = follow(*looks, rate=rate)
    held, ended = shown[20 : 20 + bridged], shown[20 + bridged :]
    assert [ids(look) for look in held] == [[1]] * bridged
    assert [len(look) for look in ended] == [0, 0, 0]
    confidence = [look.confidence.item() for look in [shown[19], *held]]
    assert confidence == sorted(confidence, reverse=True) and confidence[-1] < confidence[0]
    for n, look in enumerate(held, 20):  # it goes on as it went
        assert look.xyxy[0, 0] == pytest.approx(20 + 6 * n, abs=6)


def test_who_comes_back_within_a_second_is_the_same_and_later_another() -> None:
    there = [[shirt(100)]]
    gone_for = {n: follow(*there * 5, *[[]] * n, *there * 2)[-1] for n in (2, 8, 15)}
    assert {n: ids(shown) for n, shown in gone_for.items()} == {2: [1], 8: [1], 15: [2]}
    assert gone_for[8].confidence > 0.7


def test_an_unsure_box_continues_a_garment_but_begins_none() -> None:
    looks = [[shirt(100)]] * 5 + [[shirt(103, 0.15), shirt(400, 0.15)]] * 2
    shown = follow(*looks)[-1]
    assert ids(shown) == [1] and shown.xyxy[0, 0] == 103
    assert 0.25 < shown.confidence.item() < 0.8
    assert sum(map(len, follow(*[[shirt(100, 0.2)]] * 9))) == 0


@pytest.mark.parametrize("rate", [30.0, RATE, 5.0, 4.0])
def test_what_is_seen_only_once_is_not_shown(rate: float) -> None:
    looks = [[shirt(100)]] * 4 + [[shirt(100), coat(400)]] + [[shirt(100)]] * 3
    assert [ids(shown) for shown in follow(*looks, rate=rate)] == [[1]] * 8


@pytest.mark.parametrize("rate", [3.9, 1.0])
def test_at_a_low_rate_everything_is_shown_at_once_and_nothing_is_held(rate: float) -> None:
    looks: list[list[Seen]] = [[], [shirt(100)], [shirt(300)], []]
    assert [ids(shown) for shown in follow(*looks, rate=rate)] == [[], [1], [2], []]


def test_nothing_is_held_outside_of_the_frame_or_where_another_is_found() -> None:
    leaving = [[shirt(20.0 + 20 * n)] for n in range(30)]  # the last one's centre is at 630
    assert [len(look) for look in follow(*leaving, [])[-2:]] == [1, 0]
    met = [[shirt(100), coat(400.0 - 20 * n)] for n in range(14)]  # the last coat is at 140
    assert [ids(look) for look in follow(*met, [coat(120)])[-2:]] == [[1, 2], [2]]
    assert [ids(look) for look in follow(*met, [coat(135)])[-2:]] == [[1, 2], [2, 1]]


def test_after_a_cut_nothing_is_left_of_the_scene_before() -> None:
    tracks = Tracks(RATE)
    before = [tracks(BLACK, detections([shirt(100)])) for _ in range(5)]
    assert ids(before[-1]) == [1]
    assert len(tracks(WHITE, detections([]))) == 0
    tracks(BLACK, detections([shirt(100)]))
    after = tracks(WHITE, detections([coat(100)]))  # in the very same place
    assert ids(after) == [3] and after.labels.tolist() == [COAT]
    assert after.label_confidence == pytest.approx(0.8)


def test_no_boxes_give_no_boxes() -> None:
    assert [len(shown) for shown in follow([], [], [])] == [0, 0, 0]


def test_any_input_gives_probabilities_ids_and_the_same_again() -> None:
    runs = []
    for _ in range(2):
        rng, tracks, shown = np.random.default_rng(0), Tracks(25.0, confidence=0.0), []
        for _ in range(60):
            n = int(rng.integers(0, 9))
            corner = rng.uniform(-20, 600, (n, 2)).astype(np.float32)
            size = rng.uniform(0, 90, (n, 2)).astype(np.float32)
            probabilities = rng.dirichlet(np.ones(10), n).astype(np.float32).reshape(n, 10)
            confidence = rng.uniform(size=n).astype(np.float32).round(1)  # zeros, too
            xyxy = np.concatenate([corner, corner + size], 1)
            shown.append(tracks(BLACK, Detections(xyxy, confidence, probabilities)))
        runs.append(shown)
        for look in shown:
            assert len(set(ids(look))) == len(look)
            assert (np.diff(look.confidence) <= 0).all()
            np.testing.assert_allclose(look.probabilities.sum(1), 1, atol=1e-5)
        assert max(map(len, shown)) > 3
    for one, other in zip(*runs, strict=True):
        assert ids(one) == ids(other)
        np.testing.assert_array_equal(one.xyxy, other.xyxy)
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


@pytest.mark.parametrize("edge", ["upper", "lower"])
def test_what_shrinks_to_nothing_and_vanishes_is_not_shown_as_less_than_nothing(edge: str) -> None:
    tracks = Tracks(25.0)
    shown = []
    for height in (*[200] * 10, 170, 140, 110, 80, 50, 20, 0, 0, 0, 0, 0, 0):
        top = 300 - height if edge == "lower" else 100
        box = np.array([[50, top, 150, top + height]], np.float32)
        said = np.full((1, 10), 0.1, np.float32)
        found = Detections(box, np.array([0.9], np.float32), said) if height else Detections.empty()
        shown.append(tracks(BLACK, found))
    assert all(len(look) == 1 for look in shown[:16])
    for look in shown:
        assert (look.xyxy[:, 2:] > look.xyxy[:, :2]).all()


def test_looks_that_come_more_often_are_waited_for_as_long() -> None:
    slow, quick = Tracks(5.0), Tracks(5.0)
    quick.set_rate(20.0)
    for tracks, rate in ((slow, 5), (quick, 20)):
        for _ in range(2 * rate):
            assert ids(tracks(BLACK, detections([shirt(100)]))) == [1]
        bridged = [len(tracks(BLACK, detections([]))) for _ in range(rate)]
        assert sum(bridged) == int(BRIEF * rate)
        assert ids(tracks(BLACK, detections([shirt(100)]))) == [1], "after a second"
        for _ in range(int(FORGOTTEN * rate) + 2):
            tracks(BLACK, detections([]))
        for _ in range(2):
            shown = tracks(BLACK, detections([shirt(100)]))
        assert ids(shown) == [2], "later it is another one"


def test_another_label_has_to_lead_for_longer_than_a_moment() -> None:
    shown = follow([shirt(100, 0.3)], *[[coat(100, 0.9)]] * (BRIDGED + 1))  # leads at once
    assert [look.labels.item() for look in shown] == [SHIRT] * (BRIDGED + 1) + [COAT]
