"""Jobs that were asked for and not yet answered: whether they may still be done.

Between asking and doing a piece may be held. A marking that has not begun is withdrawn then; what the machine is told
of already it finishes, and that is on record as what happened.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Engine, select, update

from local_mes.level2.down import QUEUED, REFUSED, SENT
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.quality.queries import open_holds

MARK = "Mark"
OPEN = (QUEUED, SENT)


def withdraw(spool: Engine, down_id: int, why: str, now_ms: int) -> bool:
    """Take a job back that is not answered; the driver looks at this right before it acts. False when it was answered."""
    values: dict[str, Any] = {"state": REFUSED, "answered_ms": now_ms, "answer": f"withdrawn: {why}"}
    query = update(down).where(down.c.down_id == down_id, down.c.state.in_(OPEN)).values(**values)
    with write(spool) as conn:
        return conn.execute(query).rowcount > 0


def withdraw_held(plant: Plant) -> int:
    """Take back the markings of pieces that are held now; returns how many those were."""
    query = select(down.c.down_id, down.c.fields).where(down.c.message == MARK, down.c.state.in_(OPEN))
    with read(plant.spool) as conn:
        rows = conn.execute(query).all()
    count = 0
    for row in rows:
        material_id = str(msgspec.json.decode(row.fields).get("material_id", ""))
        with read(plant.node.engine) as conn:
            holds = open_holds(conn, material_id) if material_id else []
        if holds and withdraw(plant.spool, row.down_id, f"the piece is held ({holds[0].reason})", plant.clock.now_ms()):
            count += 1
    return count
