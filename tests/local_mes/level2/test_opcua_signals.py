"""Plain data nodes, events, writes and history of an OPC UA server, against two makes of server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from level2_peers import Site, collecting, until
from opcua_peers import MAKES, AsyncuaServer, NodeServer, PeerServer

from local_mes.level2 import down
from local_mes.level2.drivers.signal_state import find_signals
from local_mes.level2.link_course import GAP
from local_mes.level2.link_state import find_history
from local_mes.level2.opcua import signals
from shared.clock import FixedClock
from shared.ports import free_port

MakeSite = Callable[..., Site]
HEAL_S = 15
LINK = """
[[link]]
code = "EAF"
kind = "opcua"
address = "opc.tcp://127.0.0.1:{port}"
  [link.settings]
  security = "None"
  publish_ms = 20
  [[link.settings.signals]]
  message = "EAF1.Speed"
  node = "nsu=urn:strandline:level2;s=Speed"
  history = true
  [[link.settings.signals]]
  message = "EAF1.Tap"
  node = "nsu=urn:strandline:level2;s=Trigger"
  when = "rise"
    [link.settings.signals.fields]
    heat = "nsu=urn:strandline:level2;s=Heat"
    speed = "nsu=urn:strandline:level2;s=Speed"
  [[link.settings.signals]]
  message = "EAF1.Fast"
  node = "nsu=urn:strandline:level2;s=Speed"
  when = "rise"
  history = true
    [link.settings.signals.fields]
    heat = "nsu=urn:strandline:level2;s=Heat"
  [[link.settings.signals]]
  message = "EAF1.Nowhere"
  node = "nsu=urn:strandline:level2;s=Nowhere"
  [[link.settings.signals]]
  message = "EAF1.Stranger"
  node = "nsu=urn:not:there;s=Speed"
  [[link.settings.events]]
  message = "EAF1.Alarm"
  type = "nsu=urn:strandline:level2;s=TapAlarm"
  history = true
  [link.settings.writes.Power]
  set_point = "nsu=urn:strandline:level2;s=SetPoint"
  nowhere = "nsu=urn:strandline:level2;s=Nowhere"
  [link.map]
  "*.Tap" = "ignore"
"""


def messages(site: Site, name: str) -> list[dict[str, Any]]:
    return [json.loads(row.fields) for row in site.spooled() if row.message == name]


def speeds(site: Site) -> list[float]:
    return [fields["value"] for fields in messages(site, "EAF1.Speed")]


def signal(site: Site, name: str) -> Any:
    return next((row for row in find_signals(site.spool, "EAF") if row.signal == name), None)


def state_of(site: Site, name: str) -> str:
    row = signal(site, name)
    return row.state if row else ""


def shown(site: Site) -> str:
    """The link's line, written once a second: right after the start it still says that nothing was heard."""
    return f"{site.state('EAF').state} {site.state('EAF').detail}"


@pytest.fixture(params=MAKES, ids=["asyncua", "node-opcua"])
def scene(request: pytest.FixtureRequest, make_site: MakeSite, tmp_path: Path) -> tuple[Site, PeerServer]:
    port = free_port()
    return make_site(more=LINK.format(port=port)), request.param(port, tmp_path)


def test_signals_events_calls_and_writes(scene: tuple[Site, PeerServer], clock: FixedClock) -> None:
    site, server = scene

    async def play() -> None:
        async with server.running(), collecting(site, clock):
            await until(lambda: state_of(site, "EAF1.Speed") == "good")
            await server.set("Speed", 1.5)
            await until(lambda: speeds(site) == [0, 1.5])
            await server.set("Heat", "161843")
            await server.set("Trigger", True)
            await until(lambda: len(messages(site, "EAF1.Tap")) == 1)
            await server.event("161843")
            await until(lambda: len(messages(site, "EAF1.Alarm")) == 1)
            await no_data(site, server)
            await orders(site, server, clock)

    asyncio.run(play())
    assert messages(site, "EAF1.Tap") == [{"value": True, "quality": "good", "heat": "161843", "speed": 1.5}]
    alarm = messages(site, "EAF1.Alarm")[0]
    assert (alarm["HeatNumber"], alarm["Message"], alarm["Severity"] > 0) == ("161843", "heat 161843", True)


