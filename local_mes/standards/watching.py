"""Looking for what no fact put there: rows of standards that somebody wrote into the plant's own database.

The journal says what was adopted, byte for byte, and its entries are chained; the rows that checks, bindings and pages
read are held against it a few times an hour, and what differs is told to the hub as a fact, field by field. The plant's
own rows are mended by the nightly comparison, texts of the group by a rebuild; then this says that all is as adopted again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from shared.db.engine import read
from shared.errors import BadInput
from shared.journal.archived import bodies_of
from shared.journal.fact import Draft, Occurred, Payload, decode
from shared.journal.tables import entry, fact
from shared.standards.diff import differences, value_text
from shared.standards.documents import AnyStandard, parse_body
from shared.standards.edit_facts import StandardsFoundEdited
from shared.standards.facts import InstalledStandard, StandardDrafted, StandardPublished, StandardsInstalled
from shared.standards.queries import find_body
from shared.standards.tables import in_force

LOOK_MS = 15 * 60_000
"""How often it is looked: the group hears of an edit within an hour wherever there is a line."""
AGAIN_MS = 60_000
"""After a look that failed: soon again, but not at each round, what is behind it must come on."""
FIELDS_MAX = 20
"""Fields named of one standard; a text that was rewritten as a whole need not be told field by field."""
VALUE_MAX, LINE_MAX = 80, 300
"""Characters of a value, and of a line that has some: what somebody wrote into a row may be of any length."""
SAID_BYTES_MAX = 100_000
"""Of all lines together: they are one fact. What is beyond is counted."""
UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)
"""What reading may raise of a row that anybody may have written: no JSON, other types, a nest of thousands of lists."""
Differences = dict[str, tuple[str, ...]]
InForce = Row[str, int, str, int, str]


@dataclass
class Watch:
    """The looks of one process."""

    plant: Plant
    next_ms: int = 0

    def look(self) -> bool:
        """Look where it is time; returns whether something was recorded."""
        now = self.plant.clock.now_ms()
        if now < self.next_ms:
            return False
        self.next_ms = now + AGAIN_MS
        recorded = look(self.plant)
        self.next_ms = now + LOOK_MS
        return recorded


def look(plant: Plant) -> bool:
    """Record what is edited where that is not what was said last; returns whether it was."""
    with read(plant.node.engine) as conn:
        found = find_edited(conn, plant.code)
        if found == _said(conn, plant.code):
            return False
    with plant.journal.work() as tx:
        found = find_edited(tx.conn, plant.code)  # an adoption may have come between
        if found == _said(tx.conn, plant.code):
            return False
        payload = StandardsFoundEdited(differences=found)
        occurred = Occurred(tx.now_ms(), "system")
        tx.record(Draft(payload=payload, subjects=(f"effective:{plant.code}",), actor="standards", occurred=occurred))
    return True


def find_edited(conn: Connection, plant: str) -> Differences:
    """Standard -> what of it in the database is not what was adopted, in words; empty: nothing."""
    with _any_text(conn):
        adopted = {standard.standard_id: standard for standard in _adopted(conn, plant)}
        rows: dict[str, list[InForce]] = {name: [] for name in sorted(adopted)}  # first, whatever else is there
        for row in _rows(conn, plant):
            rows.setdefault(_text(row.standard_id), []).append(row)
        found = {name: _lines(conn, adopted.get(name), of_it) for name, of_it in rows.items()}
    return _bounded({name: lines for name, lines in found.items() if lines})


@contextmanager
def _any_text(conn: Connection) -> Iterator[None]:
    """SQLite keeps any bytes as text; where they are none of ours they are read as far as they can be."""
    if conn.dialect.name != "sqlite":
        yield
        return
    driver: Any = conn.connection.driver_connection
    driver.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        yield
    finally:
        driver.text_factory = str


def _rows(conn: Connection, plant: str) -> Sequence[InForce]:
    """As they stand: `list_in_force` trusts them."""
    c = in_force.c
    query = select(c.standard_id, c.version, c.sha256, c.effective_from_ms, c.bound)
    query = query.where(c.author == plant, c.until_ms.is_(None)).order_by(c.standard_id, c.version)
    return conn.execute(query).all()


def _said(conn: Connection, plant: str) -> Differences:
    """What was told last, out of the journal: the row of it could have been written like any other."""
    payload = _last(conn, plant, "StandardsFoundEdited")
    return payload.differences if isinstance(payload, StandardsFoundEdited) else {}


def _adopted(conn: Connection, plant: str) -> tuple[InstalledStandard, ...]:
    """The set of the plant's last adoption, out of the journal."""
    payload = _last(conn, plant, "StandardsInstalled")
    return payload.standards if isinstance(payload, StandardsInstalled) else ()


