"""The namespace with its live values: each signal's last value, when it was told and by which message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import func, select, tuple_

from local_mes.level2.link_state import CONNECTED
from local_mes.level2.links import LinkPlan
from local_mes.level2.mapping.apply import at
from local_mes.level2.mapping.signals import ANY_UNIT, Signal
from local_mes.level2.operations import BadMessage
from local_mes.level2.queries import find_links
from local_mes.level2.spool_tables import message
from local_mes.plant import Plant
from shared.db.engine import read

LOOKED_AT = 5_000
"""A link's newest messages among which the last of each kind is looked for."""
GOOD, NEVER, NO_DATA, BAD = "good", "not told", "no data", "bad"


@dataclass(frozen=True)
class LiveValue:
    """One line of the page. state: good; not told (lately); no data (its link is away); bad, with the reason.

    source: message and field that told the value; all that may tell it where none has yet.
    """

    name: str
    value: Any
    unit: str
    state: str
    at_ms: int | None
    link: str
    source: str
    spool_id: int | None
    used_by: str
    description: str
    reason: str = ""

    @property
    def key(self) -> str:
        """Sorts and names the line: two links may tell one signal."""
        return f"{self.name} {self.link}"


def find_live(plant: Plant, plan: LinkPlan) -> list[LiveValue]:
    """All signals by name; one with unit `*` once for each unit that has told it."""
    states = {view.link: view.state for view in find_links(plant)}
    found: list[LiveValue] = []
    for code, mapping in plan.mappings.by_link.items():
        newest = _newest(plant, code)
        used = {signal.name: _used_by(signal, mapping.entries) for signal in mapping.signals}
        up = states.get(code) == CONNECTED
        for signal in mapping.signals:
            found += [_shown(signal, row, up, used[signal.name]) for row in _told(signal, newest)]
    return sorted(found, key=lambda one: one.key)


def _newest(plant: Plant, link: str) -> Mapping[str, Any]:
    """The last message of each name."""
    c = message.c
    with read(plant.spool) as conn:
        last = conn.execute(select(func.max(c.ordinal)).where(c.link == link)).scalar() or 0
        lately = select(c.message, func.max(c.ordinal)).where(c.link == link, c.ordinal > last - LOOKED_AT)
        wanted = [(link, ordinal) for _, ordinal in conn.execute(lately.group_by(c.message))]
        rows = conn.execute(select(message).where(tuple_(c.link, c.ordinal).in_(wanted))).all() if wanted else []
    return {row.message: row for row in rows}


def _told(signal: Signal, newest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and last message of the signal: one, or one a unit."""
    rows = [row for name, row in newest.items() if signal.find_field(name) is not None]
    if signal.unit != ANY_UNIT:
        yield signal.name, max(rows, key=lambda row: row.spool_id, default=None)
        return
    by_unit: dict[str, Any] = {}
    for row in sorted(rows, key=lambda one: one.spool_id):
        by_unit[row.message.rpartition(".")[0]] = row
    for unit, row in by_unit.items() or [(ANY_UNIT, None)]:
        yield signal.name.replace(f"/{ANY_UNIT}/", f"/{unit}/"), row


def _shown(signal: Signal, told: tuple[str, Any], up: bool, used_by: str) -> LiveValue:
    name, row = told
    sources = ", ".join(dict.fromkeys(f"{one}.{field}" for one, field in signal.sources))
    if row is not None:
        sources = f"{row.message}.{signal.find_field(row.message)}"
    value, reason, state = None, "", NEVER
    if row is not None:
        value, reason = _value(signal, row)
        state = BAD if reason else GOOD if up else NO_DATA
    return LiveValue(
        name,
        value,
        signal.measure.name,
        state,
        (row.claimed_ms or row.received_ms) if row is not None else None,
        signal.link,
        sources,
        row.spool_id if row is not None else None,
        used_by,
        signal.description,
        reason,
    )


def _value(signal: Signal, row: Any) -> tuple[Any, str]:
    field = signal.find_field(row.message) or ""
    fields = msgspec.json.decode(row.fields)
    try:
        if signal.in_rows:
            listed, _, inner = field.partition("[].")
            rows = at(fields, listed)
            return ", ".join(str(at(one, inner)) for one in rows) if isinstance(rows, list) else None, ""
        return signal.read(at(fields, field), field), ""
    except BadMessage as error:
        return None, str(error)


def _used_by(signal: Signal, entries: Sequence[Any]) -> str:
    """Names of the entries whose expressions use the signal."""
    found = []
    for entry in entries:
        named = {name for output in entry.outputs for name in output.uses} | set(entry.when_uses)
        named |= {n for rows in entry.rows for template in rows.templates for o in template for n in o.uses}
        if any(entry.variables[name].signal is signal for name in named):
            found.append(entry.name)
    return ", ".join(found)
