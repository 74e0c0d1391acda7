"""Primary data through the real port: refused or late it is on screen within 5 s; for a held piece it never goes down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from level2_peers import PLANTS, Peer, until

from local_mes.app import create_console
from local_mes.level2.collector import Collector
from local_mes.level2.links import load_links
from local_mes.level2.outbox import pass_on
from local_mes.level2.spool import SpoolWriter, create_spool
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.quality.release import ReleaseHold, release_hold
from local_mes.quality.service import PlaceHold, place_hold
from shared.clock import FixedClock
from shared.db.engine import write
from shared.ports import free_port

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))
sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in
from production_bench import Bench, make_bench

SHOWN_S = 5.0
LOOK_S = 2.0
"""The page asks for its live part this often."""
LAYOUTS = load_folder(PLANTS / "cld" / "telegrams")


@pytest.fixture
def line(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = make_bench("CLD", tmp_path, clock)
    object.__setattr__(bench.plant.settings, "link_addresses", {"CLD-PL": f"127.0.0.1:{free_port()}"})
    for number in ("C6-00001", "C6-00002", "C6-00003"):
        bench.take_in(number, "coil", 20_000, (2500, 1_270_000, 800_000_000))
        bench.schedule("PL1", number, f"{number}-P", "stock", width_um=1_250_000)
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()


@asynccontextmanager
async def collecting(line: Bench) -> AsyncIterator[None]:
    """The collector of the pickling line alone."""
    plan = load_links(line.plant.settings)
    plan = replace(plan, links={"CLD-PL": plan.links["CLD-PL"]})
    writer, stop = SpoolWriter(line.plant.spool), asyncio.Event()
    task = asyncio.create_task(Collector(plan, line.plant.spool, writer, line.clock).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(writer.close)


async def connect(line: Bench) -> Peer:
    port = int(line.plant.settings.link_addresses["CLD-PL"].rpartition(":")[2])
    async with asyncio.timeout(40):
        while True:
            try:
                return Peer(*await asyncio.open_connection("127.0.0.1", port), LAYOUTS)
            except OSError:
                await asyncio.sleep(0.02)


def enter(line: Bench, coil: str) -> None:
    size = {"thickness_um": 2500, "width_um": 1_250_000, "mass_kg": 20_000, "entry_m": 48_000}
    line.tell("CLD-PL", "PL1010", line="PL1", coil_in=coil, **size)


async def shown_within(person: Person, words: Callable[[str], bool]) -> float:
    """Seconds until the links page, asking as often as it does in a browser, says it; every page's header too."""
    begin = monotonic()
    while True:
        await asyncio.sleep(LOOK_S)
        headers = {"HX-Request": "true"}
        live = await asyncio.to_thread(person.client.get, "/level2/links", headers=headers)
        if words(live.text):
            return monotonic() - begin
        assert monotonic() - begin < 40


def test_refused_and_late_primary_data_is_on_screen_in_time(line: Bench) -> None:
    person = sign_in(create_console(line.plant), line.plant.node, "lead", "lead")
    assert 'hx-trigger="every 2s"' in person.page("/level2/links")

    async def play() -> None:
        async with collecting(line):
            peer = await connect(line)
            await asyncio.to_thread(enter, line, "C6-00001")
            await peer.until(lambda: len(peer.received) == 1)
            sequence, name, _, fields = peer.received[0]
            assert (name, fields["coil_in"]) == ("PL2010", "C6-00001")
            await peer.send("AK9000", {"ack_sequence": sequence, "code": 30}, 0)
            took = await shown_within(person, lambda text: ">refused<" in text and "code 30" in text)
            assert took < SHOWN_S
            # the next one is never answered
            await peer.until(lambda: len(peer.received) == 2)
            assert peer.received[1][3]["coil_in"] == "C6-00002"
            took = await shown_within(person, lambda text: ">late<" in text.replace("</svg>", ""))
            assert took < SHOWN_S
            peer.writer.close()

    asyncio.run(play())
    header = person.page("/level2/signals")  # every page has it
    assert "PL2010 refused at" in header
    assert "an order is not answered yet" in header


def test_of_a_piece_that_is_held_before_its_link_is_back_no_primary_data_goes_down(line: Bench) -> None:
    enter(line, "C6-00001")
    assert [fields["coil_in"] for _, fields in line.sent_down()] == ["C6-00001", "C6-00002"]
    held = place_hold(line.plant, PlaceHold("h1", "p2", "C6-00002", "surface"))
    pass_on(line.plant)

    async def told(coils: set[str]) -> list[Any]:
        async with collecting(line):
            peer = await connect(line)
            answered = 0
            async with asyncio.timeout(40):
                while {one[3]["coil_in"] for one in peer.received} < coils:
                    await peer.take()
                    for sequence, _, _, _ in peer.received[answered:]:
                        await peer.send("AK9000", {"ack_sequence": sequence, "code": 0}, 0)
                    answered = len(peer.received)
            await until(lambda: "sent" not in states(line) and "queued" not in states(line))
            peer.writer.close()
            return [one[3]["coil_in"] for one in peer.received]

    assert asyncio.run(told({"C6-00001"})) == ["C6-00001"]
    assert "withdrawn: the piece is held (surface)" in str(answers(line))
    # free again and next in line: now it goes down
    release_hold(line.plant, ReleaseHold("r1", "p2", held["hold_id"], "prime", note="dressed"))
    enter(line, "C6-00002")
    assert asyncio.run(told({"C6-00002"}))[0] == "C6-00002"


def states(line: Bench) -> list[str]:
    with write(line.plant.spool) as conn:
        return list(conn.exec_driver_sql("SELECT state FROM down").scalars())


def answers(line: Bench) -> list[str]:
    with write(line.plant.spool) as conn:
        return list(conn.exec_driver_sql("SELECT answer FROM down").scalars())


def test_orders_of_an_older_spool_are_kept_and_go_on(line: Bench) -> None:
    enter(line, "C6-00001")
    with write(line.plant.spool) as conn:
        for column in ("queued_real_ms", "settled_by"):
            conn.exec_driver_sql(f"ALTER TABLE down DROP COLUMN {column}")
    create_spool(line.plant.spool, line.clock)
    person = sign_in(create_console(line.plant), line.plant.node, "lead", "lead")
    assert ">late<" in person.page("/level2/links").replace("</svg>", "")
