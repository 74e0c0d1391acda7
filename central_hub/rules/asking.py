"""Asking the group's rules about facts as they arrive: after apply, in the order of each plant's stream.

What a rule says is a fact of the hub with version, inputs and the facts that were counted; its id follows from rule,
version and fact, so that asking twice says it once. A rule is asked from the next fact on after it is published.
A fact that is told late is counted where it happened, and facts of later times that have it in their window are judged
again: what a rule says of a window does not hang on the order in which plants are heard.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from central_hub.hub import Hub
from central_hub.rules.domain import TYPES_OF, Said, ask, key_of, said_by, speaks_of
from central_hub.rules.queries import (
    InForce,
    Place,
    Window,
    asked_places,
    counted_later,
    find_decision,
    find_workflow,
    rules_in_force,
    spoke_within,
    window_of,
)
from central_hub.rules.tables import asked_to, hit
from shared.db.engine import read
from shared.db.upsert import upsert
from shared.errors import BadInput
from shared.ids import derived_id
from shared.journal.fact import AppliedFact, Draft, Occurred
from shared.journal.journal import Work
from shared.journal.position import applied_to
from shared.journal.reading import all_streams, entries_of_types, lives
from shared.journal.replay import ABOUT_THE_ROW, read_fact
from shared.logs import get
from shared.rules.evaluate import Outcome, Stored
from shared.standards.group_rule import COUNT_MAX, WINDOW_MAX_MIN
from shared.standards.own_facts import GroupRuleFired

log = get("group rules")

CHUNK = 100
"""Facts a transaction: other writers at the hub wait for it."""
CHUNK_S = 0.2
"""So long facts are taken into one transaction: where much is counted it holds fewer."""
MOVE_ON = 1_000
"""Entries of no concern that are looked over again each round, before the place is moved past them."""
ACTOR = "group rules"
MIN_MS = 60_000
ABOUT_A_FACT = (
    *ABOUT_THE_ROW,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    RuntimeError,
    msgspec.MsgspecError,
    BadInput,
)
"""What asking about one fact may raise; what the database has of its own troubles (no room, gone) is not among it."""
BEGUN = ("", "")
"""The place that says that asking has begun."""


def ask_pending(hub: Hub) -> int:
    """Ask every rule in force about what was applied since; returns how often a rule spoke. A step of the hub."""
    spoke = 0
    while True:
        with read(hub.node.engine) as conn:  # looks first: most rounds have nothing for any rule
            rules = rules_in_force(conn, hub)
            places, begun = asked_places(conn), _begun(conn)
            if not rules and not begun:
                return spoke
            due = _due(conn, hub, rules, places) if rules and begun else None
        if not (rules and begun):
            with hub.journal.work() as tx:
                if rules:
                    _begin(tx.conn, hub)
                else:
                    tx.conn.execute(delete(asked_to))
            return spoke
        if due is None:
            return spoke
        spoke += _ask_next(hub, rules, *due)


def _begun(conn: Connection) -> bool:
    return conn.execute(select(asked_to.c.seq).where(asked_to.c.stream == BEGUN[0])).first() is not None


def _plant_places(conn: Connection, hub: Hub) -> list[tuple[str, str]]:
    """Lives of the plants' own streams; ways down carry what stands there already."""
    own = [stream for stream in all_streams(conn) if ">" not in stream and stream != hub.code]
    return [(stream, life.epoch) for stream in own for life in lives(conn, stream)]


def _begin(conn: Connection, hub: Hub) -> None:
    """The first rule is published: what came before it is not asked about."""
    rows = [
        {"stream": stream, "epoch": epoch, "seq": applied_to(conn, stream, epoch), "joined": 0}
        for stream, epoch in _plant_places(conn, hub)
    ]
    begun = {"stream": BEGUN[0], "epoch": BEGUN[1], "seq": 0, "joined": 0}
    upsert(conn, asked_to, [*rows, begun], update=("seq", "joined"))


def _due(
    conn: Connection, hub: Hub, rules: Sequence[InForce], places: dict[tuple[str, str], Place]
) -> tuple[str, str, Place] | None:
    """Stream, epoch and place of the first life with a fact that a rule may be about."""
    types = _types(rules)
    for stream, epoch in _plant_places(conn, hub):
        place, to = places.get((stream, epoch), Place()), applied_to(conn, stream, epoch)
        far = to - place.seq > MOVE_ON
        if place.seq < to and (far or entries_of_types(conn, stream, epoch, (place.seq, to), types, 1)):
            return stream, epoch, place
    return None


def _types(rules: Sequence[InForce]) -> list[str]:
    return sorted({TYPES_OF[rule.document.about] for rule in rules})


def _ask_next(hub: Hub, rules: Sequence[InForce], stream: str, epoch: str, place: Place) -> int:
    """A chunk, or where one of its facts raises that one alone; if it does so again it is passed over."""
    for limit in (CHUNK, 1):
        try:
            with hub.journal.work() as tx:
                return _ask_chunk(tx, hub, rules, stream, epoch, place, limit)
        except ABOUT_A_FACT:
            log.exception("no rule can be asked", stream=stream, after=place.seq, facts=limit)
    with hub.journal.work() as tx:
        to = applied_to(tx.conn, stream, epoch)
        items = entries_of_types(tx.conn, stream, epoch, (place.seq, to), _types(rules), 1)
        _move(tx, stream, epoch, place, items[0].seq if items else to)
    return 0


