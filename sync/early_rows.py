"""A batch's facts at PostgreSQL before it is the batch's turn: all that its entries' order has no part in.

A hub stores one batch of a stream at a time; that, and not the processor, bounds how fast a backlog arrives. Facts have
no order, so those of the next batch are written beside the entries of the one before. They stand behind a savepoint of
the transaction that stores the batch: if not all of it turns out to be new, nothing of them stays, and the batch goes
the ordinary way.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from shared.db.bulk import is_taken
from shared.db.copying import copy_made
from shared.journal.tables import entry, fact
from sync.copy_rows import ENTRY_COLUMNS, make_rows
from sync.messages import Seal
from sync.storing import Arrived, FactRow


class EarlyRows:
    """The rows of one batch, the facts' written at once, in the caller's transaction."""

    def __init__(self, conn: Connection, seal: Seal, arrived: Sequence[Arrived]) -> None:
        self._conn = conn
        self._rows = make_rows(seal, arrived)
        self._point = conn.begin_nested()
        self._written = self._write_facts()

    def end(self, *, whole: bool) -> bool:
        """Write the entries' rows too where the whole batch is new; whether all of its rows are written now."""
        if not (whole and self._written):
            if self._point.is_active:
                self._point.rollback()
            return False
        self._point.commit()
        copy_made(self._conn, entry, ENTRY_COLUMNS, self._rows.entries)
        return True

    def _write_facts(self) -> bool:
        try:
            copy_made(self._conn, fact, FactRow.__struct_fields__, self._rows.facts)
        except IntegrityError as error:
            self._point.rollback()
            if not is_taken(error):
                raise
            return False
        return True
