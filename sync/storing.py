"""Putting arrived entries and their facts into the journal's tables, in bulk: one statement a table.

Every entry finds its bytes in the fact table. Usually under the fact's own id; under an id made from the entry's hash
when the bytes name none, name another author's, or name an id that other bytes hold already (the first stays).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Connection

from shared.db.bulk import insert_all, insert_new
from shared.journal.archived import bodies_of
from shared.journal.tables import entry, fact
from sync.messages import Seal
from sync.pack import Origin

UNREADABLE_TYPE = "?"


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """One chained entry of a batch."""

    seq: int
    hash: str
    body: bytes
    origin: Origin | None


class Label(msgspec.Struct, frozen=True):
    """What the journal's columns repeat of a fact; the rest of the envelope is not looked at here."""

    fact_id: str
    type: str
    version: Annotated[int, msgspec.Meta(ge=0, le=1 << 31)]
    author: str
    recorded_at_ms: Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]


_label = msgspec.json.Decoder(Label)
_TYPE = re.compile("[A-Za-z0-9_.]+")
ID_CHARACTERS = 32
TYPE_CHARACTERS_MAX = 64


@lru_cache(maxsize=1_000)
def _is_type(name: str) -> bool:
    return _TYPE.fullmatch(name) is not None


class FactRow(msgspec.Struct, frozen=True, gc=False):
    """The columns of a fact's row that arrive, in the table's order."""

    fact_id: str
    type: str
    version: int
    author: str
    recorded_at_ms: int
    body: bytes


def store_entries(conn: Connection, seal: Seal, arrived: Sequence[Arrived]) -> tuple[str, ...]:
    """Insert entries not held yet, with their facts; returns the ids that other bytes have here already."""
    named = fact_rows(seal, arrived)
    facts = named
    if insert_new(conn, fact, [asdict(row) for row in named]) != len(named):
        facts = _under_other_ids(conn, seal, arrived, named)
    insert_all(conn, entry, [_entry_row(seal, item, row) for item, row in zip(arrived, facts, strict=True)])
    return tuple(old.fact_id for old, new in zip(named, facts, strict=True) if old.fact_id != new.fact_id)


def named_ids(seal: Seal, arrived: Sequence[Arrived]) -> list[tuple[str, bytes]]:
    """Id and bytes of each entry's fact, under the id that the bytes name where they may name one."""
    return [(row.fact_id, row.body) for row in fact_rows(seal, arrived)]


def own_id(digest: str) -> str:
    """The id under which bytes are kept that have none of their own: from the entry's hash, the same everywhere."""
    return digest[:32]


def fact_rows(seal: Seal, arrived: Sequence[Arrived]) -> list[FactRow]:
    """The row of each entry's fact, in the entries' order."""
    return [_fact_row(seal, item) for item in arrived]


def _fact_row(seal: Seal, item: Arrived) -> FactRow:
    try:
        label = _label.decode(item.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        label = None
    if label is None or not _is_well_formed(label) or not _may_speak(seal, item, label.author):
        return _orphan_row(seal, item)
    return FactRow(label.fact_id, label.type, label.version, label.author, label.recorded_at_ms, item.body)


def _is_well_formed(label: Label) -> bool:
    """Whether the columns take it. By hand and not as constraints of the decoder: those cost half of storing a fact."""
    if len(label.fact_id) != ID_CHARACTERS or label.fact_id.strip("0123456789abcdef"):
        return False
    return len(label.type) <= TYPE_CHARACTERS_MAX and _is_type(label.type)


def _may_speak(seal: Seal, item: Arrived, author: str) -> bool:
    """An author's own entry holds its own facts; a relayed one names the stream it was taken from."""
    return author == (item.origin.stream if item.origin else seal.node)


def _orphan_row(seal: Seal, item: Arrived) -> FactRow:
    return FactRow(own_id(item.hash), UNREADABLE_TYPE, 0, seal.node, 0, item.body)


def _under_other_ids(conn: Connection, seal: Seal, arrived: Sequence[Arrived], rows: list[FactRow]) -> list[FactRow]:
    """Some ids were taken: by the same bytes (resent under a new place, relayed before) or by others."""
    held = bodies_of(conn, [row.fact_id for row in rows])
    result = [
        row if held[row.fact_id] == item.body else _orphan_row(seal, item)
        for item, row in zip(arrived, rows, strict=True)
    ]
    orphans = [asdict(new) for new, old in zip(result, rows, strict=True) if new is not old]
    if orphans:
        insert_new(conn, fact, orphans)
    return result


def _entry_row(seal: Seal, item: Arrived, row: FactRow) -> dict[str, Any]:
    origin = item.origin
    return {
        "stream": seal.stream,
        "epoch": seal.epoch,
        "seq": item.seq,
        "hash": item.hash,
        "fact_id": row.fact_id,
        "origin_stream": origin.stream if origin else None,
        "origin_epoch": origin.epoch if origin else None,
        "origin_seq": origin.seq if origin else None,
    }