async def no_data(site: Site, server: PeerServer) -> None:
    """A bad value is no value and no zero; a bad node concerns itself alone and is named."""
    await server.set("Speed", 9.9, bad="BadSensorFailure")
    await until(lambda: state_of(site, "EAF1.Speed") == "no_data")
    assert signal(site, "EAF1.Speed").reason == "BadSensorFailure"
    assert speeds(site) == [0, 1.5]
    assert (state_of(site, "EAF1.Nowhere"), state_of(site, "EAF1.Tap")) == ("refused", "good")
    assert signal(site, "EAF1.Nowhere").reason == "BadNodeIdUnknown"
    assert "urn:not:there" in signal(site, "EAF1.Stranger").reason
    await until(lambda: shown(site).startswith("connected No data from EAF1.Speed") and "EAF1.Nowhere" in shown(site))
    await server.set("Speed", 2.5)
    await until(lambda: speeds(site) == [0, 1.5, 2.5])
    assert state_of(site, "EAF1.Speed") == "good"


async def orders(site: Site, server: PeerServer, clock: FixedClock) -> None:
    def answer(key: str) -> str:
        row = down.find_by_key(site.spool, key)
        return f"{row.state} {row.answer}" if row else ""

    down.queue_call(site.spool, clock, "EAF", "PDI.Store", {"slab": "S1", "thickness_um": 230000}, key="c1")
    down.queue_call(site.spool, clock, "EAF", "PDI.Store", {"slab": "held", "thickness_um": 230000}, key="c2")
    down.queue_telegram(site.spool, clock, "EAF", "Power", {"set_point": "high"}, key="w0")
    down.queue_telegram(site.spool, clock, "EAF", "Power", {"set_point": 42}, key="w1")
    down.queue_telegram(site.spool, clock, "EAF", "Power", {"nowhere": 42}, key="w2")
    down.queue_telegram(site.spool, clock, "EAF", "Power", {"unknown": 42}, key="w3")
    await until(lambda: answer("w3").startswith("refused"))
    assert [answer(key) for key in ("c1", "c2", "w1")] == [
        "confirmed status 0",
        "refused status 7",
        "confirmed written and read back",
    ]
    assert answer("w0").startswith("refused set_point")
    assert "nowhere" in answer("w2")
    assert "no node for unknown" in answer("w3")
    assert (await server.called(), await server.get("SetPoint")) == (["S1", "held"], 42)


def test_what_happened_while_nobody_listened_is_read_from_history(
    scene: tuple[Site, PeerServer], clock: FixedClock
) -> None:
    site, server = scene

    async def play() -> None:
        async with server.running():
            async with collecting(site, clock):
                await until(lambda: state_of(site, "EAF1.Speed") == state_of(site, "EAF1.Tap") == "good")
                await server.set("Speed", 1.0)
                await until(lambda: speeds(site) == [0, 1.0] and messages(site, "EAF1.Fast"))
            assert signal(site, "EAF1.Speed").reason == "the connection is lost"
            for value in (2.0, 0.0, 4.0):
                await server.set("Speed", value)
            await asyncio.sleep(0.02)  # a later moment by every clock: the peers' times have milliseconds
            await server.set("Heat", "161844")
            for pressed in (True, False):  # a trigger without `history`
                await server.set("Trigger", pressed)
            async with collecting(site, clock):
                await until(lambda: len(speeds(site)) == 5)
                await server.set("Speed", 5.0)
                await until(lambda: len(speeds(site)) == 6)

    asyncio.run(play())
    assert speeds(site) == [0, 1.0, 2.0, 0.0, 4.0, 5.0]
    live, late = (row for row in site.spooled() if row.message == "EAF1.Fast")
    assert (json.loads(live.fields)["heat"], live.problem) == ("", "")
    assert (json.loads(late.fields)["value"], json.loads(late.fields)["heat"]) == (4.0, None)
    assert "it has changed since, what it was then is not known" in late.problem
    times = [row.claimed_ms for row in site.spooled() if row.message == "EAF1.Speed"]
    assert times == sorted(times)
    assert messages(site, "EAF1.Tap") == []
    assert sum("EAF1.Tap: nobody listened" in why for why in gaps_of(site, clock)) == 1


