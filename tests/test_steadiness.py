"""The figures of steadiness, where the right ones are known."""

from dataclasses import replace

import numpy as np
import pytest

from detector.boxes import Detections
from detector.evaluation.steadiness import Steadiness, before_and_after, steadiness
from tests.garments_seen import BLACK, coat, detections, shirt


def with_ids(found: Detections, *ids: int) -> Detections:
    return replace(found, track_id=np.array(ids, np.int64))


def test_two_garments_that_never_change() -> None:
    frames = [with_ids(detections([shirt(0), coat(200)]), 1, 2)] * 20
    found = steadiness(frames, fps=10, least=0.5)
    assert found == Steadiness(
        20, boxes=40, tracks=2, track_seconds=4, flips=0, gaps=0, showing={"Shirt": 20, "Coat": 20}
    )
    rates = found.to_dict()
    assert (rates["boxes_per_frame"], rates["mean_track_seconds"]) == (2, 2)
    assert (rates["flips_per_track_second"], rates["gaps_per_track_second"]) == (0, 0)


def test_changes_of_name_are_counted_those_to_unknown_included() -> None:
    sure, other = detections([shirt(0)]), detections([coat(0)])
    unknown = detections([shirt(0)], sureness=0.4)
    frames = [with_ids(found, 7) for found in (sure, sure, other, sure, unknown, unknown, sure)]
    assert steadiness(frames, fps=7, least=0.5).flips == 4
    shown = steadiness(frames, fps=7, least=0.5).to_dict()["showing"]
    assert shown == {"Shirt": 4 / 7, "unknown": 2 / 7, "Coat": 1 / 7}
    assert steadiness(frames, fps=7, least=0.3).flips == 2
    assert steadiness(frames, fps=7, least=0.5).to_dict()["flips_per_track_second"] == 4


def test_a_box_that_goes_and_comes_back_is_one_track_with_a_gap() -> None:
    there = with_ids(detections([shirt(0)]), 1)
    frames = [Detections.empty(), there, there, Detections.empty(), Detections.empty(), there]
    found = steadiness(frames, fps=5, least=0.5)
    assert (found.tracks, found.gaps, found.track_seconds, found.boxes) == (1, 1, 1, 3)


def test_without_boxes_there_are_no_rates() -> None:
    figures = steadiness([Detections.empty()] * 3, fps=10, least=0.5).to_dict()
    assert figures["boxes_per_frame"] == 0
    assert figures["flips_per_track_second"] is figures["mean_track_seconds"] is None


def test_boxes_without_ids_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="frame 0: wanted a track_id"):
        steadiness([detections([shirt(0)])], fps=10, least=0.5)


def test_tracks_take_away_what_flickers() -> None:
    once, again = detections([shirt(100), coat(400)]), detections([coat(100), coat(400)])
    missed, unsure = detections([coat(400)]), detections([shirt(100, 0.15), coat(400)])
    looks = [once, once, again, once, missed, once, unsure, once, once, once]
    seen = iter(looks)
    plain, steady = before_and_after(lambda frame: next(seen), [BLACK] * len(looks), fps=10)
    assert (plain.flips, plain.gaps, plain.tracks, plain.boxes) == (2, 2, 2, 18)
    assert (steady.flips, steady.gaps, steady.tracks, steady.boxes) == (0, 0, 2, 20)
