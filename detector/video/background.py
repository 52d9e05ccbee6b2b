"""Reading and looking ahead, writing behind: while one frame is named, the others go on.

FFmpeg, OpenCV and the networks work outside of Python's lock, so that a thread each is worth it.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from detector.interrupt import uninterrupted

T = TypeVar("T")
DEPTH = 3  # frames that wait for each of them; one of 4K has 25 MB


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items in order, some of them made before they are asked for, in another thread.

    What making an item raises is raised where it would have been. Closed, it waits for the one
    that is being made.
    """
    iterator = iter(items)
    end = object()
    pool = ThreadPoolExecutor(1, "ahead")
    try:
        coming: deque[Future[object]] = deque(
            pool.submit(next, iterator, end) for _ in range(DEPTH)
        )
        while (item := coming.popleft().result()) is not end:
            coming.append(pool.submit(next, iterator, end))
            yield item  # type: ignore[misc]  # it is no `end`, so it is an item
    finally:
        _end(pool, cancel=True)


class Behind:
    """Calls one function after another in another thread, in the order in which they were given.

    What one raises, `close` or a call that waits for a free place raises, once; nothing is called
    after it.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "behind")
        self._running: deque[Future[None]] = deque()
        self._failed = False

    def __call__(self, function: Callable[..., object], *arguments: object) -> None:
        """Wait for a free place, then return while the function still runs."""
        while len(self._running) >= DEPTH:
            self._running.popleft().result()
        self._running.append(self._pool.submit(self._call, function, *arguments))

    def close(self) -> None:
        """Wait until everything is done; that is at most `DEPTH` calls and the one that runs."""
        _end(self._pool)
        while self._running:
            self._running.popleft().result()

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        if self._failed:
            return
        try:
            function(*arguments)
        except BaseException:
            self._failed = True
            raise


def _end(pool: ThreadPoolExecutor, cancel: bool = False) -> None:
    """Wait for all calls, or cancel those that do not run. Ctrl-C, however often, waits for it.

    What they use is closed next: an encoder that two threads are in stands still for ever.
    """
    with uninterrupted():
        pool.shutdown(cancel_futures=cancel)
