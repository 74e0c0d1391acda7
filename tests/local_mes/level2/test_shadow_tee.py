"""Beside an old MES: every byte passes as it was, Strandline hears a copy, and nothing of it ever reaches the line."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from level2_peers import PLANTS, Peer, Site, collecting, connect, cut, until
from shadow_peers import OldMes, connect_through, teeing

from local_mes.app import create_console
from local_mes.level2 import down
from local_mes.level2.link_state import find_history
from local_mes.level2.links import load_links
from local_mes.level2.shadow.orders import read_orders
from local_mes.level2.shadow.overheard import find_overheard
from local_mes.level2.shadow.seat import check_shadow
from local_mes.level2.shadow.stream import Stream
from local_mes.level2.shadow.tee import Line, Tee
from local_mes.level2.telegrams.frame import encode_telegram
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.wiring import init_plant
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

MakeSite = Callable[..., Site]


def run(job: Callable[[], Coroutine[object, object, None]]) -> None:
    asyncio.run(job())


@pytest.fixture
def shadow_site(make_site: MakeSite) -> Site:
    site = make_site()
    in_shadow = site.settings.model_copy(update={"shadow": True})
    site.settings = in_shadow
    return site


async def _converse(peer: Peer, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await peer.send("CC1060", cut(number % 99 + 1, heat=f"{number:06d}"), number)
    await peer.until(lambda: len(peer.acks) >= last)


def test_the_line_is_as_without_a_tee_and_the_copy_is_spooled(shadow_site: Site, clock: FixedClock) -> None:
    old = OldMes(shadow_site.layouts)

    async def scene() -> None:
        async with collecting(shadow_site, clock), teeing(shadow_site, old) as tee:
            peer = await connect_through(tee, shadow_site)
            sent = b"".join(peer.bytes_of("CC1060", cut(n), n) for n in range(1, 51))
            await peer.raw(sent)
            await peer.until(lambda: len(peer.acks) == 50)
            await until(lambda: len(shadow_site.spooled()) == 50)
            await until(lambda: tee.copying.held_bytes == 0)  # on Strandline's disk, so the tee lets go
            assert bytes(old.heard) == sent
            assert peer.acks == [(n, 0) for n in range(1, 51)]  # one answer each: the old MES's
            assert [row.sequence for row in shadow_site.spooled()] == list(range(1, 51))
            peer.writer.close()
            await until(lambda: shadow_site.state_name() == "connected")

    run(scene)


def test_nothing_goes_down_now_or_later(shadow_site: Site, clock: FixedClock) -> None:
    old = OldMes(shadow_site.layouts)
    order = {"slab": "161843-2-3", "flag": "H"}
    down.queue_telegram(shadow_site.spool, clock, "CC1", "CC2030", order, key="k1")

    async def scene() -> None:
        async with collecting(shadow_site, clock), teeing(shadow_site, old) as tee:
            peer = await connect_through(tee, shadow_site)
            await _converse(peer, 1, 3)
            down.queue_telegram(shadow_site.spool, clock, "CC1", "CC2030", order, key="k2")
            await until(lambda: down.count_open(shadow_site.spool) == {})
            await _converse(peer, 4, 6)
            assert peer.received == []
        rows = [down.find_by_key(shadow_site.spool, key) for key in ("k1", "k2")]
        assert [row.state for row in rows if row] == ["withheld", "withheld"]

    run(scene)
    live = shadow_site.settings.model_copy(update={"shadow": False})
    shadow_site.settings = live

    async def afterwards() -> None:
        async with collecting(shadow_site, clock):
            peer = await connect(shadow_site)
            await peer.send("CC1060", cut(7), 7)
            await peer.until(lambda: peer.acks == [(7, 0)])
            assert peer.received == []

    run(afterwards)


def test_a_plain_copy_of_what_level2_says_is_heard_and_told_nothing(shadow_site: Site, clock: FixedClock) -> None:
    async def scene() -> None:
        async with collecting(shadow_site, clock):
            peer = await connect(shadow_site)
            await peer.raw(b"".join(peer.bytes_of("CC1060", cut(n), n) for n in range(1, 6)))
            await until(lambda: len(shadow_site.spooled()) == 5)
            peer.writer.write_eof()
            assert await peer.reader.read() == b""

    run(scene)


def test_what_the_old_mes_says_is_overheard(shadow_site: Site, clock: FixedClock) -> None:
    old = OldMes(shadow_site.layouts, refuses=frozenset({2}))

    async def scene() -> None:
        async with collecting(shadow_site, clock), teeing(shadow_site, old) as tee:
            peer = await connect_through(tee, shadow_site)
            await _converse(peer, 1, 2)
            old.say("CC2030", {"slab": "161843-2-3", "flag": "H"}, 1)
            await peer.until(lambda: len(peer.received) == 1)
            await peer.send("AK9000", {"ack_sequence": 1, "code": 0})
            await until(lambda: len(find_overheard(shadow_site.spool, "CC1", 10)) == 2)
        order, refusal = find_overheard(shadow_site.spool, "CC1", 10)
        assert (order["message"], order["fields"]["slab"]) == ("CC2030", "161843-2-3")
        assert refusal["fields"] == {"ack_sequence": 2, "code": 20}
        beside = read_orders(shadow_site.spool, "CC1", {"CC2030"}, 10)
        assert [one.verdict for one in beside] == ["none", "answer"]
        assert old.answered == [(1, 0)]

    run(scene)
    plant = init_plant(shadow_site.settings, clock)
    page = sign_in(create_console(plant), plant.node, "engineer", "engineer").page("/pilot/overheard/CC1")
    assert "By day" in page
    assert "161843-2-3" in page
    plant.node.engine.dispose()
    plant.spool.dispose()


def test_a_strandline_that_is_away_gets_it_later(shadow_site: Site, clock: FixedClock) -> None:
    old = OldMes(shadow_site.layouts)

    async def scene() -> None:
        async with teeing(shadow_site, old) as tee:
            peer = await connect_through(tee, shadow_site)
            await _converse(peer, 1, 200)
            assert tee.copying.held_bytes > 0
            async with collecting(shadow_site, clock):
                await until(lambda: len(shadow_site.spooled()) == 200)
        assert [row.sequence for row in shadow_site.spooled()] == list(range(1, 201))

    run(scene)


def test_a_strandline_that_hangs_costs_the_line_nothing_and_the_gap_is_shown(
    shadow_site: Site, clock: FixedClock
) -> None:
    """It takes the connection and never reads: the buffer fills, drops are counted, the old MES notices nothing."""
    old = OldMes(shadow_site.layouts)
    waits: list[float] = []

    async def scene() -> None:
        hung = socket.create_server(("127.0.0.1", 0))
        async with teeing(shadow_site, old, buffer_bytes=65_536, copy_port=hung.getsockname()[1]) as tee:
            peer = await connect_through(tee, shadow_site)
            for number in range(1, 1501):
                began = time.perf_counter()
                await peer.send("CC1060", cut(number % 99 + 1, heat=f"{number:06d}"), number)
                await peer.until(lambda number=number: len(peer.acks) == number)
                waits.append(time.perf_counter() - began)
            assert tee.copying.dropped_bytes > 0
            hung.close()
            tee.copying._at = ("127.0.0.1", shadow_site.port)
            async with collecting(shadow_site, clock):
                await until(lambda: tee.copying.held_bytes == 0)
                await _converse(peer, 1501, 1520)
                await until(lambda: bool(shadow_site.spooled()) and shadow_site.spooled()[-1].sequence == 1520)
                await until(lambda: shadow_site.state().gaps > 0)
        kept = [row.sequence for row in shadow_site.spooled()]
        assert kept == sorted(kept)
        assert kept[-20:] == list(range(1501, 1521))
        assert 1520 - len(kept) == shadow_site.state().gaps

    run(scene)
    assert len(waits) == 1500
    assert sorted(waits)[1485] < 0.05, "no round trip waits for the copy"
    history = find_history(shadow_site.spool, "CC1", 0, clock.now_ms() + 1)
    assert any("not overheard" in entry.why for entry in history)


def test_a_collector_killed_again_and_again_lacks_nothing(shadow_site: Site, clock: FixedClock) -> None:
    old = OldMes(shadow_site.layouts)
    file = shadow_site.folder / "plant.toml"
    file.write_text(
        f'code = "ALD"\nname = "Test"\nfolder = "{shadow_site.folder}"\nmodel = "model.toml"\n'
        'hub_url = "http://127.0.0.1:1"\nshadow = true\n'
    )
    command = [sys.executable, "-c", "from shared.cli import main; main()", "plant", "level2", "--config", str(file)]

    async def scene() -> None:
        async with teeing(shadow_site, old) as tee:
            peer = await connect_through(tee, shadow_site)
            done = 0
            for _ in range(3):
                process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                try:
                    before = len(shadow_site.spooled())
                    while len(shadow_site.spooled()) < before + 40:
                        done += 1
                        await peer.send("CC1060", cut(done % 99 + 1, heat=f"{done:06d}"), done)
                        await peer.until(lambda done=done: len(peer.acks) == done)
                        await asyncio.sleep(0.01 if before == len(shadow_site.spooled()) else 0)
                finally:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
            async with collecting(shadow_site, clock):
                await until(lambda: len(shadow_site.spooled()) == done)
        assert [row.sequence for row in shadow_site.spooled()] == list(range(1, done + 1))

    run(scene)


def test_a_line_on_which_the_old_mes_calls(shadow_site: Site, clock: FixedClock) -> None:
    async def scene() -> None:
        sent = b"".join(_telegram(number) for number in range(1, 4))

        async def level2(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(sent)

        port = free_port()
        server = await asyncio.start_server(level2, "127.0.0.1", port)
        listen, copy = f"127.0.0.1:{free_port()}", f"127.0.0.1:{shadow_site.port}"
        tee = Tee(Line(link="CC1", listen=listen, forward=f"127.0.0.1:{port}", copy_to=copy, caller="mes"))
        task = asyncio.create_task(tee.run())
        async with collecting(shadow_site, clock):
            mes = await connect_through(tee, shadow_site)
            assert await mes.reader.readexactly(len(sent)) == sent
            await until(lambda: len(shadow_site.spooled()) == 3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()

    run(scene)


def test_a_kind_that_could_not_keep_silent_is_refused(make_site: MakeSite) -> None:
    ring = (
        '[[link]]\ncode = "EAF"\nkind = "opcua"\naddress = "opc.tcp://127.0.0.1:1"\nsecurity = "None"\nshadow = true\n'
    )
    site = make_site(more=ring)
    with pytest.raises(BadSetup, match="EAF"):
        check_shadow(load_links(site.settings))
    drop = (
        f'[[link]]\ncode = "LAB"\nkind = "file"\naddress = "{site.folder}"\nshadow = true\n'
        '[link.settings]\nmessage = "L"\nformat = "csv"\n'
    )
    with pytest.raises(BadSetup, match="LAB"):
        check_shadow(load_links(make_site(more=drop).settings))
    check_shadow(load_links(make_site(more=drop + "copies = true\n").settings))


def test_the_tee_as_the_process_it_is(shadow_site: Site, tmp_path: Path) -> None:
    old = OldMes(shadow_site.layouts)
    listen = free_port()
    file = tmp_path / "tee.toml"
    file.write_text(
        f'[[line]]\nlink = "CC1"\nlisten = "127.0.0.1:{listen}"\nforward = "127.0.0.1:{old.port}"\n'
        f'copy_to = "127.0.0.1:{shadow_site.port}"\n'
    )
    command = [sys.executable, "-c", "from shared.cli import main; main()", "plant", "tee", "--config", str(file)]

    async def scene() -> None:
        server = await asyncio.start_server(old.serve, "127.0.0.1", old.port)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            async with asyncio.timeout(20):
                while True:
                    try:
                        peer = Peer(*await asyncio.open_connection("127.0.0.1", listen), shadow_site.layouts)
                        break
                    except OSError:
                        await asyncio.sleep(0.05)
            await _converse(peer, 1, 5)
            process.terminate()
            assert await asyncio.to_thread(process.wait, 10) == 0
        finally:
            process.kill()
            server.close()

    run(scene)
    file.write_text(file.read_text().replace("forward", "onward"))
    refused = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert refused.returncode == 2
    assert "onward" in refused.stderr


LAYOUTS = load_folder(PLANTS / "ald" / "telegrams")


def _telegram(number: int) -> bytes:
    return encode_telegram(
        LAYOUTS,
        "CC1060",
        cut(number % 99 + 1, heat=f"{number:06d}"),
        sequence=number,
        claimed="20260311060000000",
        sender="CC1",
        receiver="MES",
    )


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_stream_finds_its_border_again_and_never_makes_a_telegram_up(data: st.DataObject) -> None:
    whole = b"".join(_telegram(number) for number in range(1, 13))
    at, stream, heard = 0, Stream(LAYOUTS), []
    for lost in data.draw(st.lists(st.booleans(), min_size=1, max_size=6)):
        length = data.draw(st.integers(1, len(whole) // 4))
        piece, at = whole[at : at + length], at + length
        if lost:
            stream.lose()
        else:
            heard += stream.feed(piece)
    stream.lose()
    heard += stream.feed(_telegram(99)[7:] + _telegram(100))
    sent = {_telegram(number) for number in (*range(1, 13), 100)}
    assert all(frame.raw in sent for frame in heard)
    assert heard[-1].raw == _telegram(100)


def test_fields_of_the_copy_are_those_of_the_line(shadow_site: Site, clock: FixedClock) -> None:
    """An implausible or unknown telegram is kept with its reason: a live link would have refused it to its sender."""
    old = OldMes(shadow_site.layouts)

    async def scene() -> None:
        async with collecting(shadow_site, clock), teeing(shadow_site, old) as tee:
            peer = await connect_through(tee, shadow_site)
            await peer.send("CC1060", cut(1), 1)
            await peer.raw(peer.bytes_of("CC1060", cut(2), 2).replace(b"00083772", b"0008377x"))
            await peer.until(lambda: len(peer.acks) == 2)
            await until(lambda: len(shadow_site.spooled()) == 2)
        good, bad = shadow_site.spooled()
        assert msgspec.json.decode(good.fields) == cut(1)
        assert good.problem == ""
        assert "head_mm" in bad.problem

    run(scene)
