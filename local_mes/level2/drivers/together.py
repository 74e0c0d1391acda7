"""Run several things at once that make sense only together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

AGAIN_S = 2.0
"""Between two words that a task is to end: far above what it needs to close its connection."""


async def until_one_ends(*jobs: Coroutine[Any, Any, None]) -> None:
    """The first to end ends all; its error, if it had one, is raised when the others have come to rest."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _bring_to_rest(tasks)
    for task in done:
        task.result()


async def _bring_to_rest(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended. Once is not enough: before Python 3.12 `asyncio.wait_for`, which drivers' libraries
    use, answers as if nothing had been said when what it waits for comes in the same moment."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
