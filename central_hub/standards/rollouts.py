"""Waves: a version begins at a pilot, goes on from wave to wave, becomes everybody's, or is taken back in one action.

What is released in waves stands in the signed catalogue beside the current version; who gets it is the hub's word
alone (the assignment), so neither a wave nor a way back needs a key holder. A wave begins at its time or by a person;
its plants are asked for their consent where the plan says so. When the waves are over, the next signed catalogue makes
the version the current one of every plant.
"""

from __future__ import annotations

from collections.abc import Sequence

from central_hub.hub import Hub
from central_hub.standards import errors, publishing
from central_hub.standards.escalating import escalate
from central_hub.standards.queries import find_catalogue
from central_hub.standards.recording import active_plants, record
from central_hub.standards.rights import check_may_version
from shared.db.engine import read
from shared.journal.fact import Payload
from shared.journal.journal import Work
from shared.standards import facts
from shared.standards.queries import find_version
from shared.standards.rollout_queries import PlannedWave, Rollout, find_rollout, list_rollouts

WAVES_MAX = 20
"""A plan that a person can read; a group of 40 plants in pairs."""
ANSWER_DAYS_MAX = 90
"""As long as releases of neighbouring versions are served; who has not answered by then is called."""


def check_alone(tx: Work, hub: Hub, standard_id: str) -> None:
    """Refused while another version of the standard goes out in waves: nobody could tell what a figure speaks of."""
    for rollout in list_rollouts(tx.conn, hub.code, "planned", "running"):
        if rollout.standard_id == standard_id:
            raise errors.goes_out_already(standard_id, rollout.version)


def check_stands_still(tx: Work, hub: Hub, standard_id: str, version: int) -> None:
    """Refused while this very version goes out in waves: it is rolled back, which leaves no wave behind."""
    rollout = find_rollout(tx.conn, hub.code, standard_id, version)
    if rollout is not None and rollout.state in ("planned", "running"):
        raise errors.roll_it_back(standard_id, version)


def plan(tx: Work, hub: Hub, standard_id: str, version: int, waves: Sequence[facts.Wave], actor: str) -> None:
    """Write down who begins when, in the transaction of the approval."""
    faults = _faults(waves, set(active_plants(tx.conn)))
    if faults:
        raise errors.bad_plan(faults)
    payload = facts.RolloutPlanned(standard_id=standard_id, version=version, waves=tuple(waves))
    _record(tx, hub, payload, standard_id, version, actor)


def advance(hub: Hub, standard_id: str, version: int, wave: int, actor: str, command_id: str) -> None:
    """Begin a wave: the next one of the plan, whose number the person saw; its plants are assigned the version."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        rollout = _get(tx, hub, standard_id, version)
        following = rollout.next_wave
        if following is None or following.number != wave:
            raise errors.not_the_next_wave(standard_id, version, wave)
        check_may_version(tx.conn, hub, standard_id, version, actor)
        _begin(tx, hub, rollout, following, actor)
        tx.done(command_id, True)


def advance_due(hub: Hub, actor: str = "standards") -> int:
    """Begin the waves whose time has come; returns how many. A job."""
    with read(hub.node.engine) as conn:
        if not any(_is_due(hub, r) for r in list_rollouts(conn, hub.code, "planned", "running")):
            return 0
    begun = 0
    with hub.journal.work() as tx:
        for rollout in list_rollouts(tx.conn, hub.code, "planned", "running"):
            wave = rollout.next_wave
            if wave is not None and _is_due(hub, rollout) and _is_published(tx, hub, rollout):
                _begin(tx, hub, rollout, wave, actor)
                begun += 1
    return begun


def keep_up(hub: Hub) -> None:
    """Everything of standards that comes due by itself: waves, answers that did not come, timestamps. A job."""
    advance_due(hub)
    escalate(hub)
    publishing.issue_missing(hub)


def complete(hub: Hub, standard_id: str, version: int, actor: str, command_id: str) -> None:
    """The waves have shown enough: ask the key holders for the catalogue that makes it the current version."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        rollout = _get(tx, hub, standard_id, version)
        if rollout.next_wave is not None:
            raise errors.waves_left(standard_id, version, rollout.next_wave.number)
        check_may_version(tx.conn, hub, standard_id, version, actor)
        payload = facts.RolloutCompleted(standard_id=standard_id, version=version)
        _record(tx, hub, payload, standard_id, version, actor)
        publishing.ask_for_signatures(tx, hub, actor)
        tx.done(command_id, True)


