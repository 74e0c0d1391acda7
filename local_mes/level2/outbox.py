"""What goes down to Level 2 is asked for in the transaction that is its reason, and passed on to the spool after its commit.

The spool is another database, so the two cannot commit together. A row that waits here has the fate of the facts beside
it: rolled back with them, or passed on, after a crash too. Passing on twice queues once, by the key of the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.devices.standing import withdraw_held
from local_mes.level2.down import CALL, TELEGRAM, queue_call, queue_telegram
from local_mes.level2.primary_data import withdraw_primary_data, withdraw_setpoints
from local_mes.level2.tables import outbox
from local_mes.plant import Plant
from shared import logs
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.errors import StrandlineError

RECHECK = "recheck"

log = logs.get("level2")


def tell(conn: Connection, link: str, message: str, fields: Mapping[str, Any], *, key: str) -> None:
    """Ask for a down telegram within the caller's transaction. The same key again changes nothing."""
    _ask(conn, key, link, TELEGRAM, message, fields)


def call(conn: Connection, link: str, method: str, fields: Mapping[str, Any], *, key: str) -> None:
    """Ask for an OPC UA method call such as `PDI.Store`; fields are its arguments in order."""
    _ask(conn, key, link, CALL, method, fields)


def recheck_jobs(conn: Connection, *, key: str) -> None:
    """A piece was held: after the commit, what must not be done for it is withdrawn: jobs, primary data, set-points."""
    _ask(conn, key, "", RECHECK, "", {})


def pass_on(plant: Plant) -> int:
    """Queue in the spool what committed transactions asked for, in their order; returns how many orders that were."""
    with read(plant.node.engine) as conn:
        rows = conn.execute(select(outbox).order_by(outbox.c.ordinal)).all()
    for row in rows:
        if row.kind == RECHECK:
            withdraw_held(plant)
            withdraw_primary_data(plant)
            withdraw_setpoints(plant)
            continue
        queue = queue_call if row.kind == CALL else queue_telegram
        queue(plant.spool, plant.clock, row.link, row.message, msgspec.json.decode(row.fields), key=row.key)
    if rows:
        with write(plant.node.engine) as conn:
            conn.execute(delete(outbox).where(outbox.c.key.in_([row.key for row in rows])))
    return sum(row.kind != RECHECK for row in rows)


def pass_on_now(plant: Plant) -> None:
    """The same right after a commit, which stands whatever becomes of this: what stays is passed on at the next look."""
    try:
        pass_on(plant)
    except (SQLAlchemyError, StrandlineError) as error:
        log.warning("not passed on to the spool yet", why=str(error)[:300])


def _ask(conn: Connection, key: str, link: str, kind: str, message: str, fields: Mapping[str, Any]) -> None:
    text = msgspec.json.encode(dict(fields)).decode()
    ordinal = conn.execute(select(func.coalesce(func.max(outbox.c.ordinal), 0) + 1)).scalar_one()
    row = {"key": key, "ordinal": ordinal, "link": link, "kind": kind, "message": message, "fields": text}
    upsert(conn, outbox, [row])
