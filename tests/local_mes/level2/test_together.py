"""Several tasks that make sense only together come to rest together."""

from __future__ import annotations

import asyncio

import pytest

from local_mes.level2.drivers import together
from local_mes.level2.drivers.together import until_one_ends


def test_a_task_whose_library_swallows_its_end_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that was stopped polled on for ever: the word had come in the moment of an answer."""
    monkeypatch.setattr(together, "AGAIN_S", 0.01)
    told = []

    async def polls() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                told.append(1)
                if len(told) == 3:
                    raise

    async def ends() -> None:
        await asyncio.sleep(0)

    async def play() -> None:
        async with asyncio.timeout(40):
            await until_one_ends(polls(), ends())

    asyncio.run(play())
    assert len(told) == 3
