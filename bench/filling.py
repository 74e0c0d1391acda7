"""A long backlog in little time: facts and entries as plants make them, without the rows that follow from them.

Shipping reads journal and positions alone. To record a million facts with their rows takes minutes, this takes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, update

from shared.db.engine import write
from shared.ids import new_id
from shared.journal import tables
from shared.journal.chain import next_hash
from shared.journal.fact import Draft, Subject, encode
from shared.journal.journal import lock_head, to_fact
from shared.node import Node
from sync.beginning import begin
from sync.station import make_ground

FACTS_A_TRANSACTION = 20_000


def fill_journal(plant: Node, drafts: Iterable[Draft[Any]]) -> None:
    """Append these facts to the plant's own stream, each after the last that spoke of its subjects."""
    begin(plant)
    last: dict[str, str] = {}
    left = iter(drafts)
    while some := list(islice(left, FACTS_A_TRANSACTION)):
        with write(plant.engine) as conn:
            _append(conn, plant, some, last)
    make_ground(plant, 1).anchoring.write_now()  # else the next start counts as a restore


def _append(conn: Connection, plant: Node, drafts: list[Draft[Any]], last: dict[str, str]) -> None:
    code, now = plant.code, plant.clock.now_ms()
    head = lock_head(conn, code, now)
    recorded_at, digest = max(now, head.recorded_at_ms), head.hash
    facts, entries = [], []
    for seq, made in enumerate(drafts, start=head.seq + 1):
        fact_id = made.fact_id or new_id(plant.clock)
        named = [Subject(subject, last.get(subject)) for subject in made.subjects]
        last |= dict.fromkeys(made.subjects, fact_id)
        fact = to_fact(made, code, fact_id, named, recorded_at)
        body = encode(fact)
        digest = next_hash(head.epoch, code, seq, digest, body)
        kind = {"type": fact.type, "version": fact.version, "author": code, "recorded_at_ms": recorded_at}
        facts.append({"fact_id": fact_id, **kind, "body": body})
        entries.append({"stream": code, "epoch": head.epoch, "seq": seq, "hash": digest, "fact_id": fact_id})
    conn.execute(insert(tables.fact), facts)
    conn.execute(insert(tables.entry), entries)
    moved = {"seq": head.seq + len(facts), "hash": digest, "recorded_at_ms": recorded_at}
    conn.execute(update(tables.head).where(tables.head.c.stream == code).values(moved))
