"""Which version of a standard counts for one piece: each says when it takes hold.

`at_once` counts for everything from its adoption on. `next_step` counts from the next step: a step that had begun is
ended by the version it began under. `next_heat` counts for steel whose heat began later: what was in work before goes
its whole way by the version of its heat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.standards.documents import AnyStandard
from shared.standards.queries import Adopted, find_document, list_history


@dataclass(frozen=True)
class Moment:
    """When the piece's heat began, and its present step; None while it is in none."""

    heat_ms: int | None = None
    step_ms: int | None = None


def since_of(takes_hold: str, moment: Moment) -> int | None:
    """The time whose version counts, None for now. Pure."""
    return {"next_heat": moment.heat_ms, "next_step": moment.step_ms}.get(takes_hold)


def spell_at(spells: Sequence[Adopted], at_ms: int | None) -> Adopted | None:
    """Which of a plant's spells of one standard counts: at a time, or now (None). Pure.

    Where none was in force then, the next that came does: steel that is older than the standard goes by its first version.
    """
    if at_ms is None:
        return next((spell for spell in spells if spell.until_ms is None), None)
    then = [s for s in spells if s.since_ms <= at_ms and (s.until_ms is None or s.until_ms > at_ms)]
    if then:
        return max(then, key=lambda s: (s.effective_from_ms, s.adopted_ms))
    return min((s for s in spells if s.since_ms > at_ms), key=lambda s: s.since_ms, default=None)


def version_for(conn: Connection, plant: str, standard_id: str, moment: Moment) -> tuple[Adopted, AnyStandard] | None:
    """The version that counts for a piece, with its document; None where none is in force."""
    spells = list_history(conn, standard_id, plant)
    now = spell_at(spells, None)
    document = find_document(conn, standard_id, now.version, now.sha256) if now else None
    if now is None or document is None:
        return None
    since = since_of(document.takes_hold, moment)
    if since is None or now.since_ms <= since:
        return now, document
    then = spell_at(spells, since)
    before = find_document(conn, standard_id, then.version, then.sha256) if then else None
    return (then, before) if then is not None and before is not None else (now, document)
