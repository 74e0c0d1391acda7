"""A day played in a staging copy: each message as it came, what people and the hub did when they did it.

With a standard tried it is in force from the day's first moment on, and stays so whatever else is adopted meanwhile.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.level2.spool_tables import message
from local_mes.plant import Plant
from local_mes.production import operations as _operations  # noqa: F401 - registers what messages mean
from local_mes.staging.comparing import ACTOR
from local_mes.staging.copying import Day, Told
from local_mes.standards.beside import install_own
from shared.clock import FixedClock
from shared.db.engine import write
from shared.journal.fact import Draft, Occurred
from shared.journal.reading import Stored
from shared.journal.replay import apply_entries
from shared.standards.canonical import body_of, sha256
from shared.standards.documents import AnyStandard
from shared.standards.facts import StandardDrafted
from shared.standards.own_facts import OwnStandardDeployed

TOLD_EACH = 50


def play(copy: Plant, clock: FixedClock, day: Day, tried: AnyStandard | None, told: Told) -> None:
    """Play the day; tried: the standard that is in force all the while."""
    if tried is not None:
        _put_in_force(copy, tried)
    interpreter = Interpreter(copy, load_links(copy.settings), grace_s=0)
    others = list(reversed(day.others))
    stage = "with it" if tried is not None else "as it was"
    for n, row in enumerate(day.messages):
        while others and others[-1].recorded_at_ms <= row["received_ms"]:
            _take(copy, clock, others.pop(), tried)
        _go_on(clock, row["received_ms"])
        with write(copy.spool) as conn:
            conn.execute(insert(message).values(row))
        while interpreter.step():
            pass
        if n % TOLD_EACH == 0:
            told(stage, n, len(day.messages))
    while others:
        _take(copy, clock, others.pop(), tried)
    told(stage, len(day.messages), len(day.messages))


def _take(copy: Plant, clock: FixedClock, item: Stored, tried: AnyStandard | None) -> None:
    _go_on(clock, item.recorded_at_ms)
    with write(copy.node.engine) as conn:
        apply_entries(conn, copy.journal.appliers, [item], item.recorded_at_ms)
    if tried is not None and item.type == "StandardsInstalled" and item.author == copy.code:
        with copy.journal.work() as tx:
            install_own(tx, copy, ACTOR)


def _put_in_force(copy: Plant, tried: AnyStandard) -> None:
    body = body_of(tried)
    named: dict[str, Any] = {"standard_id": tried.id, "version": tried.version, "sha256": sha256(body)}
    drafted = StandardDrafted(**named, kind=tried.kind, title=tried.title, body=body.decode())
    with copy.journal.work() as tx:
        for payload in (drafted, OwnStandardDeployed(**named, reason="tried")):
            tx.record(
                Draft(payload=payload, subjects=(tried.id,), actor=ACTOR, occurred=Occurred(tx.now_ms(), "system"))
            )
        install_own(tx, copy, ACTOR)


def _go_on(clock: FixedClock, at_ms: int) -> None:
    clock.set(max(at_ms, clock.now_ms()))
