"""Appliers by registration: the journal hands decoded facts to whoever asked for their type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact, Payload
from shared.journal.subjects import follow_subjects, lead_subjects
from shared.journal.tables import applied

Applier = Callable[[Connection, Sequence[AppliedFact[Any]]], None]


class Appliers:
    """Payload type -> the function that turns facts of it into rows, in bulk, in order."""

    def __init__(self) -> None:
        self._by_type: dict[type[Payload], Applier] = {}

    def add(self, payload: type[Payload], applier: Applier) -> None:
        """Register one applier; a type has exactly one."""
        if payload in self._by_type:
            raise TypeError(f"{payload.__name__} has an applier already")
        self._by_type[payload] = applier

    def write_rows(self, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
        """The rows alone, for a history that is made up without a journal: nothing is noted as applied."""
        for cls, run in groupby(facts, key=lambda f: type(f.payload)):
            applier = self._by_type.get(cls)
            if applier is not None:
                applier(conn, list(run))

    def apply(self, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
        """Apply facts of one author, not applied before, in order; consecutive ones of a type go in bulk."""
        self._write(conn, facts)
        follow_subjects(conn, facts)

    def apply_own(self, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
        """The same for facts that this node records in this transaction, under the lock of its stream."""
        self._write(conn, facts)
        lead_subjects(conn, facts)

    def _write(self, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
        self.write_rows(conn, facts)
        upsert(conn, applied, [{"author": f.author, "fact_id": f.fact_id} for f in facts])
