"""How often a camera is looked at, by the clock."""

import pytest

from detector.tracking.pace import LIVE_RATE, RECENT, Pace


def test_it_is_what_the_last_looks_say_and_a_pause_says_nothing() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    assert pace() == LIVE_RATE
    for _ in range(RECENT):
        now += 1 / 30
        rate = pace()
    assert rate == pytest.approx(30)
    now += 60
    assert pace() == pytest.approx(30)
    for _ in range(RECENT):
        now += 1 / 5
        rate = pace()
    assert rate == pytest.approx(5)
