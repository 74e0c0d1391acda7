"""Which version of a standard counts for one piece: each says when it takes hold.

`at_once` counts for everything from its adoption on. `next_step` counts from the next step: a step that had begun is
ended by the version it began under. `next_heat` counts for steel whose heat began later: what was in work before goes
its whole way by the version of its heat.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from shared.standards.documents import AnyStandard
from shared.standards.queries import Adopted, find_document, find_in_force


@dataclass(frozen=True)
class Moment:
    """When the piece's heat began, and its present step; None while it is in none."""

    heat_ms: int | None = None
    step_ms: int | None = None


def since_of(takes_hold: str, moment: Moment) -> int | None:
    """The time whose version counts, None for now. Pure."""
    return {"next_heat": moment.heat_ms, "next_step": moment.step_ms}.get(takes_hold)


def version_for(conn: Connection, plant: str, standard_id: str, moment: Moment) -> tuple[Adopted, AnyStandard] | None:
    """The version that counts for a piece, with its document; None where none is in force.

    Steel that is older than the standard at this plant goes by the first version there is.
    """
    now = find_in_force(conn, plant, standard_id)
    document = find_document(conn, standard_id, now.version, now.sha256) if now else None
    if now is None or document is None:
        return None
    since = since_of(document.takes_hold, moment)
    if since is None or max(now.effective_from_ms, now.adopted_ms) <= since:
        return now, document
    then = find_in_force(conn, plant, standard_id, since)
    before = find_document(conn, standard_id, then.version, then.sha256) if then else None
    return (then, before) if then is not None and before is not None else (now, document)
