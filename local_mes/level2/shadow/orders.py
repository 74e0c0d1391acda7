"""The old MES's orders beside those that Strandline would have sent: same message, same piece, nearest in time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from local_mes.level2.down import SETPOINT, Down, find_queued
from local_mes.level2.links import Link
from local_mes.level2.shadow.overheard import find_overheard
from local_mes.level2.telegrams.layout import LayoutSet

NAMING = frozenset(
    ("heat", "slab", "piece", "coil", "coil_in", "coil_no", "coil_out", "strand", "cut", "slit", "sequence", "line")
)
"""Fields that say of what an order is; all others say what is to be done with it."""
UNITS = {"mm": "mm", "um": "µm", "m": "m", "kg": "kg", "g": "g", "c": "°C", "gm2": "g/m²", "ppm": "ppm", "pct": "%"}
APART_MS = 12 * 3_600_000
"""Two orders for one piece further apart are two orders: strands and cuts are counted anew each sequence."""


@dataclass(frozen=True)
class Field:
    """One field of an order: the old MES's value, and ours where it is another (None: as ours, or nothing to compare)."""

    name: str
    value: Any
    ours: Any = None

    @property
    def label(self) -> str:
        """Its name without the unit."""
        return self._parts[0].replace("_", " ")

    @property
    def unit(self) -> str:
        """Its unit, by the name's last part; empty where it has none."""
        return self._parts[1]

    @property
    def _parts(self) -> tuple[str, str]:
        name, _, last = self.name.rpartition("_")
        return (name, UNITS[last]) if name and last in UNITS else (self.name, "")


@dataclass(frozen=True)
class Order:
    """One telegram of the old MES. verdict: same | differs | none (we would have sent no such order) | answer (it is no
    order: a refusal, or something that this link does not send) | unread."""

    ordinal: int
    received_ms: int
    message: str
    sequence: int | None
    problem: str
    verdict: str
    fields: tuple[Field, ...]
    ours_ms: int | None = None
    """When ours was due."""
    ours_id: int | None = None


def orders_of(link: Link, layouts: LayoutSet | None) -> set[str]:
    """The messages of a link that are orders, by its model, else by the direction of their layouts."""
    if link.sends is not None or layouts is None:
        return set(link.sends or ())
    down = {message for message, layout in layouts.messages.items() if layout.direction == "down"}
    return down - layouts.service_ids


def read_orders(spool: Engine, link: str, sends: Collection[str], limit: int, before: int | None = None) -> list[Order]:
    """The newest of a link, newest first; sends: the messages that are orders. before is an ordinal."""
    rows = find_overheard(spool, link, limit, before)
    if not rows:
        return []
    times = [row["received_ms"] for row in rows]
    ours = find_queued(spool, link, min(times) - APART_MS, max(times) + APART_MS)
    return [judge(row, sends, [one for one in ours if one.kind != SETPOINT]) for row in rows]


def judge(row: Mapping[str, Any], sends: Collection[str], ours: Sequence[Down]) -> Order:
    """What was overheard beside the one of ours that it matches."""
    told: dict[str, Any] = row["fields"]
    head = (row["ordinal"], row["received_ms"], row["message"], row["sequence"], row["problem"])
    plain = tuple(Field(name, value) for name, value in told.items())
    if row["problem"] or row["message"] not in sends:
        return Order(*head, "unread" if row["problem"] else "answer", plain)
    match = find_match(row, ours)
    if match is None:
        return Order(*head, "none", plain)
    fields = tuple(Field(name, value, _other(value, match.fields.get(name))) for name, value in told.items())
    same = all(field.ours is None for field in fields)
    return Order(*head, "same" if same else "differs", fields, match.queued_ms, match.down_id)


def find_match(row: Mapping[str, Any], ours: Sequence[Down]) -> Down | None:
    """Our order of the same message for the same piece, the nearest in time; None where there is none within half a day."""
    named = names_in(row["fields"])
    fitting = [
        one
        for one in ours
        if one.message == row["message"]
        and abs(one.queued_ms - row["received_ms"]) <= APART_MS
        and all(str(one.fields.get(name, "")) == value for name, value in named.items())
    ]
    return min(fitting, key=lambda one: (abs(one.queued_ms - row["received_ms"]), -one.down_id), default=None)


def names_in(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields that say of what an order is."""
    return {name: str(value) for name, value in fields.items() if name in NAMING}


def _other(theirs: Any, ours: Any) -> Any:
    """Our value where it is another one; numbers are compared as numbers, texts without the blanks of their width."""
    if isinstance(theirs, int | float) and isinstance(ours, int | float):
        return None if theirs == ours else ours
    mine = "" if ours is None else str(ours).strip()
    return None if mine == str(theirs).strip() else (mine or "nothing")
