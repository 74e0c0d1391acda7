"""Modbus TCP against pymodbus's server, S7 against python-snap7's: changes once, acknowledged when on disk, orders read back."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from level2_peers import Site, collecting, until
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from snap7.server import Server
from snap7.type import SrvArea

from local_mes.level2 import down
from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.polled import PolledDriver, PolledSignal, decode, encode
from local_mes.level2.drivers.serve import serve
from local_mes.level2.drivers.signal_state import find_signals
from local_mes.level2.link_state import load_state
from local_mes.level2.links import load_links
from local_mes.level2.spool import SpoolWriter
from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
LINK = """
[[link]]
code = "PLC"
kind = "{kind}"
address = "127.0.0.1:{port}"
  [link.settings]
  poll_ms = 30
  [[link.settings.signals]]
  name = "count"
  source = "{count}"
  type = "uint16"
  [[link.settings.signals]]
  name = "ack"
  source = "{ack}"
  type = "uint16"
  [[link.settings.signals]]
  name = "mass_kg"
  source = "{mass}"
  type = "float32"
  scale = 0.5
  [[link.settings.signals]]
  name = "coil"
  source = "{coil}"
  type = "text"
  length = 8
  [[link.settings.signals]]
  name = "down"
  source = "{down}"
  type = "bool"
  [[link.settings.signals]]
  name = "nowhere"
  source = "{nowhere}"
  type = "uint16"
  [[link.settings.messages]]
  message = "CW1.Weight"
  trigger = "count"
  fields = ["mass_kg", "coil"]
  ack = "ack"
  [[link.settings.messages]]
  message = "LINE.Down"
  trigger = "down"
  when = "rise"
  [[link.settings.messages]]
  message = "LINE.Nowhere"
  trigger = "nowhere"
  [link.settings.orders.Target]
  mass_kg = "mass_kg"
  nowhere = "nowhere"