def _ask_chunk(tx: Work, hub: Hub, rules: Sequence[InForce], stream: str, epoch: str, place: Place, limit: int) -> int:
    to = applied_to(tx.conn, stream, epoch)
    items = entries_of_types(tx.conn, stream, epoch, (place.seq, to), _types(rules), limit)
    if len(items) == limit:
        to = items[-1].seq
    spoke, end = 0, time.monotonic() + CHUNK_S
    for item in items:
        fact = read_fact(item)
        said = said_by(fact) if isinstance(fact, AppliedFact) else None
        news = [rule for rule in rules if not place.joined or item.recorded_at_ms >= rule.from_ms]
        spoke += sum(_ask(tx, hub, rule, said) for rule in news) if said else 0
        if time.monotonic() > end:
            to = item.seq
            break
    _move(tx, stream, epoch, place, to)
    tx.conn.execute(delete(hit).where(hit.c.at_ms < tx.now_ms() - 2 * WINDOW_MAX_MIN * MIN_MS))
    return spoke


def _move(tx: Work, stream: str, epoch: str, place: Place, seq: int) -> None:
    row = {"stream": stream, "epoch": epoch, "seq": seq, "joined": place.joined}
    upsert(tx.conn, asked_to, [row], update=("seq",))


def _ask(tx: Work, hub: Hub, rule: InForce, said: Said) -> int:
    """Count the fact and ask, about those of later times too in whose window it now is; how often the rule spoke."""
    document = rule.document
    about = speaks_of(document, said)
    if about in ("false", "missing"):
        return 0
    key, later = key_of(document, said), []
    if document.window_min and about == "true":  # where `applies` fails it is told so, and nothing is counted
        _count(tx, rule, said, key)
        before_ms = said.at_ms + document.window_min * MIN_MS
        later = counted_later(tx.conn, rule.name, key, said.at_ms, before_ms)
    found = (Said(said.about, row.fact_id, row.plant, row.piece, row.at_ms, json.loads(row.inputs)) for row in later)
    return sum(_judge(tx, hub, rule, each, key) for each in (said, *found))


def _count(tx: Work, rule: InForce, said: Said, key: str) -> None:
    asked = {used.name: said.inputs.get(used.name) for used in rule.document.check.variables}
    row = {"rule": rule.name, "fact_id": said.fact_id, "key": key, "at_ms": said.at_ms, "plant": said.plant}
    upsert(tx.conn, hit, [{**row, "piece": said.piece, "inputs": json.dumps(asked, sort_keys=True)}])


def _judge(tx: Work, hub: Hub, rule: InForce, said: Said, key: str) -> bool:
    """Whether the rule spoke about the fact, with what counted up to its time."""
    document = rule.document
    if find_decision(tx.conn, hub, _decision_id(rule, said)) is not None:
        return False
    if document.quiet_min:
        quiet_ms = document.quiet_min * MIN_MS
        if spoke_within(tx.conn, hub, document.id, key, said.at_ms, quiet_ms):
            return False
    window = Window(1, 1, 1, (said.fact_id,))
    if document.window_min:
        window = window_of(tx.conn, rule.name, key, said.at_ms - document.window_min * MIN_MS, said.at_ms)
    inputs = {**said.inputs, "count": window.count, "plants": window.plants, "pieces": window.pieces}
    outcome = ask(document, inputs)
    if outcome.outcome not in ("violated", "failed"):
        return False
    _record(tx, hub, rule, said, key, outcome, window)
    return True


def _decision_id(rule: InForce, said: Said) -> str:
    return derived_id(said.at_ms, "decision", rule.name, said.fact_id)


def _record(tx: Work, hub: Hub, rule: InForce, said: Said, key: str, outcome: Outcome, window: Window) -> None:
    document = rule.document
    workflow = find_workflow(tx.conn, hub, document.otherwise.workflow) if document.otherwise.workflow else None
    payload = GroupRuleFired(
        decision_id=_decision_id(rule, said),
        rule_id=document.id,
        rule_version=document.version,
        rule_hash=rule.sha256,
        plant=said.plant,
        fact_id=said.fact_id,
        key=key,
        outcome=outcome.outcome,
        inputs=_plain(outcome.inputs) | ({"count": window.count} if window.count == COUNT_MAX else {}),
        explanation=outcome.reason,
        counted=window.facts,
        at_ms=said.at_ms,
        workflow_id=workflow[0].id if workflow else "",
        workflow_version=workflow[0].version if workflow else 0,
        workflow_hash=workflow[1] if workflow else "",
    )
    tx.record(
        Draft(
            payload=payload,
            subjects=(payload.decision_id, said.piece) if said.piece else (payload.decision_id,),
            actor=ACTOR,
            occurred=Occurred(said.at_ms, "system"),
            fact_id=derived_id(said.at_ms, "fired", rule.name, said.fact_id),
            causes=(said.fact_id,),
        )
    )


def _plain(inputs: Any) -> dict[str, int | float | str]:
    kept: dict[str, Stored] = dict(inputs)
    return {name: int(value) if isinstance(value, bool) else value for name, value in kept.items() if value is not None}