def roll_back(hub: Hub, standard_id: str, version: int, reason: str, actor: str, command_id: str) -> int:
    """Take a version back at every plant at once; returns the version that is in force again (0: none).

    One that still waits for signatures in a plan of waves is taken back too: key holders who will not sign it must not
    leave the standard locked. A request that nobody has signed is written anew without it.
    """
    with hub.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return int(known)
        row = find_version(tx.conn, hub.code, standard_id, version)
        if row is None:
            raise errors.unknown_version(standard_id, version)
        planned = find_rollout(tx.conn, hub.code, standard_id, version)
        if row.status != "published" and not (planned and row.status in ("approved", "awaiting_signatures")):
            raise errors.wrong_status(standard_id, version, row.status, "rolled back")
        back_to = _before(tx, hub, standard_id, version)
        payload = facts.StandardRolledBack(standard_id=standard_id, version=version, back_to=back_to, reason=reason)
        _record(tx, hub, payload, standard_id, version, actor)
        for plant in active_plants(tx.conn):
            publishing.issue_to(tx, hub, plant, actor, chosen_anew=True)
        publishing.ask_for_signatures(tx, hub, actor)
        tx.done(command_id, back_to)
    return back_to


def _begin(tx: Work, hub: Hub, rollout: Rollout, wave: PlannedWave, actor: str) -> None:
    if not _is_published(tx, hub, rollout):
        raise errors.not_signed_yet(rollout.standard_id, rollout.version)
    payload = facts.RolloutAdvanced(standard_id=rollout.standard_id, version=rollout.version, wave=wave.number)
    _record(tx, hub, payload, rollout.standard_id, rollout.version, actor)
    for plant in set(wave.plants) & set(active_plants(tx.conn)):
        publishing.issue_to(tx, hub, plant, actor, chosen_anew=True)


def _is_due(hub: Hub, rollout: Rollout) -> bool:
    wave = rollout.next_wave
    return wave is not None and 0 < wave.starts_ms <= hub.clock.now_ms()


def _is_published(tx: Work, hub: Hub, rollout: Rollout) -> bool:
    found = find_catalogue(tx.conn, hub.code)
    return found is not None and found[0].find_version(rollout.standard_id, rollout.version) is not None


def _before(tx: Work, hub: Hub, standard_id: str, version: int) -> int:
    """What plants run instead: the current version while this one is in waves, else the one it replaced."""
    found = find_catalogue(tx.conn, hub.code)
    if found is None:
        return 0
    current = found[0].find(standard_id)
    if current is not None and current.version != version:
        return current.version if current.status == "active" else 0
    kept = [e.version for e in found[0].also if e.id == standard_id and e.version < version and e.status == "active"]
    return max(kept, default=0)


def _faults(waves: Sequence[facts.Wave], known: set[str]) -> list[str]:
    named = [plant for wave in waves for plant in wave.plants]
    faults = [f"wave {n} names no plant" for n, wave in enumerate(waves, start=1) if not wave.plants]
    faults += [f"{plant} is no enrolled plant" for plant in sorted(set(named) - known)]
    faults += [f"{plant} is in two waves" for plant in sorted({p for p in named if named.count(p) > 1})]
    faults += [
        f"wave {n} asks for {wave.answer_days} days, at most {ANSWER_DAYS_MAX} are possible"
        for n, wave in enumerate(waves, start=1)
        if not 0 <= wave.answer_days <= ANSWER_DAYS_MAX
    ]
    times = [wave.starts_ms for wave in waves if wave.starts_ms]
    if times != sorted(times):
        faults.append("a later wave begins before an earlier one")
    if len(waves) > WAVES_MAX:
        faults.append(f"there are {len(waves)} waves, at most {WAVES_MAX} are possible")
    return faults


def _get(tx: Work, hub: Hub, standard_id: str, version: int) -> Rollout:
    rollout = find_rollout(tx.conn, hub.code, standard_id, version)
    if rollout is None or rollout.state not in ("planned", "running"):
        raise errors.no_rollout(standard_id, version)
    return rollout


def _record(tx: Work, hub: Hub, payload: Payload, standard_id: str, version: int, actor: str) -> None:
    record(tx, hub, payload, f"standard:{standard_id}:{version}", actor)
