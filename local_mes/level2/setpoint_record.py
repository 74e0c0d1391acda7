"""Set-points as facts of the journal: who sent which, and what became of it.

The spool is another database, so the two cannot commit together. Its row comes first, and the facts follow from it: as
soon as it is queued or answered, and after a crash when it is looked at again. The same row always gives the same facts.
One that the journal refuses is an incident, and those behind it are recorded all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from local_mes.level2.apart import apart
from local_mes.level2.down import QUEUED, SENT, SETPOINT
from local_mes.level2.link_state import real_ms
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.primary_data import PIECE_FIELDS
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared import logs
from shared.clock import to_datetime
from shared.db.engine import read
from shared.errors import StrandlineError
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.material.queries import find_by_number
from shared.setpoints.facts import SetPointGiven, SetPointSettled
from sync.peers import open_incident

LATER_MS = 3_600_000
"""Real time in which a set-point that was taken back may still be confirmed: its answer came after all."""
PLANT = "plant"
CHUNK = 100
"""Set-points recorded in one transaction: after an upgrade those that the spool still has come at once."""
EVIDENCE_CHARACTERS = 1_000

log = logs.get("level2")


class SetPointRecorder:
    """Follows the set-points of one plant's spool; what it has seen settled for long it does not look at again."""

    def __init__(self, plant: Plant, plan: Callable[[], LinkPlan]) -> None:
        """plan: the links as they are now, for what a set-point was called."""
        self._plant, self._plan = plant, plan
        self._from = 0
        self._seen: dict[int, str] = {}

    def step(self) -> int:
        """Record what came since the last look; returns how many set-points that were."""
        rows = _read_rows(self._plant, self._from)
        new = [row for row in rows if self._seen.get(row.down_id) != row.state]
        for at in range(0, len(new), CHUNK):
            _record_all(self._plant, self._plan(), new[at : at + CHUNK])
        followed = {row.down_id: row.state for row in rows if _may_change(row)}
        self._from = min(followed, default=rows[-1].down_id + 1 if rows else self._from)
        self._seen = {row.down_id: row.state for row in rows if row.down_id >= self._from}
        return len(new)


def record_now(plant: Plant, down_id: int, plan: LinkPlan | None = None) -> None:
    """The facts of one set-point at once where that can be; what its row says is done, and else the recorder follows."""
    try:
        rows = [row for row in _read_rows(plant, down_id) if row.down_id == down_id]
        _record_all(plant, plan or load_links(plant.settings), rows)
    except Exception as error:  # noqa: BLE001 - nothing takes back what was done in the spool
        log.warning("set-point not recorded yet", down_id=down_id, why=str(error))


def _record_all(plant: Plant, plan: LinkPlan, rows: Sequence[Any]) -> None:
    with plant.journal.work() as tx:
        for row in rows:
            try:
                with apart(tx):
                    tx.record(*_facts(plant, plan, tx.conn, row))
            except Exception as error:
                if isinstance(error, OperationalError) or (isinstance(error, StrandlineError) and error.again):
                    raise  # the node is unwell, not this set-point
                # whatever else it is, it must not hold up the others
                _tell_refused(plant, tx.conn, row, error)


def _tell_refused(plant: Plant, conn: Connection, row: Any, error: Exception) -> None:
    """Told once for each set-point: the journal will refuse it as long as it is what it is."""
    log.warning("set-point cannot be recorded", down_id=row.down_id, why=str(error))
    what = (
        f"Set-point {row.down_id}, {row.message} of {row.link}, sent {to_datetime(row.queued_ms):%Y-%m-%d %H:%M:%S} UTC,"
        " cannot be recorded. Its row on the page Set-points stands."
    )
    evidence = f"{type(error).__name__}: {error}".replace("\0", "")[:EVIDENCE_CHARACTERS]
    open_incident(conn, plant.clock, plant.code, "set_point", what, level="attention", evidence=evidence)


def _read_rows(plant: Plant, first: int) -> Sequence[Any]:
    with read(plant.spool) as conn:
        query = select(down).where(down.c.kind == SETPOINT, down.c.down_id >= first)
        return conn.execute(query.order_by(down.c.down_id)).all()


def _may_change(row: Any) -> bool:
    return row.state in (QUEUED, SENT) or (row.queued_real_ms or 0) > real_ms() - LATER_MS


def _facts(plant: Plant, plan: LinkPlan, conn: Connection, row: Any) -> Iterator[Draft[Any]]:
    code, key = plant.code, row.key
    setpoint_id = derived_id(row.queued_ms, code, "setpoint", key)
    fields = msgspec.json.decode(row.fields)
    number = row.piece or next((str(fields[name]) for name in PIECE_FIELDS if fields.get(name)), "")
    material_id = _find_piece(conn, number, code)
    link, layout = plan.links.get(row.link), plan.find_layout(row.link, row.message)
    yield Draft(
        SetPointGiven(
            setpoint_id=setpoint_id,
            link=row.link,
            message=row.message,
            values={name: value for name, value in fields.items() if value is not None},
            unit=link.unit if link else "",
            title=layout.title if layout else "",
            material_id=material_id,
            number=number,
        ),
        (setpoint_id, material_id) if material_id else (setpoint_id,),
        row.asked_by or PLANT,
        Occurred(row.queued_ms, "manual"),
        derived_id(row.queued_ms, code, "setpoint given", key),
    )
    if row.state not in (QUEUED, SENT):
        yield Draft(
            SetPointSettled(setpoint_id=setpoint_id, outcome=row.state, answer=row.answer),
            (setpoint_id,),
            row.settled_by or PLANT,
            Occurred(row.answered_ms, "manual" if row.settled_by else f"l2:{row.link}"[:64]),
            derived_id(row.answered_ms, code, "setpoint settled", key, row.state),
        )


def _find_piece(conn: Connection, number: str, code: str) -> str:
    """The piece that a number means, the one that is here first; empty where it means none."""
    found = find_by_number(conn, number, code) if number else []
    return next((one.material_id for one in sorted(found, key=lambda one: one.state != "live")), "")
