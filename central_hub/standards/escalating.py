"""Who did not answer in time goes up: the people who released the version read it among their mentions, once a plant.

Nothing is forced on a plant that is silent, and a wave goes on or stands as people say; but somebody is told to call.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards.recording import record
from shared.db.engine import read
from shared.ids import new_id
from shared.standards.queries import find_in_force, find_version
from shared.standards.rollout_queries import Rollout, list_answers, list_rollouts
from shared.standards.talk_facts import StandardCommented

ACTOR = "standards"
Silent = tuple[Rollout, str]


def escalate(hub: Hub) -> int:
    """Tell of every plant whose answer is overdue and of which it was not told; returns how many. A job."""
    with read(hub.node.engine) as conn:
        if not any(True for _ in _silent(conn, hub)):
            return 0
    told = 0
    with hub.journal.work() as tx:
        for rollout, plant in _silent(tx.conn, hub):
            said = f"overdue:{rollout.standard_id}:{rollout.version}:{plant}"[-64:]
            if tx.once(said) is None:
                record(tx, hub, _word(tx.conn, hub, rollout, plant), _subject(rollout), ACTOR)
                tx.done(said, True)
                told += 1
    return told


def _silent(conn: Connection, hub: Hub) -> Iterator[Silent]:
    """Plants of begun waves that were asked, are past their day, said nothing and do not run the version."""
    now = hub.clock.now_ms()
    answered = {(said.standard_id, said.version, said.plant) for said in list_answers(conn)}
    for rollout in list_rollouts(conn, hub.code, "planned", "running"):
        for wave in rollout.waves:
            for plant in wave.plants if 0 < wave.answer_by_ms < now else ():
                runs = find_in_force(conn, plant, rollout.standard_id)
                if (rollout.standard_id, rollout.version, plant) not in answered and (
                    runs is None or runs.version != rollout.version
                ):
                    yield rollout, plant


def _word(conn: Connection, hub: Hub, rollout: Rollout, plant: str) -> StandardCommented:
    row = find_version(conn, hub.code, rollout.standard_id, rollout.version)
    people = [rollout.planned_by, *((str(row.approved_by), str(row.drafted_by)) if row else ())]
    return StandardCommented(
        comment_id=new_id(hub.clock),
        standard_id=rollout.standard_id,
        version=rollout.version,
        text=f"{plant} was asked for its consent and has not answered in time. Please call: it keeps what it runs until then.",
        mentions=tuple(dict.fromkeys(person for person in people if person)),
    )


def _subject(rollout: Rollout) -> str:
    return f"standard:{rollout.standard_id}:{rollout.version}"
