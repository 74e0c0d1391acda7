"""Looking for what no fact put there: rows of standards that somebody wrote into the plant's own database.

The journal says what was adopted, byte for byte, and its entries are chained; the rows that checks, bindings and pages
read are held against it a few times an hour, and what differs is told to the hub as a fact, field by field. The plant's
own rows are mended by the nightly comparison, texts of the group by a rebuild; then this says that all is as adopted again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from shared.db.engine import read
from shared.errors import BadInput
from shared.journal.archived import bodies_of
from shared.journal.fact import Draft, Occurred, decode
from shared.journal.tables import entry, fact
from shared.standards.diff import differences, value_text
from shared.standards.documents import AnyStandard, parse_body
from shared.standards.edit_facts import StandardsFoundEdited
from shared.standards.edit_rows import find_edits
from shared.standards.facts import InstalledStandard, StandardDrafted, StandardPublished, StandardsInstalled
from shared.standards.queries import Adopted, find_body, list_in_force

LOOK_MS = 15 * 60_000
"""How often it is looked: the group hears of an edit within an hour wherever there is a line."""
FIELDS_MAX = 20
"""Fields named of one standard; a text that was rewritten as a whole need not be told field by field."""
VALUE_MAX = 80
Differences = dict[str, tuple[str, ...]]


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
        self.next_ms = now + LOOK_MS
        return look(self.plant)


def look(plant: Plant) -> bool:
    """Record what is edited where that is not what was said last; returns whether it was."""
    with read(plant.node.engine) as conn:
        found = find_edited(conn, plant.code)
        if found == find_edits(conn, plant.code).differences:
            return False
    with plant.journal.work() as tx:
        found = find_edited(tx.conn, plant.code)  # an adoption may have come between
        if found == find_edits(tx.conn, plant.code).differences:
            return False
        payload = StandardsFoundEdited(differences=found)
        occurred = Occurred(tx.now_ms(), "system")
        tx.record(Draft(payload=payload, subjects=(f"effective:{plant.code}",), actor="standards", occurred=occurred))
    return True


def find_edited(conn: Connection, plant: str) -> Differences:
    """Standard -> what of it in the database is not what was adopted, in words; empty: nothing."""
    adopted = {standard.standard_id: standard for standard in _adopted(conn, plant)}
    rows = {row.standard_id: row for row in list_in_force(conn, plant)}
    found = {name: tuple(_faults(conn, adopted.get(name), rows.get(name)))[:FIELDS_MAX] for name in {*adopted, *rows}}
    return {name: texts for name, texts in sorted(found.items()) if texts}


def _adopted(conn: Connection, plant: str) -> tuple[InstalledStandard, ...]:
    """The set of the plant's last adoption, out of the journal."""
    c = fact.c
    query = select(c.fact_id).join(entry, (entry.c.fact_id == c.fact_id) & (entry.c.stream == plant))
    query = query.where(c.type == "StandardsInstalled", c.author == plant)
    last = conn.execute(query.order_by(c.recorded_at_ms.desc(), entry.c.seq.desc()).limit(1)).scalar()
    if last is None:
        return ()
    payload = decode(bodies_of(conn, [last])[last]).payload
    return payload.standards if isinstance(payload, StandardsInstalled) else ()


def _faults(conn: Connection, adopted: InstalledStandard | None, row: Adopted | None) -> Iterator[str]:
    if adopted is None or row is None:
        yield f"the database says {_named(row)} is in force, adopted was {_named(adopted)}"
        return
    if (row.version, row.sha256) != (adopted.version, adopted.sha256):
        yield f"the database says v{row.version} ({row.sha256[:16]}), adopted was v{adopted.version}"
    if row.effective_from_ms != adopted.effective_from_ms:
        yield f"the database lets it begin at {row.effective_from_ms}, adopted was {adopted.effective_from_ms}"
    for name in sorted({*row.values, *adopted.values}):
        here, then = row.values.get(name, "nothing"), adopted.values.get(name, "nothing")
        if here != then:
            yield f"{name} = {here} in the database, adopted was {then}"
    yield from _text_faults(conn, adopted)


def _named(one: InstalledStandard | Adopted | None) -> str:
    return f"v{one.version}" if one else "nothing"


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
            before, after = (value_text(value)[:VALUE_MAX] for value in (change.before, change.after))
            yield f"{change.path}: {after} in the database, adopted was {before}"


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
