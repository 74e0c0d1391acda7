"""The plant's number counters as values that must never go back: kept in the anchor, told to the hub with every batch."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from local_mes.model.domain import PlantModel
from local_mes.model.tables import number_counter
from shared.db.upsert import upsert
from shared.journal.highest import NUMBER_GAP


class NumberMarks:
    """Counter code -> the last number given out."""

    def __init__(self, model: PlantModel) -> None:
        self._schemes = {scheme.code: scheme for scheme in model.numbering}

    def read(self, conn: Connection) -> dict[str, int]:
        """Every counter of the model that has given out a number."""
        rows = conn.execute(select(number_counter))
        return {row.scheme: row.last for row in rows if row.scheme in self._schemes}

    def owns(self, name: str) -> bool:
        """Whether the model has such a counter."""
        return name in self._schemes

    def raise_to(self, conn: Connection, values: Mapping[str, int]) -> None:
        """Bring counters up. Where the gap would leave no number of the scheme's width, the mark alone counts."""
        now = self.read(conn)
        rows = []
        for code, value in values.items():
            scheme = self._schemes.get(code)
            if scheme is None:
                continue
            most = 10**scheme.width - 1
            target = value if value < most else value - NUMBER_GAP
            if target > now.get(code, scheme.first - 1):
                rows.append({"scheme": code, "last": target})
        upsert(conn, number_counter, rows, update=["last"])
