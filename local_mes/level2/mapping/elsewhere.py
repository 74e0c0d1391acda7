"""What other messages told: several Level 2s speak of one piece, each knows a part. Read from the spool, so a replay of the
same messages finds the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Text, and_, cast, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from local_mes.level2.mapping.apply import Same, at
from local_mes.level2.mapping.entries import Variable
from local_mes.level2.mapping.signals import Signal
from local_mes.level2.operations import BadMessage, Message
from local_mes.level2.spool import get_key
from local_mes.level2.spool_tables import message
from local_mes.level2.tables import repair
from local_mes.plant import Plant
from shared.db.engine import read
from shared.rules.port import InputValue

LOOKED_AT_MAX = 500
"""Messages looked at for one value; those of another piece are not among them where the piece is named by a text."""


class Spooled:
    """Looks in the plant's spool."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def find(self, asking: Message, variable: Variable, same: Sequence[Same]) -> InputValue | None:
        """The newest message of the same piece, before or after; where no piece is named the last one before."""
        signal, use = variable.signal, variable.use
        assert use is not None
        within_ms = int(use.within_s * 1000)
        c, mended = message.c, self._mended(signal.link, asking.received_ms - within_ms)
        wanted: list[ColumnElement[bool]] = [
            c.link == signal.link,
            c.received_ms >= asking.received_ms - within_ms,
            c.received_ms <= asking.received_ms + within_ms,
            or_(*(_named(told) for told, _ in signal.sources)),
        ]
        says = [_says(theirs, value) for theirs, value in same if isinstance(value, str) and theirs.table is None]
        wanted.append(or_(and_(c.problem == "", *says), c.spool_id.in_(list(mended))))
        if not same:
            wanted.append(c.spool_id < asking.spool_id)
        query = (
            select(c.spool_id, c.message, c.fields)
            .where(and_(*wanted))
            .order_by(c.spool_id.desc())
            .limit(LOOKED_AT_MAX)
        )
        with read(self._plant.spool) as conn:
            for row in conn.execute(query):
                fields = msgspec.json.decode(mended.get(row.spool_id, row.fields))
                if all(_told(theirs, row.message, fields) == value for theirs, value in same):
                    value = _told(signal, row.message, fields)
                    if value is not None:
                        return value
        return None

    def _mended(self, link: str, since_ms: int) -> dict[int, str]:
        """Messages that a person mended lately: what counts is what they say now."""
        c = repair.c
        mended = select(c.spool_id, c.mended).where(
            c.state == "mended", c.received_ms >= since_ms, c.link == link, c.spool == get_key(self._plant.spool)
        )
        with read(self._plant.node.engine) as conn:
            return {row.spool_id: row.mended for row in conn.execute(mended.limit(LOOKED_AT_MAX))}


def _says(signal: Signal, value: str) -> ColumnElement[bool]:
    """The same asked of the database, so that messages of other pieces cost nothing: a field may hold it as a number."""
    fields = {field for _, field in signal.sources}
    paths = {f'$."{field}"' for field in fields} | {"$." + ".".join(f'"{p}"' for p in f.split(".")) for f in fields}
    told = (func.trim(cast(func.json_extract(message.c.fields, path), Text)) for path in sorted(paths))
    return or_(*(one.in_((value, f"{value}.0")) for one in told))


def _named(told: str) -> ColumnElement[bool]:
    return message.c.message.endswith(told[1:], autoescape=True) if told.startswith("*.") else message.c.message == told


def _told(signal: Signal, name: str, fields: Mapping[str, object]) -> InputValue | None:
    """None also for what is implausible: such a message lies in repair itself, until it is mended."""
    field = signal.find_field(name)
    if field is None:
        return None
    try:
        return signal.read(at(fields, field), field)
    except BadMessage:
        return None
