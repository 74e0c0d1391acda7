"""A played day as it is where the caster tells nothing but a file a shift: its telegrams become files, and whoever speaks of
a slab (crane, quality, gate) does so after the file that names it.

The steel is the same; what the plant knows of it comes hours later. That is the price such a plant pays every day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from demo.scenario.caster import CC1
from demo.scenario.day import Scenario
from demo.scenario.moments import minutes
from demo.scenario.script import Event, Line
from demo.simulator.shift_file import ShiftFile, Told, shift_files
from demo.simulator.wires import ZONES

FILE_LINK = "ALD-CC1-FILE"
READ_MS = minutes(5)
"""After a file, people have seen what is in it."""
APART_MS = 2_000


def by_file(day: Scenario) -> Scenario:
    """The same day, told by shift files."""
    events = [event for event in day.events if not (event.via == "mend" and event.fields.get("link") == CC1)]
    told = [event for event in events if _is_told(event)]
    files = shift_files((_told(event) for event in told), ZONES["ALD"])
    known = dict(_known(told, files))
    others = [event for event in events if not _is_told(event)]
    out = [*_late(others, known), *_dropped(told, files)]
    return replace(day, events=tuple(sorted(out, key=lambda e: (e.at_ms, e.rank))))


def _is_told(event: Event) -> bool:
    return event.via == "telegram" and event.link == CC1


def _told(event: Event) -> Told:
    fields = dict(event.fields)
    if event.fault == "wide":  # the process computer's own file was never mangled on a line
        fields["width_head_mm"] = fields["width_tail_mm"]
    return Told(event.claimed_ms or event.at_ms, event.name, fields)


def _end_of(event: Event, files: Sequence[ShiftFile]) -> ShiftFile:
    return next(file for file in files if file.at_ms > (event.claimed_ms or event.at_ms))


def _known(told: Iterable[Event], files: Sequence[ShiftFile]) -> Iterator[tuple[str, int]]:
    """Slab number -> when its file is written."""
    for event in told:
        if event.name == "CC1060" and event.fields["cut"]:
            f = event.fields
            yield f"{f['heat']}-{f['strand']}-{f['cut']}", _end_of(event, files).at_ms


def _dropped(told: Sequence[Event], files: Sequence[ShiftFile]) -> Iterator[Event]:
    """A file with all the ledger's lines of what is in it. Before the others of its moment: rank -1."""
    for file in files:
        lines: tuple[Line, ...] = tuple(line for e in told if _end_of(e, files) is file for line in e.ledger)
        yield Event(file.at_ms, -1, "ALD", "file", file.name, {"text": file.text}, lines, link=FILE_LINK)


def _late(events: Sequence[Event], known: Mapping[str, int]) -> Iterator[Event]:
    """What names a slab that no file has named yet waits for it, in its order."""
    waiting: dict[int, int] = {}
    for event in events:
        file_ms = max((known[number] for number in _numbers(event) if number in known), default=0)
        if event.at_ms > file_ms:
            yield event
            continue
        waiting[file_ms] = waiting.get(file_ms, 0) + 1
        yield replace(event, at_ms=file_ms + READ_MS + waiting[file_ms] * APART_MS)


def _numbers(event: Event) -> Iterator[str]:
    """Every text of an event and of its ledger's lines that may be a number of a piece."""
    for values in (event.fields, *event.ledger):
        yield from _texts(values)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
