"""A batch's rows in the binary form of PostgreSQL's COPY, made before the transaction that stores them.

Columns repeat over a batch (its stream, its authors and types): their bytes are made once. The form itself is in
PostgreSQL's documentation of COPY, "Binary Format".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.db.copying import HEADER, NULL, TRAILER, text_field
from sync.messages import Seal
from sync.pack import Origin
from sync.storing import Arrived, FactRow, fact_rows

ENTRY_COLUMNS = ("stream", "epoch", "seq", "hash", "fact_id", "origin_stream", "origin_epoch", "origin_seq")

_NO_ORIGIN = NULL * 3

_COLUMNS = struct.Struct(">h").pack
_ID = struct.Struct(">hi32s").pack
_RECORDED = struct.Struct(">iqi").pack
_PLACE = struct.Struct(">iqi64si32s").pack
_NUMBER = struct.Struct(">iq").pack


@dataclass(frozen=True)
class CopyRows:
    """The facts' and the entries' rows of a whole batch, each as one COPY takes them."""

    count: int
    facts: bytes
    entries: bytes


def make_rows(seal: Seal, arrived: Sequence[Arrived]) -> CopyRows:
    """The rows of all these entries, each fact under the id that its bytes name where they may name one."""
    rows = fact_rows(seal, arrived)
    front = _COLUMNS(len(ENTRY_COLUMNS)) + text_field(seal.stream) + text_field(seal.epoch)
    facts = b"".join([HEADER, *map(_fact, rows), TRAILER])
    entries = b"".join([HEADER, *(_entry(front, item, row) for item, row in zip(arrived, rows, strict=True)), TRAILER])
    return CopyRows(len(rows), facts, entries)


def _fact(row: FactRow) -> bytes:
    body = row.body
    return b"%b%b%b%b" % (
        _ID(len(FactRow.__struct_fields__), 32, row.fact_id.encode()),
        _labels(row.type, row.version, row.author),
        _RECORDED(8, row.recorded_at_ms, len(body)),
        body,
    )


@lru_cache(maxsize=1_000)
def _labels(kind: str, version: int, author: str) -> bytes:
    return text_field(kind) + _NUMBER(8, version) + text_field(author)


def _entry(front: bytes, item: Arrived, row: FactRow) -> bytes:
    place = _PLACE(8, item.seq, 64, item.hash.encode(), 32, row.fact_id.encode())
    return b"%b%b%b" % (front, place, _NO_ORIGIN if item.origin is None else _from(item.origin))


def _from(origin: Origin) -> bytes:
    return text_field(origin.stream) + text_field(origin.epoch) + _NUMBER(8, origin.seq)