"""
PLACES = {
    "modbus": {
        "count": "holding:0",
        "ack": "holding:1",
        "mass": "holding:2",
        "coil": "holding:4",
        "down": "coil:0",
        "nowhere": "holding:900",
    },
    "s7": {
        "count": "DB10.DBW0",
        "ack": "DB10.DBW2",
        "mass": "DB10.DBD4",
        "coil": "DB10.DBB8",
        "down": "DB10.DBX16.3",
        "nowhere": "DB99.DBW0",
    },
}


class ModbusDevice:
    """pymodbus's server; the test writes its registers as a second master does."""

    kind = "modbus"

    def __init__(self, port: int) -> None:
        self.port = port

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        bits = [SimData(0, count=8, values=False, datatype=DataType.BITS)]
        registers = [SimData(0, count=20, values=0, datatype=DataType.REGISTERS)]
        server = ModbusTcpServer(SimDevice(1, (bits, bits, registers, registers)), address=("127.0.0.1", self.port))
        await server.serve_forever(background=True)
        # an answer that this second master misses is asked for again; what it writes may be written twice
        self._master = AsyncModbusTcpClient("127.0.0.1", port=self.port, timeout=3, retries=8)
        await self._master.connect()
        try:
            yield
        finally:
            self._master.close()
            await server.shutdown()

    async def write(self, at: int, raw: bytes) -> None:
        await self._master.write_registers(at // 2, list(struct.unpack(f">{len(raw) // 2}H", raw)))

    async def is_down(self, yes: bool) -> None:
        await self._master.write_coil(0, yes)

    async def read(self, at: int, size: int) -> bytes:
        words = (await self._master.read_holding_registers(at // 2, count=size // 2)).registers
        return struct.pack(f">{len(words)}H", *words)


class S7Control:
    """python-snap7's server; the test writes its memory as the control's program does."""

    kind = "s7"

    def __init__(self, port: int) -> None:
        self.port = port
        self.memory = bytearray(20)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = Server(log=False)
        server.register_area(SrvArea.DB, 10, self.memory)
        server.start_to("127.0.0.1", self.port)
        try:
            yield
        finally:
            await asyncio.to_thread(server.stop)
            server.destroy()

    async def write(self, at: int, raw: bytes) -> None:
        self.memory[at : at + len(raw)] = raw

    async def is_down(self, yes: bool) -> None:
        self.memory[16] = 8 if yes else 0

    async def read(self, at: int, size: int) -> bytes:
        return bytes(self.memory[at : at + size])


@pytest.fixture(params=[ModbusDevice, S7Control], ids=["modbus", "s7"])
def scene(request: pytest.FixtureRequest, make_site: MakeSite) -> tuple[Site, Any]:
    port = free_port()
    kind = request.param.kind
    return make_site(more=LINK.format(kind=kind, port=port, **PLACES[kind])), request.param(port)


def contents(site: Site, name: str) -> list[dict[str, Any]]:
    return [json.loads(row.fields) for row in site.spooled() if row.message == name]


async def weighs(device: Any, count: int, raw_mass: float, coil: str) -> None:
    await device.write(4, struct.pack(">f", raw_mass) + coil.encode().ljust(8))
    await device.write(0, struct.pack(">H", count))


async def acknowledged(device: Any, count: int) -> None:
    async with asyncio.timeout(20):
        while await device.read(2, 2) != struct.pack(">H", count):
            await asyncio.sleep(0.02)


def state(site: Site, name: str) -> Any:
    return next((row for row in find_signals(site.spool, "PLC") if row.signal == name), None)


def test_changes_are_told_once_and_orders_are_read_back(scene: tuple[Site, Any], clock: FixedClock) -> None:
    site, device = scene

    async def play() -> None:
        async with device.running():
            await weighs(device, 41, 42900, "C6-001")
            async with collecting(site, clock):
                await acknowledged(device, 41)
                assert contents(site, "CW1.Weight")[-1] == {"count": 41, "mass_kg": 21450, "coil": "C6-001"}
                await device.is_down(True)
                await until(lambda: len(contents(site, "LINE.Down")) == 1)
                await device.is_down(False)
                await until(lambda: state(site, "LINE.Down").value == "false")
                assert state(site, "LINE.Nowhere").state == "refused"
                await until(lambda: "LINE.Nowhere" in site.state("PLC").detail)
                await orders(site, device, clock)
            await weighs(device, 42, 1000, "C6-002")  # while nobody listens
            async with collecting(site, clock):
                await acknowledged(device, 42)
                await device.is_down(True)
                await until(lambda: len(contents(site, "LINE.Down")) == 2)

    asyncio.run(play())
    assert [one["count"] for one in contents(site, "CW1.Weight")] == [41, 42]
    assert contents(site, "LINE.Nowhere") == []


async def orders(site: Site, device: Any, clock: FixedClock) -> None:
    def answer(key: str) -> str:
        row = down.find_by_key(site.spool, key)
        return f"{row.state} {row.answer}" if row else ""

    down.queue_telegram(site.spool, clock, "PLC", "Target", {"mass_kg": 12.5}, key="o1")
    down.queue_telegram(site.spool, clock, "PLC", "Target", {"nowhere": 1}, key="o2")
    down.queue_telegram(site.spool, clock, "PLC", "Other", {}, key="o3")
    await until(lambda: answer("o3") != "" and not answer("o3").startswith(("queued", "sent")))
    assert answer("o1") == "confirmed written and read back"
    assert struct.unpack(">f", await device.read(4, 4)) == (25,)
    assert answer("o2").startswith("refused nowhere (")
    assert answer("o3").startswith("refused cannot be sent")


def test_a_restart_of_the_device_heals(scene: tuple[Site, Any], clock: FixedClock) -> None:
    site, device = scene

    async def play() -> None:
        async with collecting(site, clock):
            async with device.running():
                await weighs(device, 1, 2, "A")
                await acknowledged(device, 1)
            await until(lambda: site.state_name("PLC") == "away" and state(site, "CW1.Weight").state == "no_data")
            async with device.running():
                await weighs(device, 2, 4, "B")
                await acknowledged(device, 2)

    asyncio.run(play())
    # the simulated device begins at zero again, a control keeps its count: a count of 0 between is no loss
    assert [one["coil"] for one in contents(site, "CW1.Weight") if one["count"]] == ["A", "B"]


def test_a_change_is_acknowledged_only_when_it_is_on_disk(scene: tuple[Site, Any], clock: FixedClock) -> None:
    site, device = scene

    async def play() -> None:
        async with device.running():
            async with collecting(site, clock) as collector:
                await weighs(device, 1, 2, "A")
                await acknowledged(device, 1)
                with write(site.spool):  # no commit gets through meanwhile
                    await weighs(device, 2, 4, "B")
                    for _ in range(10):  # ten rounds
                        assert await device.read(2, 2) == struct.pack(">H", 1)
                        await asyncio.sleep(0.03)
                    collector.cancel()
            async with collecting(site, clock):
                await acknowledged(device, 2)

    asyncio.run(play())
    assert [one["coil"] for one in contents(site, "CW1.Weight")] == ["A", "B"]


class Deaf(PolledDriver):
    """A control whose values are read and that hangs up when it is told something, the first time."""

    told = 0
    values = {"count": b"\0\1", "ack": b"\0\0", "mass_kg": b"\0\5", "down": b"\1"}

    @classmethod
    def parse(cls, signal: PolledSignal) -> object:
        return signal.name

    async def connect(self) -> None:
        return None

    async def fetch(self, signal: PolledSignal) -> bytes:
        return b"\0" if signal.name == "down" and not self.told else self.values[signal.name]

    async def store(self, signal: PolledSignal, raw: bytes) -> None:
        self.told += 1
        if self.told == 1:
            raise ConnectionError("It hangs up.")
        self.values = self.values | {signal.name: raw}


DEAF = """
[[link]]
code = "DEAF"
kind = "modbus"
address = "127.0.0.1:1"
  [link.settings]
  poll_ms = 20
  signals = [
    { name = "count", source = "holding:0", type = "uint16" }, { name = "ack", source = "holding:1", type = "uint16" },
    { name = "mass_kg", source = "holding:2", type = "uint16" }, { name = "down", source = "coil:0", type = "bool" },
  ]
  messages = [
    { message = "CW1.Weight", trigger = "count", fields = ["mass_kg"], ack = "ack" },
    { message = "LINE.Down", trigger = "down", when = "rise" },
  ]
"""


def test_what_a_round_has_heard_is_on_disk_before_a_control_is_told_that_may_hang_up(
    make_site: MakeSite, clock: FixedClock
) -> None:
    """The line was seen up in the round whose acknowledgement failed; that it went down meanwhile is a rise."""
    site = make_site(more=DEAF)

    async def play() -> None:
        plan, writer = load_links(site.settings), SpoolWriter(site.spool)
        link = plan.links["DEAF"]
        status = load_state(site.spool, "DEAF", link.kind, link.address, clock)
        serving = asyncio.create_task(serve(Deaf(Desk(link, plan, clock, writer, site.spool, status))))
        try:
            await until(lambda: len(contents(site, "LINE.Down")) == 1)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await asyncio.to_thread(writer.close)

    asyncio.run(play())
    assert [one["mass_kg"] for one in contents(site, "CW1.Weight")] == [5]


NUMBERS = {"int16": 15, "uint16": 16, "int32": 31, "uint32": 32, "int64": 63, "uint64": 64}


@given(st.sampled_from(sorted(NUMBERS)), st.data())
def test_every_number_comes_back_as_it_went(kind: str, data: st.DataObject) -> None:
    low = 0 if kind.startswith("u") else -(2 ** NUMBERS[kind])
    value = data.draw(st.integers(low, 2 ** NUMBERS[kind] - 1))
    signal = PolledSignal(name="a", source="x", type=kind)  # type: ignore[arg-type]
    assert decode(signal, encode(signal, value)) == value


@given(st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=8), st.sampled_from(["text", "string"]))
def test_every_text_comes_back_as_it_went(value: str, kind: str) -> None:
    signal = PolledSignal(name="a", source="x", type=kind, length=8)  # type: ignore[arg-type]
    raw = encode(signal, value)
    assert len(raw) == signal.size
    assert decode(signal, raw) == value


@pytest.mark.parametrize(
    ("kind", "replaced", "by", "why"),
    [
        ("modbus", "holding:2", "register:2", "register:2"),
        ("modbus", "coil:0", "holding:0", "cannot be of type bool"),
        ("modbus", 'trigger = "down"', 'trigger = "up"', "signal up"),
        ("s7", "DB10.DBX16.3", "DB10.DBW16", "cannot be of type bool"),
        ("s7", "length = 8", "length = 0", "needs a length"),
        ("s7", "DB10.DBD4", "MD4", "MD4"),
        ("s7", "poll_ms = 30", "poll_ms = 1", "poll_ms"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    kind: str, replaced: str, by: str, why: str, make_site: MakeSite
) -> None:
    more = LINK.format(kind=kind, port=1, **PLACES[kind]).replace(replaced, by)
    with pytest.raises(BadSetup, match=why):
        load_links(make_site(more=more).settings)