def _last(conn: Connection, plant: str, name: str) -> Payload | None:
    c = fact.c
    query = select(c.fact_id).join(entry, (entry.c.fact_id == c.fact_id) & (entry.c.stream == plant))
    query = query.where(c.type == name, c.author == plant)
    last = conn.execute(query.order_by(c.recorded_at_ms.desc(), entry.c.seq.desc()).limit(1)).scalar()
    if last is None:
        return None
    payload: Payload = decode(bodies_of(conn, [last])[last]).payload
    return payload


def _bounded(found: Differences) -> Differences:
    """One line of each where all would be too much for a fact, and a count of those that still are."""
    if sum(map(_size, found.values())) > SAID_BYTES_MAX:
        found = {name: (lines[0], f"and {len(lines) - 1} more")[: len(lines)] for name, lines in found.items()}
    told: Differences = {}
    left = SAID_BYTES_MAX
    for name, lines in found.items():
        left -= _size((name, *lines))
        if left < 0:
            last = next(reversed(told))
            return told | {last: (*told[last], f"and {len(found) - len(told)} more standards")}
        told[name] = lines
    return told


def _size(lines: Sequence[str]) -> int:
    """Bytes as JSON, at least: each character in its longest form."""
    return len(json.dumps(lines))


def _lines(conn: Connection, adopted: InstalledStandard | None, rows: Sequence[InForce]) -> tuple[str, ...]:
    lines: list[str] = []
    try:
        lines += (_text(line, LINE_MAX) for line in islice(_faults(conn, adopted, rows), FIELDS_MAX))
    except UNREADABLE:
        lines.append("what the database says of it cannot be read")
    return tuple(lines)


def _text(value: object, most: int = VALUE_MAX) -> str:
    """In characters that every database and every peer can keep."""
    return str(value)[:most].encode(errors="replace").decode().replace("\0", "?")


def _faults(conn: Connection, adopted: InstalledStandard | None, rows: Sequence[InForce]) -> Iterator[str]:
    if adopted is None or len(rows) != 1:
        here = " and ".join(map(_named, rows[:FIELDS_MAX])) or _named(None)
        yield f"the database says {here} is in force, adopted was {_named(adopted)}"
    else:
        yield from _row_faults(adopted, rows[0])
    if adopted is not None:
        yield from _text_faults(conn, adopted)


def _row_faults(adopted: InstalledStandard, row: InForce) -> Iterator[str]:
    if (row.version, row.sha256) != (adopted.version, adopted.sha256):
        yield f"the database says {_named(row)} ({_text(row.sha256, 16)}), adopted was v{adopted.version}"
    if row.effective_from_ms != adopted.effective_from_ms:
        at = _text(row.effective_from_ms)
        yield f"the database lets it begin at {at}, adopted was {adopted.effective_from_ms}"
    values = _bound(row.bound)
    if values is None:
        yield "its values in the database cannot be read"
        return
    for name in sorted({*values, *adopted.values}):
        here, then = values.get(name, "nothing"), adopted.values.get(name, "nothing")
        if here != then:
            yield f"{_text(name)} = {_text(here)} in the database, adopted was {_text(then)}"


def _bound(raw: str) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except UNREADABLE:
        return None
    return found if isinstance(found, dict) else None


def _named(one: InstalledStandard | InForce | None) -> str:
    return "nothing" if one is None else f"v{_text(one.version)}"


def _text_faults(conn: Connection, adopted: InstalledStandard) -> Iterator[str]:
    """The document's fields that were changed, against the text that the journal keeps."""
    body = find_body(conn, adopted.standard_id, adopted.version, adopted.sha256)
    if body is None:
        yield "its text is not in the database"
    elif hashlib.sha256(body.encode()).hexdigest() != adopted.sha256:
        here, signed = _readable(body), _journalled(conn, adopted)
        if here is None or signed is None:
            yield "its text in the database is not the one that was adopted"
            return
        for change in differences(signed, here):
            before, after = (_text(value_text(value)) for value in (change.before, change.after))
            yield f"{_text(change.path)}: {after} in the database, adopted was {before}"


def _readable(body: str) -> AnyStandard | None:
    try:
        return parse_body(body.encode())
    except BadInput:
        return None


def _journalled(conn: Connection, adopted: InstalledStandard) -> AnyStandard | None:
    """The text of a version as its fact brought it. Only read where the database's is another: it may take a moment."""
    query = select(fact.c.fact_id).where(fact.c.type.in_(("StandardPublished", "StandardDrafted")))
    for fact_id in conn.execute(query).scalars().all():
        payload = decode(bodies_of(conn, [fact_id])[fact_id]).payload
        if isinstance(payload, StandardPublished | StandardDrafted) and payload.sha256 == adopted.sha256:
            return _readable(payload.body)
    return None
