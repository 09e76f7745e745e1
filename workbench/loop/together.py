"""Coroutines at the same time, of which any may fail."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

One = TypeVar("One")
First = TypeVar("First")
Second = TypeVar("Second")


async def every(coroutines: Iterable[Coroutine[Any, Any, One]]) -> list[One]:
    """All results; the error of the one that fails first, once the others have been stopped.

    Unlike `asyncio.gather`, it never returns while one of them still cleans up after itself.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    return [task.result() for task in tasks]


async def both(
    first: Coroutine[Any, Any, First], second: Coroutine[Any, Any, Second]
) -> tuple[First, Second]:
    """As `every`, for two."""
    coroutines: list[Coroutine[Any, Any, Any]] = [first, second]
    one, two = await every(coroutines)
    return one, two
