"""kill -9 of the collector, and of the process that interprets, at any moment: nothing acknowledged is lost, nothing is
kept twice, no piece is made twice."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from random import Random

import level2_operations  # noqa: F401  registers the operations of the test model
import msgspec
import pytest
from level2_line import run_interpreter
from level2_peers import Sender, Site, cut
from sqlalchemy import select

from local_mes.level2.collector import run_level2
from local_mes.level2.interpret import Interpreter, get_position
from local_mes.level2.links import load_links
from local_mes.level2.spool import Incoming, append, get_key
from local_mes.level2.tables import repair
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.fact import decode
from shared.journal.tables import fact

MakeSite = Callable[..., Site]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["local_mes.level2.collector", "local_mes.level2.drivers.telegram", "local_mes.wiring"])
A_KILL = 60
"""Telegrams acknowledged between two kills, about."""


@contextmanager
def collector(site: Site) -> Iterator[ForkServerProcess]:
    process = FORKS.Process(target=run_level2, args=(site.settings,), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


async def be_killed(sender: Sender, chance: Random, kills: int) -> None:
    """Each life of the collector ends at a moment of its own: after some answers, or some time whatever it does."""
    for _ in range(kills):
        with collector(sender.site) as process:
            job = asyncio.create_task(sender.work(sender.acknowledged + 100 * A_KILL))
            aim, end = sender.acknowledged + chance.randrange(2 * A_KILL), time.monotonic() + chance.random() * 20
            in_time = chance.random() < 0.3
            if in_time:
                end = time.monotonic() + chance.random()
            while sender.acknowledged < aim or in_time:
                if time.monotonic() > end:
                    break
                await asyncio.sleep(0.0007)  # leaves the machine to the collector
            process.kill()
            await asyncio.to_thread(process.join)
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)


async def finish(sender: Sender) -> None:
    with collector(sender.site):
        async with asyncio.timeout(60):
            await sender.work(sender.sent)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(4, id="a few"),
        pytest.param(1000, id="a thousand", marks=[pytest.mark.slow, pytest.mark.timeout(14_400)]),
    ],
)
def test_a_collector_killed_at_any_moment_loses_and_doubles_nothing(
    make_site: MakeSite, clock: FixedClock, kills: int
) -> None:
    site = make_site()
    sender = Sender(site)
    asyncio.run(be_killed(sender, Random(kills), kills))
    asyncio.run(finish(sender))
    assert sender.open == []
    assert sender.sent > kills * A_KILL // 4
    heats = [f"{number:06d}" for number in range(1, sender.sent + 1)]
    assert [msgspec.json.decode(row.fields)["heat"] for row in site.spooled()] == heats
    assert site.state().gaps == 0
    assert pieces_made(init_plant(site.settings, clock), site) == [
        f"slab:{heat}-2-{int(heat) % 99 + 1}" for heat in heats
    ]


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, id="a few"),
        pytest.param(300, id="hundreds", marks=[pytest.mark.slow, pytest.mark.timeout(7_200)]),
    ],
)
def test_an_interpreter_killed_at_any_moment_makes_each_piece_once(
    make_site: MakeSite, clock: FixedClock, kills: int
) -> None:
    site, chance = make_site(), Random(kills)
    settings = site.settings.model_copy(update={"interpret_messages_max": 2})
    plant = init_plant(settings, clock)
    heats = [f"{number:06d}" for number in range(1, 60 * kills + 1)]
    fill(site, heats, clock)
    spool = get_key(site.spool)

    def read_to() -> int:
        with read(plant.node.engine) as conn:
            return get_position(conn, spool)

    for _ in range(kills):
        process = FORKS.Process(target=run_interpreter, args=(settings, clock.now_ms()), daemon=True)
        process.start()
        aim, end = min(read_to() + chance.randrange(1, 40), len(heats)), time.monotonic() + 40
        while read_to() < aim and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)  # within a step, not at its end
        process.kill()
        process.join()
    assert read_to() > 0
    assert pieces_made(plant, site) == [f"slab:{heat}-2-{int(heat) % 99 + 1}" for heat in heats]


def fill(site: Site, heats: list[str], clock: FixedClock) -> None:
    now = clock.now_ms()
    with write(site.spool) as conn:
        for number, heat in enumerate(heats, 1):
            fields = cut(int(heat) % 99 + 1, heat=heat)
            append(conn, Incoming("CC1", "CC1060", number, "", None, now, 0, 60, b"raw", heat.encode(), fields))


def pieces_made(plant: Plant, site: Site) -> list[str]:
    """What the plant makes of the spool: one pair of facts a piece."""
    try:
        interpreter = Interpreter(plant, load_links(site.settings), grace_s=0)
        while interpreter.step():
            continue
        with read(plant.node.engine) as conn:
            assert conn.execute(select(repair)).all() == []
            facts = [decode(body) for body in conn.execute(select(fact.c.body)).scalars()]
        subjects = [one.subjects[0] for one in facts]
        assert sorted(subjects) == sorted(2 * list(set(subjects)))
        return sorted(set(subjects))
    finally:
        plant.node.engine.dispose()
        plant.spool.dispose()
