"""Many facts in one business transaction, with a few statements where one by one takes a dozen each.

The journal and the rows afterwards are those that tx.record would have left for the same drafts in the same order.
For a take-over, the checks of a heat, a history that is played: whoever decides from the rows between two facts
records one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from shared.db.bulk import insert_all
from shared.ids import new_id
from shared.journal import tables
from shared.journal.chain import chain, next_hash
from shared.journal.fact import Draft, Subject, decode, encode
from shared.journal.journal import Work, fact_row, lock_head, move_head, to_fact
from shared.journal.reading import Stored
from shared.journal.subjects import find_heads

IDS_A_QUERY = 500


def record_many(tx: Work, drafts: Sequence[Draft[Any]]) -> list[str]:
    """Record facts in the node's own stream and apply them in bulk; returns their ids, as tx.record does."""
    conn, code = tx.conn, tx.journal.code
    drafts = tx.named(drafts)
    ids = [draft.fact_id or new_id(tx.journal.clock) for draft in drafts]
    known = _existing(conn, [draft.fact_id for draft in drafts if draft.fact_id])
    now = tx.now_ms()
    head = lock_head(conn, code, now)
    recorded_at = max(now, head.recorded_at_ms)
    heads = {subject: last for (_, subject), last in find_heads(conn, _subjects(code, drafts)).items()}
    seq, digest = head.seq, head.hash
    facts: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for draft, fact_id in zip(drafts, ids, strict=True):
        if fact_id in known:
            continue
        known.add(fact_id)
        named = [Subject(subject, heads.get(subject)) for subject in dict.fromkeys(draft.subjects)]
        heads |= dict.fromkeys(draft.subjects, fact_id)
        value = to_fact(draft, code, fact_id, named, recorded_at)
        body = encode(value)
        seq += 1
        digest = next_hash(head.epoch, code, seq, digest, body)
        facts.append(fact_row(value, body))
        entries.append({"stream": code, "epoch": head.epoch, "seq": seq, "hash": digest, "fact_id": fact_id})
    if not facts:
        return ids
    insert_all(conn, tables.fact, facts)
    insert_all(conn, tables.entry, entries)
    move_head(conn, code, seq, digest, recorded_at)
    tx.journal.appliers.apply_own(conn, [decode(row["body"]) for row in facts])
    tx.recorded += [row["fact_id"] for row in facts]
    return ids


def append_many(conn: Connection, stream: str, items: Sequence[Stored]) -> int:
    """Give stored facts new places at the end of a stream, in this order, unless they have one in it; returns how many
    got one."""
    held = _standing(conn, stream, [item.fact_id for item in items])
    fresh = list({item.fact_id: item for item in items if item.fact_id not in held}.values())
    if not fresh:
        return 0
    latest = max(item.recorded_at_ms for item in fresh)
    head = lock_head(conn, stream, latest)
    hashes = chain(head.epoch, stream, head.seq + 1, head.hash, (item.body for item in fresh))
    places = enumerate(zip(fresh, hashes, strict=True), start=head.seq + 1)
    rows = [{"stream": stream, "epoch": head.epoch, "seq": n, "hash": h, "fact_id": i.fact_id} for n, (i, h) in places]
    insert_all(conn, tables.entry, rows)
    move_head(conn, stream, head.seq + len(fresh), hashes[-1], max(latest, head.recorded_at_ms))
    return len(fresh)


def _standing(conn: Connection, stream: str, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for part in _parts(ids):
        here = select(tables.entry.c.fact_id).where(tables.entry.c.stream == stream, tables.entry.c.fact_id.in_(part))
        found |= set(conn.execute(here).scalars())
    return found


def _subjects(code: str, drafts: Sequence[Draft[Any]]) -> set[tuple[str, str]]:
    return {(code, subject) for draft in drafts for subject in draft.subjects}


def _existing(conn: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for part in _parts(ids):
        found |= set(conn.execute(select(tables.fact.c.fact_id).where(tables.fact.c.fact_id.in_(part))).scalars())
    return found


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + IDS_A_QUERY] for at in range(0, len(ids), IDS_A_QUERY))
