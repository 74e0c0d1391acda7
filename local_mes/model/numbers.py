"""Business numbers: each is issued once, in the transaction that uses it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from local_mes.model.domain import PlantModel, Scheme
from local_mes.model.errors import unknown_scheme
from local_mes.model.tables import number_counter
from shared.db.upsert import upsert
from shared.journal.journal import Work


def next_number(tx: Work, scheme: Scheme) -> str:
    """The next number of a scheme; given back only if the transaction is rolled back."""
    last = _last(tx.conn, scheme)
    counter = scheme.first if last is None else last + 1
    _keep(tx.conn, scheme, counter)
    return scheme.text(counter)


def pass_number(tx: Work, scheme: Scheme, value: str) -> None:
    """A number that came from elsewhere (a person, the machine, an import): the counter goes past it."""
    counter, last = scheme.find_counter(value), _last(tx.conn, scheme)
    if counter is not None and (last is None or counter > last):
        _keep(tx.conn, scheme, counter)


def get_scheme(model: PlantModel, code: str) -> Scheme:
    """A scheme of the model, by its code; BadSetup when the model does not have it."""
    scheme = model.find_scheme(code)
    if scheme is None:
        raise unknown_scheme(code, model.code)
    return scheme


def _last(conn: Connection, scheme: Scheme) -> int | None:
    # locked on PostgreSQL; on SQLite the transaction is the only writer
    query = select(number_counter.c.last).where(number_counter.c.scheme == scheme.code).with_for_update()
    return conn.execute(query).scalar()


def _keep(conn: Connection, scheme: Scheme, counter: int) -> None:
    upsert(conn, number_counter, [{"scheme": scheme.code, "last": counter}], update=["last"])
