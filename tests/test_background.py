"""Other threads change when work is done, never what comes out or which error."""

import os
import signal
import threading
from collections.abc import Generator, Iterator
from functools import partial

import pytest

from detector.video.background import DEPTH, Behind, ahead


def test_items_come_in_order_and_from_another_thread() -> None:
    makers = set()

    def items() -> Iterator[int]:
        for number in range(20):
            makers.add(threading.get_ident())
            yield number

    assert list(ahead(items())) == list(range(20))
    assert threading.get_ident() not in makers


def test_little_is_made_before_it_is_wanted() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    coming.close()
    assert len(made) <= DEPTH + 1


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("damaged")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(OSError, match="damaged"):
        next(coming)


def press_ctrl_c_often(go: threading.Event) -> None:
    """Now and then for 0.2 s, before what is waited for goes on."""
    for number in range(5):
        press = partial(os.kill, os.getpid(), signal.SIGINT)
        threading.Timer(0.02 + 0.04 * number, press).start()
    threading.Timer(0.3, go.set).start()


def test_however_often_interrupted_it_waits_for_the_item_that_is_being_made() -> None:
    go, is_closed = threading.Event(), []

    def items() -> Generator[int]:
        try:
            yield 1
            go.wait(10)
            yield 2
        finally:
            is_closed.append(True)

    source = items()
    coming = ahead(source)
    assert next(coming) == 1
    press_ctrl_c_often(go)
    with pytest.raises(KeyboardInterrupt):
        coming.close()
    source.close()  # "generator already executing", did another thread still work at it
    assert is_closed


def test_calls_are_made_in_order_and_done_at_the_end() -> None:
    done: list[int] = []
    behind = Behind()
    for number in range(50):
        behind(done.append, number)
    behind.close()
    assert done == list(range(50))


def test_an_error_is_told_once_and_nothing_is_called_after_it() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 2:
            raise OSError("full")
        done.append(number)

    behind = Behind()
    with pytest.raises(OSError, match="full"):
        for number in range(50):
            behind(work, number)
    behind.close()
    assert done == [0, 1]


def test_however_often_interrupted_it_waits_for_the_calls_that_were_given() -> None:
    done: list[str] = []
    go = threading.Event()

    def slow() -> None:
        go.wait(10)
        done.append("slow")

    behind = Behind()
    behind(slow)
    behind(done.append, "next")
    press_ctrl_c_often(go)
    with pytest.raises(KeyboardInterrupt):
        behind.close()
    assert done == ["slow", "next"]
