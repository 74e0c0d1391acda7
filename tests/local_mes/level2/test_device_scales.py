"""Scales and weighbridge against terminals on real sockets: weights that count, and those that do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from device_site import answered, ask, detail, fields, order, scale, talking
from hypothesis import given
from hypothesis import strategies as st
from level2_peers import Site, collecting, until

from demo.simulator.devices.scale import Load, SicsScale, ToledoScale
from demo.simulator.devices.weighbridge import WeighbridgeTerminal
from local_mes.level2.devices.weighing import MOVING, NOT_READY, OVERLOAD, grams, read_sics, read_toledo, validity
from local_mes.level2.drivers.signal_state import find_signals
from local_mes.level2.links import load_links
from local_mes.level2.shadow.seat import check_shadow
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
BRIDGE = """
[[link]]
code = "WB1"
kind = "weighbridge"
address = "127.0.0.1:{port}"
  [link.settings]
  side = "server"
  scale = "WB-17"
  calibrated_until = 2027-01-31
  capacity_kg = 60000
  starts = "W;"
  answer = "A;{{ticket}}"
  [link.map]
  "*.VehicleWeighed" = "vehicle_weighed"
"""


def weight(site: Site) -> Any:
    return next((one for one in find_signals(site.spool, "WS1") if one.signal == "weight"), None)


def shown(site: Site) -> tuple[str, Any]:
    row = weight(site)
    return (row.state, json.loads(row.value)["mass_g"] if row.value else None) if row else ("", None)


def test_an_asked_weighing_waits_for_the_load_to_come_to_rest(make_site: MakeSite, clock: FixedClock) -> None:
    terminal = SicsScale(free_port())
    site = make_site(more=scale(terminal.port, more='serial = "0815"'))

    async def scene() -> None:
        async with talking(site, clock, terminal, link="WS1"):
            terminal.load = Load(kg=21_950, moving=True)
            await until(lambda: shown(site) == ("uncertain", 21_950_000))
            ask(site, clock, "WS1", "Weigh", "w1", piece="C-1")
            await until(lambda: order(site, "w1").state == "sent")
            terminal.load = Load(kg=21_950)
            assert (await answered(site, "w1")).answer == "21,950.0 kg gross"
            terminal.load = Load(kg=500)
            ask(site, clock, "WS1", "Tare", "t1")
            assert (await answered(site, "t1")).state == "confirmed"
            terminal.load.kg = 21_950
            await until(lambda: shown(site) == ("good", 21_450_000))
            ask(site, clock, "WS1", "Weigh", "w2", piece="C-2")
            assert (await answered(site, "w2")).answer == "21,450.0 kg net"

    asyncio.run(scene())
    first, second = fields(site)
    assert site.spooled()[0].raw == b"S S      21950 kg\nTA A          0 kg"  # as it came
    assert first == {
        "piece": "C-1",
        "mass_g": 21_950_000,
        "gross_g": 21_950_000,
        "tare_g": 0,
        "basis": "gross",
        "scale": "WS-0815",
        "calibrated_until": "2027-01-31",
        "line": "",
        "how": "asked",
        "test": False,
    }
    assert (second["mass_g"], second["gross_g"], second["tare_g"]) == (21_450_000, 21_950_000, 500_000)


def test_what_is_no_weight_is_never_one(make_site: MakeSite, clock: FixedClock) -> None:
    terminal = SicsScale(free_port())
    site = make_site(more=scale(terminal.port, more="least_kg = 100"))

    async def refused(load: Load, key: str) -> str:
        terminal.load = load
        ask(site, clock, "WS1", "Weigh", key, piece="C-1")
        done = await answered(site, key)
        assert done.state == "refused"
        return done.answer

    async def scene() -> None:
        async with talking(site, clock, terminal, link="WS1"):
            assert "overloaded" in await refused(Load(over=True), "over")
            await until(lambda: weight(site).state == "no_data")
            assert "overloaded" in weight(site).reason
            assert "overloaded" in await refused(Load(kg=40_001), "above its certificate")
            assert "nothing is on the scale" in await refused(Load(kg=20), "empty")
            assert "rest" in await refused(Load(kg=20_000, moving=True), "moves")
            ask(site, clock, "WS1", "Print", "p")
            assert "knows no Print" in (await answered(site, "p")).answer

    asyncio.run(scene())
    assert fields(site) == []


def test_a_load_is_weighed_once_also_over_a_restart(make_site: MakeSite, clock: FixedClock) -> None:
    terminal = ToledoScale(free_port())
    site = make_site(more=scale(terminal.port, "toledo", more='when = "settles"'))

    async def scene() -> None:
        async with talking(site, clock, terminal, link="WS1"):
            terminal.load = Load(kg=20_000, moving=True)
            await until(lambda: shown(site)[0] == "uncertain")
            terminal.load = Load(kg=20_100)
            await until(lambda: len(fields(site)) == 1)
            terminal.hang_up()  # the cable, with the coil on the scale
            await until(lambda: terminal.connections == 2)
            await until(lambda: shown(site)[0] == "good")
        again = ToledoScale(terminal.port)  # so is the collector
        again.load = Load(kg=20_100)
        async with talking(site, clock, again, link="WS1"):
            await until(lambda: shown(site) == ("good", 20_100_000))
            again.load = Load(kg=30)
            await until(lambda: shown(site)[1] == 30_000)
            again.load = Load(kg=19_000)
            await until(lambda: len(fields(site)) == 2)
            again.load = Load(kg=0)
            await until(lambda: shown(site)[1] == 0)
            again.load = Load(kg=60_000)  # never weighed: beyond its capacity
            await until(lambda: shown(site)[0] == "no_data")

    asyncio.run(scene())
    assert [one["mass_g"] for one in fields(site)] == [20_100_000, 19_000_000]


def test_half_frames_and_garbage_do_not_become_a_weight(make_site: MakeSite, clock: FixedClock) -> None:
    terminal = ToledoScale(free_port())
    site = make_site(more=scale(terminal.port, "toledo", more='when = "printed"'))

    async def scene() -> None:
        async with talking(site, clock, terminal, link="WS1"):
            terminal.load = Load(kg=12_345)
            await until(lambda: shown(site) == ("good", 12_345_000))
            good = terminal.frame()
            terminal.put(good[:9])  # half of one, then the next
            terminal.put(b"\x00\xffgarbage\r\n")
            terminal.put(good[:-1] + bytes([good[-1] ^ 1]))
            await until(lambda: site.state("WS1").refused >= 1)
            terminal.load = Load(kg=12_345, printing=True)
            await until(lambda: len(fields(site)) == 1)
            terminal.load = Load(kg=12_345)
            await until(lambda: shown(site) == ("good", 12_345_000))

    asyncio.run(scene())
    assert [(one["mass_g"], one["how"]) for one in fields(site)] == [(12_345_000, "printed")]


def test_a_terminal_that_is_another_or_falls_silent_gives_no_data(make_site: MakeSite, clock: FixedClock) -> None:
    terminal = SicsScale(free_port(), serial="9999")
    site = make_site(more=scale(terminal.port, more='serial = "0815"\nsilent_s = 0.3'))

    async def scene() -> None:
        async with talking(site, clock, terminal):
            await until(lambda: "the certificate is of 0815" in detail(site, "WS1"))
            terminal.serial = "0815"
            terminal.load = Load(kg=7_000)
            await until(lambda: shown(site) == ("good", 7_000_000))
            terminal.answer = lambda _command: ""  # type: ignore[method-assign]  # it hangs
            await until(lambda: weight(site).state == "no_data")
            await until(lambda: "said nothing for 0.3 s" in detail(site, "WS1"))

    asyncio.run(scene())


def test_a_weighbridge_hears_its_answer_when_the_weighing_is_on_disk(make_site: MakeSite, clock: FixedClock) -> None:
    terminal = WeighbridgeTerminal(free_port())
    site = make_site(more=BRIDGE.format(port=terminal.port))

    async def scene() -> None:
        terminal.weigh("4711", "WPR 1234", 39_480, "2026-03-11T06:01:00")
        async with collecting(site, clock):
            terminal.call()
            await until(lambda: terminal.open == [])
            terminal.weigh("4711", "WPR 1234", 39_480, "2026-03-11T06:01:00")  # it lost our answer
            terminal.weigh("4712", "", 14_220, "2026-03-11T06:40:00")
            terminal.weigh("4713", "X 1", 70_000, "2026-03-11T06:41:00")
            terminal.weigh("4714", "X 1", 0, "")
            terminal.put(b"half a li")
            terminal.hang_up()
            await until(lambda: terminal.open == [])
        await terminal.stop()

    asyncio.run(scene())
    rows = site.spooled()
    assert [json.loads(row.fields)["ticket"] for row in rows] == ["4711", "4712", "4713", "4714"]
    assert site.state("WB1").repeated >= 1
    assert rows[0].claimed == "2026-03-11T06:01:00"
    assert [bool(row.problem) for row in rows] == [False, True, True, True]
    assert "no vehicle" in rows[1].problem
    assert "60,000 kg it can weigh" in rows[2].problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (scale(1, more='when = "printed"'), "only `toledo`"),
        (scale(1, "toledo", more='serial = "1"'), "only `sics`"),
        (scale(1, more="least_kg = 50000"), "`least_kg`"),
        (scale(1, until='"soon"'), "calibrated_until"),
        (scale(1, more='colour = "blue"'), "colour"),
        (scale(99_999), "host:port"),
        (BRIDGE.format(port=1).replace('starts = "W;"', 'columns = ["ticket", "mass"]'), "'vehicle'"),
        (BRIDGE.format(port=1).replace('starts = "W;"', 'unit = "stone"'), "'stone'"),
        (BRIDGE.format(port=1).replace("{ticket}", "{who}"), "`answer`"),
        (BRIDGE.format(port=1).replace('starts = "W;"', 'hosts = ["nowhere"]'), "nowhere"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_by_name(make_site: MakeSite, text: str, said: str) -> None:
    with pytest.raises(BadSetup, match=said) as refused:
        load_links(make_site(more=text).settings)
    assert "W" in refused.value.what


def test_in_shadow_mode_only_what_is_never_asked_is_heard(make_site: MakeSite) -> None:
    listens = scale(1, "toledo").replace('kind = "scale"', 'kind = "scale"\nshadow = true')
    check_shadow(load_links(make_site(more=listens).settings))
    for text in (
        listens.replace("toledo", "sics"),
        BRIDGE.format(port=1).replace('code = "WB1"', 'code = "WB1"\nshadow = true'),
    ):
        with pytest.raises(BadSetup, match="in shadow mode"):
            check_shadow(load_links(make_site(more=text).settings))


def test_readings_in_the_units_of_the_world() -> None:
    assert [grams("1", unit) for unit in ("g", "kg", "t", "lb", "ton")] == [1, 1_000, 1_000_000, 454, 907_185]
    assert read_sics("S S      21.45 t").mass_g == 21_450_000
    assert read_sics("S D  -3.5 kg", tare_g=500).gross_g == -3_000
    assert [read_sics(f"S {sign}").state for sign in "+I"] == [OVERLOAD, NOT_READY]
    for bad in ("", "S", "S S", "S S nan kg", "S S 1 stone", "T S 1 kg", "ES"):
        with pytest.raises(ValueError, match=r"no reading|no mass|none of"):
            read_sics(bad)
    day = date(2026, 3, 11)
    assert [validity(date(2026, 3, d), day, 5) for d in (10, 11, 16, 17)] == ["expired", "soon", "soon", "good"]


@given(
    kg=st.integers(0, 999_999),
    tare=st.integers(0, 999_999),
    moving=st.booleans(),
    over=st.booleans(),
    bad=st.integers(0),
)
def test_every_toledo_frame_reads_as_what_lies_on_the_scale(
    kg: int, tare: int, moving: bool, over: bool, bad: int
) -> None:
    terminal = ToledoScale()
    terminal.load = Load(kg=kg + tare if kg + tare < 1_000_000 else tare, tare_kg=tare, moving=moving, over=over)
    frame = terminal.frame()
    reading = read_toledo(frame[:-1], frame[-1])
    assert reading.state == (OVERLOAD if over else MOVING if moving else "stable")
    if not over:
        assert (reading.mass_g, reading.tare_g) == ((terminal.load.kg - tare) * 1000, tare * 1000)
        assert reading.net == bool(tare)
    spoilt = bytearray(frame)
    spoilt[bad % 17] ^= 1 << bad % 7
    with pytest.raises(ValueError, match=r"checksum|a reading"):
        read_toledo(bytes(spoilt[:-1]), spoilt[-1])
