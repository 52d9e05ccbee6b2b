"""One detector for many visitors: they take turns, each with at most one frame that waits."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Turns:
    """Does the work of visitors in one thread, of each in turn.

    Who asks again before its work was begun has the older work dropped, and keeps its place.
    To be made and used in one event loop.
    """

    def __init__(self) -> None:
        # In the order of their turns: whoever had one goes to the end, a dict keeps its order.
        self._waiting: dict[Hashable, tuple[Callable[[], Any], asyncio.Future[Any]]] = {}
        self._pool = ThreadPoolExecutor(1, "detector")
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, visitor: Hashable, work: Callable[[], T]) -> T:
        """What `work` gives, or raises. CancelledError if the visitor asked again meanwhile."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if visitor in self._waiting:
            self._waiting[visitor][1].cancel()
        self._waiting[visitor] = work, answer
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await answer

    def forget(self, visitor: Hashable) -> None:
        """Drop what waits for a visitor who left."""
        if waiting := self._waiting.pop(visitor, None):
            waiting[1].cancel()

    async def _work(self) -> None:
        while self._waiting:
            visitor = next(iter(self._waiting))
            work, answer = self._waiting.pop(visitor)
            try:
                result = await asyncio.get_running_loop().run_in_executor(self._pool, work)
            except Exception as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)
        self._worker = None