def gaps_of(site: Site, clock: FixedClock) -> list[str]:
    """As the link's history names them."""
    return [entry.why for entry in find_history(site.spool, "EAF", 0, clock.now_ms() + 1) if entry.kind == GAP]


def heats(site: Site) -> list[str]:
    return [fields["HeatNumber"] for fields in messages(site, "EAF1.Alarm")]


def test_events_of_a_gap_are_read_from_history_once(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> None:
    port = free_port()
    site, server = make_site(more=LINK.format(port=port)), AsyncuaServer(port, tmp_path)

    async def play() -> None:
        async with server.running():
            async with collecting(site, clock):
                await until(lambda: state_of(site, "EAF1.Alarm") == "good" and signal(site, "EAF1.Alarm").claimed)
            for heat in ("2", "3", "4"):
                await server.event(heat)
            async with collecting(site, clock):
                await until(lambda: len(heats(site)) == 3)
                await server.event("5")
                await until(lambda: len(heats(site)) == 4)
            async with collecting(site, clock):
                await until(lambda: site.state("EAF").repeated > 0 or state_of(site, "EAF1.Alarm") == "good")

    asyncio.run(play())
    assert heats(site) == ["2", "3", "4", "5"]
    assert site.state("EAF").gaps == 0


def test_a_server_that_stores_no_events_is_said_to_have_left_a_gap(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    port = free_port()
    site, server = make_site(more=LINK.format(port=port)), NodeServer(port, tmp_path)

    async def play() -> None:
        async with server.running():
            async with collecting(site, clock):
                await until(lambda: state_of(site, "EAF1.Alarm") == "good")
                await server.event("1")
                await until(lambda: heats(site) == ["1"])
            async with collecting(site, clock):
                await until(lambda: site.state("EAF").gaps == 1)
                await server.event("2")
                await until(lambda: heats(site) == ["1", "2"])

    asyncio.run(play())
    (told,) = gaps_of(site, clock)
    assert "EAF1.Alarm: its history since" in told


def test_a_node_that_comes_back_has_a_gap_with_a_name_also_where_the_server_shows_no_clock(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    site, server = make_site(more=LINK.format(port=port)), AsyncuaServer(port, tmp_path)
    read_history = signals.find_history
    monkeypatch.setattr(signals, "ASK_AGAIN_S", 1)

    async def tapped_meanwhile(*asked: Any) -> Any:
        found = await read_history(*asked)
        await server.set("Trigger", True, ago_s=10)
        await server.set("Heat", "161846")
        return found

    async def play() -> None:
        async with server.running():
            with monkeypatch.context() as slow:
                slow.setattr(signals, "find_history", tapped_meanwhile)
                async with collecting(site, clock):
                    await until(lambda: messages(site, "EAF1.Tap") and state_of(site, "EAF1.Speed") == "good")
            await server.lose("Trigger")
            await server.lose_clock()
            async with collecting(site, clock):
                await until(lambda: state_of(site, "EAF1.Tap") == "refused" and state_of(site, "EAF1.Speed") == "good")
                assert gaps_of(site, clock) == []
                await server.bring_back("Trigger")
                for pressed in (True, False):  # nobody was told of it
                    await server.set("Trigger", pressed)
                await until(lambda: state_of(site, "EAF1.Tap") == "good")
                await until(lambda: len(gaps_of(site, clock)) == 1)

    asyncio.run(play())
    assert "EAF1.Tap: nobody listened" in gaps_of(site, clock)[0]
    (tap,) = (row for row in site.spooled() if row.message == "EAF1.Tap")
    assert json.loads(tap.fields)["heat"] is None, "the heat of now is not that of then"
    assert "it has changed since" in tap.problem


def test_a_server_restart_heals_in_time(scene: tuple[Site, PeerServer], clock: FixedClock) -> None:
    site, server = scene

    async def play() -> None:
        async with collecting(site, clock):
            async with server.running():
                await until(lambda: state_of(site, "EAF1.Speed") == "good")
            await until(lambda: site.state_name("EAF") == "away" and state_of(site, "EAF1.Speed") == "no_data")
            async with server.running():
                back = monotonic()
                await server.set("Speed", 7.0)
                await until(lambda: speeds(site)[-1:] == [7.0])
                assert monotonic() - back < HEAL_S

    asyncio.run(play())
