"""The simulator's wires by themselves: encoders against the plant's own codec, the ring, a line that can be cut."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asyncua import ua
from asyncua.client.client import Client

from demo.scenario.day import build
from demo.simulator.layouts import decode, encode, length_of, load
from demo.simulator.opcua_server import NAMESPACE, SLOTS, STOP_S, RingServer
from demo.simulator.telegram_peer import Peer
from demo.simulator.wires import PEERS
from demo.wan import Line, follow
from local_mes.level2.telegrams.codec import decode_body
from local_mes.level2.telegrams.layout_files import load_folder
from shared.ports import free_port

PLANTS = Path(__file__).parents[3] / "demo" / "plants"
ZONE = ZoneInfo("Europe/Warsaw")
AT_MS = 1_773_205_230_120


@pytest.mark.parametrize("plant", ["ald", "cld"])
@pytest.mark.parametrize("caster", ["strand", "summary"])
def test_every_telegram_of_the_day_is_what_the_plant_reads(plant: str, caster: str) -> None:
    layouts, theirs = load(PLANTS / plant / "telegrams"), load_folder(PLANTS / plant / "telegrams")
    seen = set()
    for event in build(3, "full", caster).events:
        if event.via != "telegram" or event.plant != plant.upper():
            continue
        raw = encode(layouts, event.name, event.fields, event.at_ms, ZONE, 417, PEERS[event.link])
        assert length_of(layouts, raw[: layouts.header_size]) == len(raw)
        assert decode(layouts, raw).message == event.name
        assert decode_body(theirs.messages[event.name], raw[layouts.header_size :]) == dict(event.fields)
        seen.add(event.name)
    assert len(seen) >= (8 if plant == "ald" else 20)


def test_header_carries_local_time_without_zone() -> None:
    layouts = load(PLANTS / "ald" / "telegrams")
    raw = encode(layouts, "HB0001", {}, AT_MS, ZONE, 9, "CC1", again=True)
    assert raw == b"00044HB000120260311060030120CC1 MES 0009R   "
    binary = load(PLANTS / "cld" / "telegrams")
    head = encode(binary, "HB0001", {}, AT_MS, ZoneInfo("Europe/London"), 9, "CG1")
    assert head[:6] == bytes([0, binary.header_size, 8, 1, 0, 1])


def test_the_ring_keeps_what_is_not_acknowledged_and_stalls_when_full() -> None:
    async def play() -> None:
        endpoint = f"opc.tcp://127.0.0.1:{free_port()}"
        server = RingServer("ALD-MELT", endpoint, ZONE)
        await server.start()
        try:
            for n in range(SLOTS - 1):
                await server.event("EAF1.Tap", {"heat": str(n)}, AT_MS)
            stalled = asyncio.create_task(server.event("EAF1.Tap", {"heat": "one more"}, AT_MS))
            done, _ = await asyncio.wait([stalled], timeout=0.2)
            assert not done
            async with Client(endpoint) as client:
                index = await client.get_namespace_index(NAMESPACE)
                line = await client.nodes.objects.get_child([f"{index}:Line"])
                slot = await line.get_child([f"{index}:Ring", f"{index}:Slot001"])
                first = json.loads(await slot.read_value())
                assert (first["seq"], first["unit"], first["event"]) == (1, "EAF1", "Tap")
                assert first["time"] == "2026-03-11T06:00:30.120"
                ack = await line.get_child([f"{index}:AckSeq"])
                await ack.write_value(ua.DataValue(ua.Variant(1, ua.VariantType.UInt32)))
                await asyncio.wait_for(stalled, 5)
                counter = await line.get_child([f"{index}:EventCounter"])
                assert await counter.read_value() == SLOTS
                assert next(iter(server.open)) == 2
        finally:
            await server.stop()

    asyncio.run(play())


def test_a_restarted_ring_goes_on_where_it_was() -> None:
    async def play() -> None:
        endpoint = f"opc.tcp://127.0.0.1:{free_port()}"
        server = RingServer("ALD-MELT", endpoint, ZONE, sequence=7, acknowledged=5)
        server.open.update({6: '{"seq": 6}', 7: '{"seq": 7}'})
        await server.start()
        try:
            async with Client(endpoint) as client:
                index = await client.get_namespace_index(NAMESPACE)
                line = await client.nodes.objects.get_child([f"{index}:Line"])
                slot = await line.get_child([f"{index}:Ring", f"{index}:Slot006"])
                assert json.loads(await slot.read_value())["seq"] == 6
        finally:
            await server.stop()

    asyncio.run(play())


def test_a_peer_sends_again_what_was_not_acknowledged() -> None:
    layouts = load(PLANTS / "ald" / "telegrams")
    fields = {"slab": "161843-2-3", "ok": "Y"}

    async def play() -> list[bytes]:
        got: list[bytes] = []

        async def plant(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                try:
                    head = await reader.readexactly(layouts.header_size)
                except asyncio.IncompleteReadError:
                    return
                raw = head + await reader.readexactly(length_of(layouts, head) - len(head))
                if decode(layouts, raw).message == "HB0001":
                    continue
                got.append(raw)
                if len(got) == 1:
                    writer.close()  # the plant dies before it answers
                    return
                sequence = decode(layouts, raw).sequence
                writer.write(encode(layouts, "AK9000", {"ack_sequence": sequence, "code": 0}, 0, ZONE, 0, "MES"))

        server = await asyncio.start_server(plant, "127.0.0.1", 0)
        peer = Peer("ALD-CC1", "127.0.0.1", server.sockets[0].getsockname()[1], layouts, ZONE, "CC1")
        running = asyncio.create_task(peer.run())
        await peer.send("CC1070", fields, AT_MS)
        await asyncio.wait_for(peer.drained(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()
        return got

    first, again = asyncio.run(play())
    size = layouts.header_size
    assert first[size:] == again[size:]
    assert (first[40:44], again[40:44]) == (b"    ", b"R   ")
    assert first[:40] == again[:40]


async def _hub(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line.upper())


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def _asked(port: int) -> tuple[asyncio.StreamReader, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"steel\n")
    return reader, await asyncio.wait_for(reader.readline(), 5)


def test_a_cut_line_closes_and_refuses_and_comes_back(tmp_path: Path) -> None:
    state, done = tmp_path / "wan.json", tmp_path / "wan.json.done"

    async def switch(cut: list[str]) -> None:
        state.write_text(json.dumps({"cut": cut}))
        for _ in range(500):
            if done.exists() and json.loads(done.read_text())["cut"] == cut:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"the line did not become {cut}")

    async def play() -> None:
        far = await asyncio.start_server(_hub, "127.0.0.1", 0)
        port = free_port()
        state.write_text('{"cut": []}')
        lines = asyncio.create_task(follow([Line("ALD", port, "127.0.0.1", far.sockets[0].getsockname()[1])], state))
        await switch([])
        reader, answer = await _asked(port)
        assert answer == b"STEEL\n"
        await switch(["ALD"])
        assert await asyncio.wait_for(_rest(reader), 5) == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await switch([])
        assert (await _asked(port))[1] == b"STEEL\n"
        lines.cancel()
        await asyncio.gather(lines, return_exceptions=True)
        far.close()

    asyncio.run(play())


def test_a_ring_closes_though_somebody_connects_meanwhile() -> None:
    async def play() -> None:
        port = free_port()
        server = RingServer("ALD-MELT", f"opc.tcp://127.0.0.1:{port}", ZONE)
        await server.start()
        # in the backlog now, taken in when the server is closing already
        with socket.create_connection(("127.0.0.1", port)):
            await asyncio.wait_for(server.stop(), STOP_S + 10)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(play())
