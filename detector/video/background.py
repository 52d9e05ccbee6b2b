"""Reading ahead and writing behind: a video is decoded and encoded while the detector looks.

FFmpeg and OpenCV work outside of Python's lock, so that one thread for each is worth a core.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
DEPTH = 3  # frames that wait on either side; one of 4K has 25 MB


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in order, some of them made before they are asked for, in another thread.

    What making an item raises is raised where it would have been.
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1, "ahead") as pool:
        coming: deque[Future[object]] = deque(
            pool.submit(next, iterator, end) for _ in range(DEPTH)
        )
        while (item := coming.popleft().result()) is not end:
            coming.append(pool.submit(next, iterator, end))
            yield item  # type: ignore[misc]  # it is no `end`, so it is an item


class Behind:
    """Calls one function after another in another thread, in the order in which they were given.

    What one raises, the next call or `close` raises, once; nothing is called after it.
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
        """Wait until everything is done. Interrupted, it waits for the one call that runs."""
        try:
            self._pool.shutdown()
        except BaseException:
            self._failed = True
            self._pool.shutdown()
            raise
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
