"""Whether the plant's casters stand: what may interrupt nothing (an upgrade) asks before it begins."""

from __future__ import annotations

from sqlalchemy import Connection

from local_mes.model.domain import PlantModel
from local_mes.production.cast_sequence import all_ladles, sequence_of
from local_mes.production.in_work import find_told
from shared.errors import Refused

LADLE_MS = 3 * 3_600_000
"""Nobody casts one ladle for so long: a sequence whose end was never told is over by then."""


def running_sequences(conn: Connection, model: PlantModel, now_ms: int) -> list[str]:
    """The sequences that are being cast now, in words; none where no caster is or all stand."""
    found = []
    for unit in model.unit:
        ladles = all_ladles(conn, unit)
        if not ladles or now_ms - ladles[-1].opened_ms > LADLE_MS:
            continue
        sequence = sequence_of(unit, ladles, ladles[-1])
        if "ended_ms" not in (find_told(conn, unit.code, sequence.key) or {}):
            found.append(f"{unit.code} casts sequence {ladles[-1].sequence}, heat {ladles[-1].heat}")
    return found


def check_at_rest(conn: Connection, model: PlantModel, now_ms: int) -> None:
    """Refused while a sequence is being cast."""
    running = running_sequences(conn, model, now_ms)
    if running:
        raise Refused(
            "production.casting",
            f"{'; '.join(running)}.",
            kept="Nothing was changed.",
            todo="Wait for the planned stop of the line; then ask again.",
        )
