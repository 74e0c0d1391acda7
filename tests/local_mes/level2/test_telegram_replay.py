"""A captured day played again, ten times as quick: the journal is the same but for ids and times."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner
from level2_peers import PLANTS
from sqlalchemy import select

import local_mes.production.operations  # noqa: F401  registers the operations
from demo.scenario import day
from local_mes.cli import plant as plant_command
from local_mes.level2.capture import Captured, capture, read_capture
from local_mes.level2.collector import Collector
from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.level2.replay import Target, replay
from local_mes.level2.spool import SpoolWriter
from local_mes.level2.telegrams.frame import encode_telegram
from local_mes.level2.telegrams.times import claimed_ms, local_text
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import FixedClock, to_datetime
from shared.db.engine import read
from shared.errors import BadInput, Unavailable
from shared.journal.fact import decode
from shared.journal.tables import entry, fact
from shared.ports import free_port
from shared.settings import PlantSettings, check

WARSAW = ZoneInfo("Europe/Warsaw")
FAST = 1e6
ID = re.compile(r"[0-9a-f]{32}")


class Hands:
    """Moves a clock of this process."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock

    def show(self, at_ms: int, speed: float, limit_ms: int) -> None:
        self._clock.set(max(at_ms, self._clock.now_ms()))


def told_by_level2() -> list[Captured]:
    """The demo's melt shop and caster, as a capture of it would be."""
    plan = load_links(settings_of(Path("/nowhere")))
    sequences: dict[str, int] = {}
    return [
        message(plan.layouts, event, sequences)
        for event in sorted(day.build(1, "small").events, key=lambda e: (e.at_ms, e.rank))
        if event.plant == "ALD" and event.via in ("telegram", "opcua")
    ]


def message(layouts: Any, event: Any, sequences: dict[str, int]) -> Captured:
    link = event.link or "ALD-MELT"
    sequences[link] = sequence = sequences.get(link, 0) + 1
    at = event.claimed_ms or event.at_ms
    claimed, fields = local_text(at, WARSAW), dict(event.fields)
    if event.via == "opcua":
        claimed, (unit, name) = f"{to_datetime(at).astimezone(WARSAW):%Y-%m-%dT%H:%M:%S.%f}"[:-3], event.name.split(".")
        raw = msgspec.json.encode({"seq": sequence, "unit": unit, "event": name, "time": claimed, "fields": fields})
    else:
        raw = encode_telegram(
            layouts[link], event.name, fields, sequence=sequence, claimed=claimed, sender="L2", receiver="MES"
        )
    return Captured(
        link=link,
        message=event.name,
        sequence=sequence,
        claimed=claimed,
        claimed_ms=claimed_ms(claimed, WARSAW, at),
        received_ms=event.at_ms,
        offset_ms=0,
        zone_offset_min=60,
        raw=raw,
        fields=fields,
    )


ADDRESSES = {
    "ALD-LAB": "127.0.0.1:{}",
    "ALD-CC1": "127.0.0.1:{}",
    "ALD-MELT": "opc.tcp://127.0.0.1:{}",
}


def settings_of(folder: Path, *, listening: bool = False) -> PlantSettings:
    values = {"code": "ALD", "name": "ALD", "folder": folder, "hub_url": "http://127.0.0.1:9"}
    links = {code: address.format(free_port()) for code, address in ADDRESSES.items()} if listening else {}
    return check(
        PlantSettings,
        values | {"model": PLANTS / "ald" / "model.toml", "link_addresses": links},
        "test",
    )


@contextmanager
def running(folder: Path, clock: Any, *, ring: bool = False) -> Iterator[tuple[Plant, Target]]:
    """A plant with its collector and its interpreter, as two processes would run them. ring: melt shop by its port too."""
    settings = settings_of(folder, listening=True)
    plant = init_plant(settings, clock)
    plan = load_links(settings)
    played = plan if ring else telegram_links_of(plan)
    stop, ready = threading.Event(), threading.Event()
    jobs = [
        threading.Thread(target=lambda: asyncio.run(collect(played, plant, stop, ready))),
        threading.Thread(target=Interpreter(plant, plan, grace_s=0).run, args=(stop,)),
    ]
    for job in jobs:
        job.start()
    try:
        assert ready.wait(40)
        yield plant, Target(played, plant.spool, Hands(clock), plant.node.engine)
    finally:
        stop.set()
        for job in jobs:
            job.join(40)
        plant.node.engine.dispose()
        plant.spool.dispose()


def telegram_links_of(plan: Any) -> Any:
    """Only the links whose other end the test plays."""
    return replace(plan, links={code: link for code, link in plan.links.items() if link.kind == "telegram"})


async def collect(plan: Any, plant: Plant, stop: threading.Event, ready: threading.Event) -> None:
    writer, ended = SpoolWriter(plant.spool), asyncio.Event()
    task = asyncio.create_task(Collector(plan, plant.spool, writer, plant.clock).run(ended))
    ready.set()
    await asyncio.to_thread(stop.wait)
    ended.set()
    await task
    writer.close()


