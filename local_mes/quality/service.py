"""Use cases of quality, and what other features call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_mes.level2.outbox import pass_on_now
from local_mes.plant import Plant
from local_mes.quality import errors
from local_mes.quality.checks import Decision, ask, ask_again, ask_all, rules_at
from local_mes.quality.deed import Deed, by_message, by_person
from local_mes.quality.holds import inherit_from_heats, judge, pass_on_holds, place
from local_mes.quality.release import ReleaseHold, preview_evidence, release_hold
from local_mes.quality.steel import inputs_of, mixed_of, steel_of
from shared.material.queries import get_piece

__all__ = [
    "Decision",
    "Deed",
    "PlaceHold",
    "ReleaseHold",
    "ask",
    "ask_again",
    "ask_all",
    "by_message",
    "by_person",
    "inherit_from_heats",
    "inputs_of",
    "judge",
    "mixed_of",
    "pass_on_holds",
    "place",
    "place_hold",
    "preview_evidence",
    "release_hold",
    "rules_at",
    "steel_of",
]


@dataclass(frozen=True)
class PlaceHold:
    """A person holds a piece, by any of its numbers."""

    command_id: str
    actor: str
    piece: str
    reason: str
    at_ms: int | None = None


def place_hold(plant: Plant, command: PlaceHold) -> dict[str, Any]:
    """Hold a piece by hand. Done once for a command id."""
    if not command.reason.strip():
        raise errors.empty_reason()
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        row = get_piece(tx.conn, command.piece, plant.code)
        # a cast heat may be held for ever: it reaches its slabs
        if row.state in ("consumed", "scrapped") and row.kind != "heat":
            raise errors.piece_ended(row.number, row.state)
        deed = by_person(plant, tx, command.actor, command.at_ms)
        hold_id = place(deed, row.material_id, command.reason.strip())
        result = {"hold_id": hold_id, "piece": row.number, "material_id": row.material_id}
        tx.done(command.command_id, result)
    pass_on_now(plant)
    return result
