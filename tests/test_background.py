"""Other threads change when work is done, never what comes out or which error."""

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

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


def test_closed_and_interrupted_it_still_waits_for_the_item_that_is_being_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
    shutdown = ThreadPoolExecutor.shutdown

    def interrupted(*_: object, **__: object) -> None:
        monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shutdown)
        threading.Timer(0.2, go.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", interrupted)
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


def test_an_interrupted_close_waits_for_the_running_call_and_drops_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    go = threading.Event()

    def slow() -> None:
        go.wait(10)
        done.append("slow")

    behind = Behind()
    behind(slow)
    behind(done.append, "never")
    shutdown = behind._pool.shutdown

    def interrupted(**_: object) -> None:
        monkeypatch.setattr(behind._pool, "shutdown", shutdown)
        threading.Timer(0.2, go.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(behind._pool, "shutdown", interrupted)
    with pytest.raises(KeyboardInterrupt):
        behind.close()
    assert done == ["slow"]
