"""A telegram link over a real socket: acknowledged means on disk, in order, once; nothing a peer sends breaks it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec
import pytest
from level2_peers import Site, collecting, connect, cut, until

from local_mes.level2 import down
from shared.clock import FixedClock
from shared.errors import BadSetup

MakeSite = Callable[..., Site]


def run(job: Callable[[], object]) -> None:
    asyncio.run(job())  # type: ignore[arg-type]


def test_what_is_acknowledged_is_on_disk_in_order(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.raw(b"".join(peer.bytes_of("CC1060", cut(n), n) for n in range(1, 33)))
            await peer.until(lambda: len(peer.acks) == 32)
            assert peer.acks == [(n, 0) for n in range(1, 33)]
            rows = site.spooled()
            assert [row.sequence for row in rows] == list(range(1, 33))
            assert [row.spool_id for row in rows] == list(range(1, 33))
            assert rows[0].raw == peer.bytes_of("CC1060", cut(1), 1)
            assert rows[0].claimed_ms == 1773205200000  # 06:00 in Warsaw is 05:00Z

    run(scene)


def test_a_repeat_is_acknowledged_and_kept_once(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.send("CC1060", cut(1), 1)
            await peer.send("CC1060", cut(1), 1, resent=True)
            await peer.send("CC1060", cut(2), 1)  # a restarted peer: same sequence, other content
            await peer.until(lambda: len(peer.acks) == 3)
            again = await connect(site)
            await again.send("CC1060", cut(1), 1, resent=True)
            await again.until(lambda: again.acks == [(1, 0)])
        assert [msgspec.json.decode(row.fields) for row in site.spooled()] == [cut(1), cut(2)]
        assert site.state().repeated == 2

    run(scene)


def test_unknown_and_unreadable_get_their_codes_and_the_link_goes_on(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            good = peer.bytes_of("CC1070", {"slab": "161843-2-3", "ok": "Y"}, 7)
            await peer.raw(good.replace(b"CC1070", b"CC1099").replace(b"0007", b"0001"))
            await peer.send("CC2030", {"slab": "161843-2-3", "flag": "H"}, 2)  # goes down, never comes up
            await peer.raw(peer.bytes_of("CC1060", cut(), 3).replace(b"00083772", b"0008377x"))
            await peer.raw(good)
            await peer.until(lambda: len(peer.acks) == 4)
            assert peer.acks == [(1, 10), (2, 10), (3, 20), (7, 0)]
        assert [row.sequence for row in site.spooled()] == [7]
        assert site.state().refused == 3

    run(scene)


def test_implausible_is_stored_and_acknowledged(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.send("CC1060", cut(width_head_mm=12800), 1)
            await peer.until(lambda: peer.acks == [(1, 0)])
        assert len(site.spooled()) == 1

    run(scene)


@pytest.mark.parametrize("seed", range(6))
def test_any_bytes_at_worst_close_the_connection(make_site: MakeSite, clock: FixedClock, seed: int) -> None:
    site = make_site()
    noise = random.Random(seed)

    async def scene() -> None:
        async with collecting(site, clock) as collector:
            peer = await connect(site)
            await peer.raw(noise.randbytes(5000))
            assert await peer.closed()
            peer = await connect(site)
            whole = bytearray(peer.bytes_of("CC1060", cut(), 1))
            whole[noise.randrange(5, len(whole))] ^= 1 << noise.randrange(8)
            await peer.raw(bytes(whole) + peer.bytes_of("HB0001", {}, 0))
            peer.writer.close()
            last = await connect(site)
            await last.send("CC1070", {"slab": "161843-2-3", "ok": "Y"}, 2)
            await last.until(lambda: last.acks == [(2, 0)])
            assert not collector.done()

    run(scene)


def test_a_new_connection_replaces_the_old_one(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            old = await connect(site)
            await old.until(lambda: old.beats == 1)
            new = await connect(site)
            assert await old.closed()
            await new.send("CC1060", cut(), 1)
            await new.until(lambda: new.acks == [(1, 0)])

    run(scene)


def test_heartbeats_run_both_ways_and_silence_is_no_data(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site(heartbeat_s=0.4)

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await until(lambda: site.state_name() == "connected")
            await peer.until(lambda: peer.beats == 3)
            await until(lambda: site.state_name() == "no_data")
            await peer.send("HB0001", {})
            await until(lambda: site.state_name() == "connected")
            assert await peer.closed()  # silent for six heartbeats
            await until(lambda: site.state_name() == "away")

    run(scene)


def test_down_telegrams_wait_for_their_answer_in_order(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site(resend_s=0.3)
    first = down.queue_telegram(site.spool, clock, "CC1", "CC2030", {"slab": "161843-2-3", "flag": "H"}, key="a")
    assert down.queue_telegram(site.spool, clock, "CC1", "CC2030", {"slab": "x", "flag": "F"}, key="a") == first
    second = down.queue_telegram(site.spool, clock, "CC1", "CC2030", {"slab": "161843-2-4", "flag": "H"}, key="b")

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.until(lambda: len(peer.received) == 2)  # not answered: sent again
            assert [(seq, again, f["slab"]) for seq, _, again, f in peer.received] == [
                (1, False, "161843-2-3"),
                (1, True, "161843-2-3"),
            ]
            peer.writer.close()
            peer = await connect(site)
            await peer.until(lambda: len(peer.received) == 1)
            assert peer.received[0][:3] == (1, "CC2030", True)
            await peer.send("AK9000", {"ack_sequence": 1, "code": 0})
            await peer.until(lambda: peer.received[-1][0] == 2)
            await peer.send("AK9000", {"ack_sequence": 2, "code": 30})
            await until(lambda: down.get_down(site.spool, second).state == "refused")
        assert down.get_down(site.spool, first).state == "confirmed"
        assert down.get_down(site.spool, second).answer == "code 30"

    run(scene)


def test_a_down_telegram_that_fits_no_layout_is_refused_and_the_next_goes(
    make_site: MakeSite, clock: FixedClock
) -> None:
    site = make_site()
    bad = down.queue_telegram(
        site.spool, clock, "CC1", "CC2030", {"slab": "much too long a number", "flag": "H"}, key="a"
    )
    down.queue_telegram(site.spool, clock, "CC1", "CC2030", {"slab": "161843-2-4", "flag": "H"}, key="b")

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.until(lambda: len(peer.received) == 1)
            assert peer.received[0][3]["slab"] == "161843-2-4"
        assert down.get_down(site.spool, bad).state == "refused"
        assert "slab" in down.get_down(site.spool, bad).answer

    run(scene)


def test_the_clock_of_a_peer_is_learned_and_kept_over_a_restart(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene(first: int) -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            clock.set(1773205200000 + 95_000)  # 05:01:35Z, the peer says 06:00:00 local
            await peer.send("CC1060", cut(first), first)
            await peer.until(lambda: len(peer.acks) == 1)

    asyncio.run(scene(1))
    clock.set(1773205200000)
    assert site.spooled()[0].offset_ms == 95_000
    asyncio.run(scene(2))
    assert len(site.state().offsets.split(",")) >= 2


def test_a_taken_port_is_one_paragraph(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", site.port)
        async with server:
            with pytest.raises(BadSetup, match=str(site.port)):
                async with collecting(site, clock) as collector:
                    await collector

    run(scene)


def test_a_full_disk_acknowledges_nothing(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            with site.spool.connect() as other:  # somebody else's table in the way of every write
                other.exec_driver_sql(
                    "CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'full'); END"
                )
                other.exec_driver_sql("COMMIT")
            await peer.send("CC1060", cut(), 1)
            assert await peer.closed()
            with site.spool.connect() as other:
                other.exec_driver_sql("DROP TRIGGER full")
                other.exec_driver_sql("COMMIT")
            peer = await connect(site)
            await peer.send("CC1060", cut(), 1, resent=True)
            await peer.until(lambda: peer.acks == [(1, 0)])
        assert len(site.spooled()) == 1

    run(scene)
