"""Collects what happens: events for the wires, each with the ledger lines that become true with it.

An event's `via` says who plays it: `opcua`, `telegram`, `http`, `wan` (cut or restore a plant's line), `standards`
(author, approver
and key holders at work), `settle` (everything told so far must have been taken in before time goes on).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.scenario.moments import SECOND

Line = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One thing due at `at_ms`. `name`: `EAF1.HeatStart`, `CC1060`, `POST /api/v1/receipts`, `cut`...; `link` for
    telegrams."""

    at_ms: int
    rank: int
    plant: str
    via: str
    name: str
    fields: Mapping[str, Any]
    ledger: tuple[Line, ...] = ()
    link: str = ""
    who: str = ""
    fault: str = ""
    claimed_ms: int = 0
    """When Level 2 says it happened, where that is not when it is sent."""


@dataclass
class Script:
    """Events in the order they were written; `sorted_events` puts them in time order, ties as written."""

    events: list[Event] = field(default_factory=list)

    def _add(
        self,
        at_ms: int,
        plant: str,
        via: str,
        name: str,
        fields: Mapping[str, Any],
        lines: tuple[Line, ...],
        link: str = "",
        who: str = "",
    ) -> None:
        self.events.append(Event(at_ms, len(self.events), plant, via, name, dict(fields), lines, link, who))

    def opc(self, at_ms: int, plant: str, name: str, fields: Mapping[str, Any], *lines: Line) -> None:
        """A counted event of the plant's OPC UA server: name = unit.event."""
        self._add(at_ms, plant, "opcua", name, fields, lines)

    def telegram(self, at_ms: int, plant: str, link: str, name: str, fields: Mapping[str, Any], *lines: Line) -> None:
        """A telegram from Level 2 to the plant."""
        self._add(at_ms, plant, "telegram", name, fields, lines, link=link)

    def post(self, at_ms: int, plant: str, who: str, path: str, body: Mapping[str, Any], *lines: Line) -> None:
        """A person's (or ERP's) command; the player adds command_id and occurred_at."""
        self._add(at_ms, plant, "http", path, body, lines, who=who)

    def act(self, at_ms: int, plant: str, via: str, name: str, fields: Mapping[str, Any], *lines: Line) -> None:
        """Anything else the player knows how to do: wan, standards, settle, wait_shipment."""
        self._add(at_ms, plant, via, name, fields, lines)

    def note(self, at_ms: int, plant: str, *lines: Line) -> None:
        """Something that only the ledger hears of."""
        self._add(at_ms, plant, "note", "note", {}, lines)

    def sorted_events(self) -> list[Event]:
        """In time order; what was written first comes first at the same moment."""
        return sorted(self.events, key=lambda e: (e.at_ms, e.rank))


def grams(kg: float) -> int:
    """kg as g."""
    return round(kg * 1000)


def um(mm: float) -> int:
    """mm as um."""
    return round(mm * 1000)


def piece_line(piece: str, kind: str, plant: str, place: str, **more: Any) -> Line:
    """A `piece` line; see ledger.md for the keys and what null means."""
    line: Line = {
        "what": "piece",
        "piece": piece,
        "kind": kind,
        "plant": plant,
        "place": place,
        "grade": "",
        "order": "stock",
        "origin": "",
        "true_g": 0,
        "theoretical_g": None,
        "weighed_g": None,
        "thickness_um": 0,
        "width_um": 0,
        "length_um": 0,
        "parents": [],
    }
    unknown = set(more) - set(line)
    if unknown:
        raise KeyError(f"not a key of a piece line: {sorted(unknown)}")
    line.update(more)
    return line


def say(what: str, piece: str, plant: str, **more: Any) -> Line:
    """Any other ledger line about a piece."""
    return {"what": what, "piece": piece, "plant": plant, **more}


SAMPLE_TO_RESULT = 6 * 60 * SECOND
"""From sampling to the laboratory's telegram."""
