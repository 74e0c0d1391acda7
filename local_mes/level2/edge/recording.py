"""The edge's side of the way up: what its spool holds becomes entries of its own journal, in order and once.

A message's fact id derives from what it is, not only from where it lies: a spool that was put back to an older state
gives out its numbers again, to other messages.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from local_mes.level2.down import QUEUED
from local_mes.level2.edge.facts import Level2Heard, Level2OrderSettled
from local_mes.level2.edge.tables import told
from local_mes.level2.interpret import get_position
from local_mes.level2.spool import get_key
from local_mes.level2.spool_tables import down, message
from local_mes.level2.tables import spool_position
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from sync.tables import link

CHUNK = 200
BYTES_MAX = 180 << 10
"""Raw bytes and fields of one message together, so that the fact stays below its limit with base64 and quotes."""
RAW_SHOWN = 4_096
OFF_FROM_MS = 2_000
"""A clock that is off by less is left alone: a round trip is measured no better."""


def record_heard(edge: Plant) -> int:
    """Record the next spooled messages; returns how many."""
    key = get_key(edge.spool)
    with read(edge.node.engine) as conn:
        position = get_position(conn, key)
        shift = clock_shift_ms(conn)
    with read(edge.spool) as conn:
        query = select(message).where(message.c.spool_id > position).order_by(message.c.spool_id).limit(CHUNK)
        rows = conn.execute(query).all()
    if not rows:
        return 0
    with edge.journal.work() as tx:
        tx.record(*(_heard(edge, key, row, shift) for row in rows))
        upsert(tx.conn, spool_position, [{"spool": key, "spool_id": rows[-1].spool_id}], update=["spool_id"])
    return len(rows)


def begin_again(edge: Plant) -> None:
    """Before anything is heard: a spool that was put back gave out fewer numbers than were recorded of it.

    Those it gives out next are of new messages, so recording goes on from where the spool stands.
    """
    key = get_key(edge.spool)
    with read(edge.spool) as conn:
        last = conn.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'message'").scalar() or 0
    with write(edge.node.engine) as conn:
        behind = (spool_position.c.spool == key, spool_position.c.spool_id > last)
        conn.execute(update(spool_position).where(*behind).values(spool_id=last))


def record_settled(edge: Plant) -> int:
    """Record what has become of orders since it was last told; returns how many."""
    query = (
        select(down)
        .outerjoin(told, told.c.key == down.c.key)
        .where(down.c.state != QUEUED, (told.c.state.is_(None)) | (told.c.state != down.c.state))
        .order_by(down.c.down_id)
        .limit(CHUNK)
    )
    with read(edge.spool) as conn:
        rows = conn.execute(query).all()
    if not rows:
        return 0
    with edge.journal.work() as tx:
        tx.record(*(_settled(edge, row) for row in rows))
    with write(edge.spool) as conn:
        upsert(conn, told, [{"key": row.key, "state": row.state} for row in rows], update=["state"])
    return len(rows)


def settled_id(edge: str, key: str, state: str) -> str:
    """The id of the fact that an order came to this state."""
    return derived_id(0, edge, "order", key, state)


def oldest_unrecorded_ms(edge: Plant) -> int | None:
    """When the oldest message came that is not in the journal yet; None when all are."""
    key = get_key(edge.spool)
    with read(edge.node.engine) as conn:
        position = get_position(conn, key)
    with read(edge.spool) as conn:
        query = select(message.c.received_ms).where(message.c.spool_id > position).order_by(message.c.spool_id)
        return conn.execute(query.limit(1)).scalar()


def clock_shift_ms(conn: Connection) -> int:
    """What the plant's clock shows more than ours, as last measured; small differences count as none."""
    offset = conn.execute(select(link.c.offset_ms).order_by(link.c.last_contact_ms.desc()).limit(1)).scalar() or 0
    return int(offset) if abs(offset) >= OFF_FROM_MS else 0


def plant_ahead_ms(edge: Plant) -> int:
    """What the clock of the plant's machine shows more than ours; a clock that is played says nothing of the machines."""
    if edge.settings.clock_file is not None:
        return 0
    with read(edge.node.engine) as conn:
        return clock_shift_ms(conn)


def _heard(edge: Plant, key: str, row: Any, shift_ms: int) -> Draft[Level2Heard]:
    raw, fields, problem = _fit(bytes(row.raw), row.fields, row.problem)
    payload = Level2Heard(
        link=row.link,
        message=row.message,
        ordinal=row.ordinal,
        sequence=row.sequence,
        digest=row.digest,
        claimed=row.claimed,
        claimed_ms=row.claimed_ms,
        received_ms=row.received_ms,
        offset_ms=row.offset_ms,
        zone_offset_min=row.zone_offset_min,
        raw=raw,
        fields=fields,
        problem=problem,
        shift_ms=shift_ms,
    )
    fact_id = derived_id(row.received_ms, edge.code, key, row.spool_id, row.digest)
    return Draft(payload, (f"link:{row.link}"[:64],), "edge", Occurred(row.received_ms, "edge"), fact_id)


def _settled(edge: Plant, row: Any) -> Draft[Level2OrderSettled]:
    names = ("key", "state", "sequence", "tries", "sent_ms", "answered_ms", "answer")
    payload = Level2OrderSettled(**{name: getattr(row, name) for name in names})
    fact_id = settled_id(edge.code, row.key, row.state)
    at_ms = row.answered_ms or row.sent_ms or row.queued_ms
    return Draft(payload, (f"link:{row.link}"[:64],), "edge", Occurred(at_ms, "edge"), fact_id)


def _fit(raw: bytes, fields: str, problem: str) -> tuple[bytes, str, str]:
    """A message that is too large for a fact goes without its bytes; one whose fields are is for a person."""
    if len(raw) + len(fields) <= BYTES_MAX:
        return raw, fields, problem
    size = len(fields.encode())
    if size <= BYTES_MAX - RAW_SHOWN:
        return raw[:RAW_SHOWN], fields, problem
    return raw[:RAW_SHOWN], "{}", f"Its fields take {size} bytes, too many for the line: they are in the edge's spool."
