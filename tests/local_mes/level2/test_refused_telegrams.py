"""What a link refuses is kept with its bytes before the peer hears no, and shown with the field at fault."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import level2_operations  # noqa: F401  registers the operations of the test model
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from level2_line import Line
from level2_peers import PLANTS, Peer, Site, collecting, connect, cut
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from local_mes.app import create_console
from local_mes.level2 import refused as refused_module
from local_mes.level2 import spool as spool_module
from local_mes.level2 import telegram_connection
from local_mes.level2.pruning import DAY_MS, prune
from local_mes.level2.refused import REFUSED_A_MINUTE, find_refused
from local_mes.level2.spool_tables import refused
from local_mes.level2.telegrams.broken import hex_rows, pieces_of
from local_mes.level2.telegrams.frame import encode_telegram
from local_mes.level2.telegrams.layout import Field
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.level2.telegrams.spots import spots
from shared.clock import FixedClock
from shared.db.engine import read

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

MakeSite = Callable[..., Site]
OWN = Path(__file__).parent / "layouts"
SETS = {
    "ascii": load_folder(PLANTS / "ald" / "telegrams"),
    "binary": load_folder(PLANTS / "cld" / "telegrams"),
    **{name: load_folder(OWN / name) for name in ("delimited", "ebcdic", "little", "reply")},
}


def rows_of(site: Site) -> list[Any]:
    with read(site.spool) as conn:
        return list(conn.execute(select(refused).order_by(refused.c.refused_id)))


async def send_bad(peer: Peer, number: int, *, resent: bool = False) -> None:
    raw = peer.bytes_of("CC1060", cut(number), number, resent=resent)
    await peer.raw(raw.replace(b"00083772", b"0008377x"))


def test_bytes_are_on_disk_with_the_reason_before_the_peer_hears_no(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            good = peer.bytes_of("CC1070", {"slab": "161843-2-3", "ok": "Y"}, 1)
            unknown = good.replace(b"CC1070", b"CC1099")
            await peer.raw(unknown)
            await peer.until(lambda: peer.acks == [(1, 10)])
            (row,) = rows_of(site)
            assert (row.link, row.message, row.code, row.raw) == ("CC1", "CC1099", 10, unknown)
            await send_bad(peer, 2)
            await peer.raw(good)
            await send_bad(peer, 2, resent=True)
            await peer.until(lambda: peer.acks[1:] == [(2, 20), (1, 0), (2, 20)])
            again = rows_of(site)[1]
            assert (again.code, again.times, "head_mm" in again.why) == (20, 2, True)
            await peer.raw(b"x" * 60)
            await peer.until(lambda: len(peer.acks) == 5)
            lost = rows_of(site)[2]
            assert (lost.message, lost.code, lost.raw) == ("unreadable", 20, b"x" * 60)
            assert await peer.closed()
        assert site.state().refused == 4
        assert len(site.spooled()) == 1

    asyncio.run(scene())


def test_who_is_told_no_has_its_bytes_kept_although_others_came_with_them(
    make_site: MakeSite, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()
    asked = []

    def no_room(*_: Any, **__: Any) -> None:
        asked.append(1)
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(spool_module, "BATCH_MAX", 1)  # so that each job is a commit of its own
    monkeypatch.setattr(telegram_connection, "keep_refused", no_room)

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            good = peer.bytes_of("CC1070", {"slab": "161843-2-3", "ok": "Y"}, 1)
            await peer.raw(
                good.replace(b"CC1070", b"CC1099") + peer.bytes_of("CC1070", {"slab": "161843-2-3", "ok": "Y"}, 2)
            )
            assert await peer.closed()
            assert (asked, peer.acks, site.spooled()) == ([1], [], [])

    asyncio.run(scene())


def test_a_flood_costs_a_bounded_number_of_rows_and_is_counted(
    make_site: MakeSite, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_module, "REFUSED_MAX", REFUSED_A_MINUTE + 5)
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            for _ in range(2):
                for number in range(1, 91):
                    await send_bad(peer, number, resent=bool(_))
                await peer.until(lambda count=90 * (_ + 1): len(peer.acks) == count)
            clock.advance(61_000)
            for number in range(91, 99):
                await send_bad(peer, number)
            await peer.until(lambda: len(peer.acks) == 188)

    asyncio.run(scene())
    rows, count = find_refused(site.spool, "CC1", 500)
    assert len(rows) == REFUSED_A_MINUTE + 5
    assert (count.refused, count.not_kept, count.pushed_out) == (188, 60, 3)
    assert site.state().refused == 188


def test_pages_show_the_bytes_and_mark_the_field_at_fault(make_site: MakeSite, clock: FixedClock) -> None:
    line = Line(make_site(), clock)

    async def scene() -> None:
        async with collecting(line.site, clock):
            peer = await connect(line.site)
            await send_bad(peer, 2)
            await peer.until(lambda: len(peer.acks) == 1)

    asyncio.run(scene())
    engineer = sign_in(create_console(line.plant), line.plant.node, "engineer", "engineer")
    page = engineer.page("/level2/links/CC1")
    assert "1 in all, answered with an error code" in page
    shown = engineer.page(f"/level2/refused/{rows_of(line.site)[0].refused_id}")
    assert "code 20, bad format" in shown
    assert "<mark>30 30 30 38 33 37 37 78</mark>" in shown  # the field in the table
    assert shown.count("<mark>78</mark>") == 1  # the byte in the dump
    assert "161843" in shown
    (item,) = engineer.api("get", "/api/v1/links/CC1/refused").json["items"]
    assert bytes.fromhex(item["raw"]) == rows_of(line.site)[0].raw
    assert "only the newest" in engineer.page("/level2/refused/99", 404)
    clock.advance(31 * DAY_MS)
    prune(line.plant)
    assert rows_of(line.site) == []
    line.plant.node.engine.dispose()
    line.plant.spool.dispose()


def values_of(fields: tuple[Field, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for f in fields:
        if f.type == "group":
            values[f.name] = [values_of(f.fields)] * (f.times or 1)
            values |= {f.count: 1} if f.count else {}
        else:
            values[f.name] = f.constant if f.example is None else f.example
    return values


def telegrams(name: str) -> list[bytes]:
    layouts = SETS[name]
    named = {"sequence": 7, "claimed": "20260311065530120", "sender": "L2", "receiver": "MES"}
    return [encode_telegram(layouts, m, values_of(one.fields), **named) for m, one in layouts.messages.items()]


@pytest.mark.parametrize("name", SETS)
def test_a_telegram_that_is_whole_is_read_as_it_is(name: str) -> None:
    for raw in telegrams(name):
        pieces = pieces_of(SETS[name], raw)
        assert [piece for piece in pieces if piece.fault] == []
        found = [(one.path, one.start, one.raw, one.value) for one in spots(SETS[name], raw)]
        assert [(one.path, one.start, one.raw, one.value) for one in pieces] == found


@pytest.mark.parametrize("name", SETS)
def test_of_a_telegram_broken_anywhere_something_is_said_and_nothing_breaks(name: str) -> None:
    whole = telegrams(name)

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(whole), st.integers(0, max(map(len, whole))), st.binary(max_size=6), st.booleans())
    def broken(raw: bytes, at: int, put: bytes, cut_off: bool) -> None:
        bad = raw[:at] + put + (b"" if cut_off else raw[at + len(put) :])
        pieces = pieces_of(SETS[name], bad)
        rows = hex_rows(bad, pieces)
        assert "".join(cell for row in rows for cell, _ in row.cells) == bad.hex()
        marked = [cell for row in rows for cell, at_fault in row.cells if at_fault]
        assert bool(marked) <= any(piece.fault for piece in pieces)

    broken()
