"""Fairness: visitors take turns, and nobody's old frames stand in the way of the new ones."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from detector.web.turns import Turns


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def test_work_is_done_in_one_thread_and_its_error_comes_back() -> None:
    async def scene() -> None:
        turns = Turns()
        threads = await asyncio.gather(*(turns.ask(i, threading.get_ident) for i in range(10)))
        assert len(set(threads)) == 1 and threads[0] != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await turns.ask("x", lambda: 1 // 0)
        assert await turns.ask("x", lambda: 5) == 5

    run(scene)


def test_who_sends_much_waits_like_everybody_else() -> None:
    async def scene() -> None:
        turns, gate = Turns(), threading.Event()
        done: list[str] = []
        first = asyncio.create_task(turns.ask("first", gate.wait))
        await asyncio.sleep(0)
        greedy = [
            asyncio.create_task(turns.ask("greedy", partial(done.append, f"greedy {n}")))
            for n in range(5)
        ]
        modest = asyncio.create_task(turns.ask("modest", partial(done.append, "modest")))
        await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(first, modest, *greedy, return_exceptions=True)
        assert done == ["greedy 4", "modest"]  # the newest of his five, then the other
        assert [isinstance(r, asyncio.CancelledError) for r in results[2:]] == [True] * 4 + [False]

    run(scene)


def test_each_gets_as_many_turns_as_the_others() -> None:
    async def scene() -> None:
        turns = Turns()
        done: list[int] = []

        async def visitor(name: int) -> None:
            for _ in range(20):
                await turns.ask(name, lambda: done.append(name))

        await asyncio.gather(*map(visitor, range(5)))
        for turn in range(0, 100, 5):
            assert sorted(done[turn : turn + 5]) == list(range(5))

    run(scene)


def test_the_work_of_who_left_is_not_done() -> None:
    async def scene() -> None:
        turns, gate = Turns(), threading.Event()
        done: list[str] = []
        first = asyncio.create_task(turns.ask("first", gate.wait))
        await asyncio.sleep(0)
        left = asyncio.create_task(turns.ask("left", lambda: done.append("left")))
        await asyncio.sleep(0)
        turns.forget("left")
        turns.forget("nobody")
        gate.set()
        await first
        await asyncio.gather(left, return_exceptions=True)
        assert left.cancelled() and not done

    run(scene)
