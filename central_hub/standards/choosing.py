"""Which version a plant gets where it is not the current one: a wave it is in, or the way back from a bad release."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards.domain import Choice, Ended
from shared.standards.messages import Catalogue
from shared.standards.queries import list_versions
from shared.standards.rollout_queries import Rollout, list_rollouts


def choices_for(conn: Connection, hub: Hub, plant: str, catalogue: Catalogue) -> dict[str, Choice]:
    """Standard id -> what the plant gets instead of the current version."""
    return chosen_among(list_choosing(conn, hub), plant, catalogue)


def list_choosing(conn: Connection, hub: Hub) -> list[Rollout]:
    """The rollouts that may have chosen something for a plant."""
    return list_rollouts(conn, hub.code, "running", "completed", "rolled_back")


def chosen_among(rollouts: Sequence[Rollout], plant: str, catalogue: Catalogue) -> dict[str, Choice]:
    """The same of rollouts that were read once for many plants. Pure."""
    choices = {}
    for rollout in rollouts:
        choice = _choice(rollout, plant, catalogue)
        if choice is not None:
            choices[rollout.standard_id] = choice
    return choices


def _choice(rollout: Rollout, plant: str, catalogue: Catalogue) -> Choice | None:
    current = catalogue.find(rollout.standard_id)
    is_current = current is not None and current.version == rollout.version and current.status == "active"
    if rollout.state == "rolled_back":
        return Choice(rollout.back_to) if is_current else None
    wave = rollout.wave_of(plant)
    was_current = current is not None and current.version >= rollout.version  # and was followed, or withdrawn, since
    if was_current or wave is None or not wave.started_ms:
        return None
    if catalogue.find_version(rollout.standard_id, rollout.version) is None:
        return None
    return Choice(rollout.version, wave.answer_by_ms)


def ended_versions(conn: Connection, hub: Hub, previous: Catalogue | None) -> Ended:
    """What the next catalogue has to say of versions that the one before still has active, or beside the current."""
    if previous is None:
        return Ended()
    active = {(e.id, e.version) for e in (*previous.entries, *previous.also) if e.status == "active"}
    gone = {(row.standard_id, row.version) for row in list_versions(conn, hub.code, "withdrawn")}
    rollouts = list_rollouts(conn, hub.code, "completed", "rolled_back")
    beside = {(e.id, e.version) for e in previous.also}
    completed = {(r.standard_id, r.version) for r in rollouts if r.state == "completed"} & beside
    current = {e.id: e.version for e in previous.entries}
    return Ended(
        frozenset(active & gone),
        {(r.standard_id, r.version): r.back_to for r in rollouts if r.state == "rolled_back"},
        frozenset(key for key in completed - gone if current.get(key[0], 0) < key[1]),
    )