def journal(plant: Plant) -> list[Any]:
    """Facts in their order, ids by when they first appear, times left out."""
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"id {len(names)}")

    with read(plant.node.engine) as conn:
        bodies = conn.execute(select_facts()).scalars().all()
    made = []
    for body in bodies:
        one = decode(body)
        text = msgspec.json.encode([one.payload.__class__.__name__, one.payload, one.subjects, one.actor]).decode()
        made.append(without_times(msgspec.json.decode(ID.sub(named, text))))
    return made


def select_facts() -> Any:
    return select(fact.c.body).join(entry, entry.c.fact_id == fact.c.fact_id).order_by(entry.c.seq)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if not name.endswith("_ms")}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "many",
    [
        pytest.param(100, id="the first heats"),
        pytest.param(None, id="the whole day", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_a_captured_day_replayed_ten_times_as_quick_gives_the_same_journal(tmp_path: Path, many: int | None) -> None:
    messages = told_by_level2()[:many]
    assert {"CC1020", "CC1060", "CC1070", "LB1010"} <= {m.message for m in messages}
    before = messages[0].received_ms - 60_000
    with running(tmp_path / "first", FixedClock(before)) as (plant, target):
        assert replay(target, messages, FAST) == len(messages)
        lines = list(capture(plant.spool, "ALD", (), before, messages[-1].received_ms + 60_000))
        first = journal(plant)
    title, captured = read_capture(lines)
    assert title.plant == "ALD"
    assert [(m.link, m.message, m.fields) for m in captured] == [(m.link, m.message, full(m)) for m in messages]
    # the whole day of the melt shop goes over OPC UA again; some of it does in test_capture_pages.py
    with running(tmp_path / "second", FixedClock(before), ring=many is None) as (plant, target):
        assert replay(target, captured, 10 * FAST) == len(messages)
        second = journal(plant)
    assert len(first) > 60
    assert second == first


def full(m: Captured) -> dict[str, Any]:
    counts = {"LB1010": ("count", "results"), "CC1110": ("count", "slabs")}
    if m.message not in counts:
        return m.fields
    count, rows = counts[m.message]
    return m.fields | {count: len(m.fields[rows])}


def test_a_message_that_the_plant_has_already_is_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_mes.level2.replay.TAKEN_WITHIN_S", 1.0)
    one = next(m for m in told_by_level2() if m.message == "LB1010")
    with running(tmp_path / "first", FixedClock(one.received_ms - 60_000)) as (_, target):
        assert replay(target, [one], FAST) == 1
        with pytest.raises(Unavailable, match="LB1010 of ALD-LAB was not taken: it is not in the spool"):
            replay(target, [one], FAST)


TITLE = b'{"strandline_capture":1,"plant":"ALD","from_ms":0,"to_ms":1}'
COUNTED = TITLE[:-1] + b',"counted":true}'


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "the first line is missing"),
        ([b"{}"], "Line 1"),
        ([b'{"strandline_capture":2,"plant":"ALD","from_ms":0,"to_ms":1}'], "its version is 2"),
        ([TITLE, b"{}"], "Line 2"),
        ([COUNTED], "Line 2 .*the line that ends a capture is missing"),
        ([COUNTED, b'{"strandline_capture_end":1}'], "it counts 1 messages, the file holds 0"),
        ([COUNTED, b'{"strandline_capture_end":0}', TITLE], "Line 3 .*something follows"),
        ([COUNTED, b'{"strandline_capt'], "Line 2"),
    ],
)
def test_what_is_no_capture_is_named_by_its_line(lines: list[bytes], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_capture(lines)


def test_a_capture_of_an_earlier_release_has_no_last_line_and_is_read_as_ever() -> None:
    one = msgspec.json.encode(told_by_level2()[0])
    assert len(read_capture([TITLE, one])[1]) == 1
    assert len(read_capture([COUNTED, one, b'{"strandline_capture_end":1}'])[1]) == 1


def command(folder: Path, *words: str, more: str = "") -> Any:
    file = folder / "plant.toml"
    model = PLANTS / "ald" / "model.toml"
    file.write_text(
        f'code = "ALD"\nname = "ALD"\nfolder = "{folder / "ald"}"\nmodel = "{model}"\nhub_url = "http://127.0.0.1:9"\n'
        + more
    )
    name, *rest = words
    return CliRunner().invoke(plant_command, [name, "--config", str(file), *rest])


def test_a_stretch_of_time_is_captured_by_command_and_a_live_plant_takes_no_replay(
    tmp_path: Path, clock: FixedClock
) -> None:
    plant = init_plant(settings_of(tmp_path / "ald"), clock)
    with plant.spool.connect():
        out = tmp_path / "day.jsonl"
        words = ("--from", "2026-03-11T06:00", "--to", "2026-03-12T06:00", "--out", str(out))
        done = command(tmp_path, "capture", "--link", "ALD-CC1", *words)
        assert done.output == f"0 messages of ALD-CC1 are in {out}.\n"
        title, messages = read_capture(out.read_bytes().splitlines())
        assert (title.from_ms, title.to_ms, messages) == (1773205200000, 1773291600000, [])
        assert "no link 'X'" in str(command(tmp_path, "capture", "--link", "X", *words).exception)
        assert "no date" in str(command(tmp_path, "capture", "--from", "noon", *words[2:]).exception)
        refused = command(tmp_path, "replay", str(out))
        assert "runs on the machine's clock" in str(refused.exception)
    plant.node.engine.dispose()
    plant.spool.dispose()
