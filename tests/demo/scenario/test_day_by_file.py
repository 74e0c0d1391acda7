"""The day of a caster that tells a file a shift: the same steel, known later; nobody speaks of a slab before its file."""

from __future__ import annotations

import json

import pytest

from demo.scenario.caster import CC1
from demo.scenario.day import build
from demo.scenario.script import Event
from demo.simulator.by_file import FILE_LINK, by_file


def ledger(events: tuple[Event, ...]) -> list[str]:
    return sorted(json.dumps(line, sort_keys=True) for event in events for line in event.ledger)


@pytest.mark.parametrize("size", ["small", "full"])
def test_a_slab_is_spoken_of_after_its_file(size: str) -> None:
    told = build(3, size, "file")
    day = by_file(told)
    files = [event for event in day.events if event.via == "file"]
    assert not [event for event in day.events if event.via == "telegram" and event.link == CC1]
    assert len(files) > 3
    assert {event.link for event in files} == {FILE_LINK}
    assert ledger(day.events) == ledger(told.events)
    assert [event.at_ms for event in day.events] == sorted(event.at_ms for event in day.events)
    cuts = [e for e in told.events if (e.via, e.name) == ("telegram", "CC1060") and e.fields["cut"]]
    known: set[str] = set()
    cut_rows: list[list[str]] = []
    slabs = {"{heat}-{strand}-{cut}".format(**event.fields) for event in cuts}
    for event in day.events:
        if event.via == "file":
            lines = [line.split(";") for line in event.fields["text"].split("\r\n")]
            rows = [row for row in lines if row[0] == "CUT"]
            cut_rows += rows
            known |= {f"{row[2]}-{row[10]}-{row[11]}" for row in rows}
        named = {value for line in event.ledger for value in line.values() if isinstance(value, str)}
        named |= {value for value in event.fields.values() if isinstance(value, str)}
        assert named & slabs <= known
    assert slabs <= known
    # a width that was mangled on the line is whole in the file (cm)
    assert {row[16] for row in cut_rows} == {"129.7"}
    assert sum("MOULD" in event.fields["text"] for event in files) == 1
