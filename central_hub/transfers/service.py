"""Use cases of the hub's transfers: reconcile after plants' facts were applied; resolve a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from central_hub.hub import Hub
from central_hub.transfers import cases
from central_hub.transfers.carrying import carry_holds
from central_hub.transfers.deadlines import read_deadlines
from central_hub.transfers.desk import record_for_both
from central_hub.transfers.floors import keep_floors
from central_hub.transfers.matching import Findings, judge_all
from central_hub.transfers.relaying import find_unrelayed
from central_hub.transfers.tables import judged
from central_hub.transfers.telling import find_untold, tell_senders
from shared.db.engine import read
from shared.db.upsert import upsert
from shared.journal.journal import Work, lock_head
from shared.transfers.case_desk import read_talk
from shared.transfers.case_facts import CaseReopened
from shared.transfers.case_queries import find_case
from shared.transfers.case_rules import OBJECTED
from shared.transfers.facts import CaseResolved

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Reconciled:
    """What a run did: facts relayed, cases opened, episodes opened or closed, judgements made."""

    relayed: int = 0
    cases: int = 0
    episodes: int = 0
    judged: int = 0


def reconcile(hub: Hub) -> Reconciled:
    """Relay what addressees must know, judge what the watermarks allow. Run again on the same input, it does nothing."""
    margin_ms = hub.settings.margin_minutes * MINUTE_MS
    carried = carry_holds(hub)
    with read(hub.node.engine) as conn:
        found = judge_all(conn, hub.code, margin_ms)
        nothing_to_do = found.is_empty and not find_unrelayed(conn, hub.code) and not find_untold(conn, hub.code)
    if nothing_to_do:
        return Reconciled(carried)
    with hub.journal.work() as tx:
        # two workers must not find the same thing at once: the head's lock makes the second one look again
        lock_head(tx.conn, hub.code, tx.now_ms())
        done = _write(hub, tx, judge_all(tx.conn, hub.code, margin_ms))
    return replace(done, relayed=done.relayed + carried)


def resolve_case(hub: Hub, case_id: str, resolution: str, note: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """End a case by a person's word; both plants are told. Done once for a command id."""
    with hub.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        case = find_case(tx.conn, case_id)
        if case is None:
            raise cases.unknown_case(case_id)
        cases.check_resolution(case.kind, case.state, resolution, note)
        fact = CaseResolved(case_id=case_id, resolution=resolution, note=note.strip())
        record_for_both(hub, tx, case, fact, actor)
        result = {"case_id": case_id, "state": "resolved", "resolution": resolution}
        tx.done(command_id, result)
        return result


def reopen_case(hub: Hub, case_id: str, note: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Take the end of a case back by a person's word, as after a plant's objection; both plants are told. Done once."""
    with hub.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        case = find_case(tx.conn, case_id)
        if case is None:
            raise cases.unknown_case(case_id)
        if case.state == "open":
            raise cases.not_ended()
        due = read_deadlines(tx.conn, hub.code, tx.now_ms()).due(case.kind, tx.now_ms())
        objection = next((s.word for s in read_talk(tx.conn, case).standings if s.kind == OBJECTED), "")
        fact = CaseReopened(case_id=case_id, note=cases.check_text(note), due_at_ms=due.at_ms, objection=objection)
        record_for_both(hub, tx, case, fact, actor)
        result = {"case_id": case_id, "state": "open", "due_ms": due.at_ms}
        tx.done(command_id, result)
        return result


def _write(hub: Hub, tx: Work, findings: Findings) -> Reconciled:
    cases.open_cases(tx, hub.code, findings.contradictions)
    tx.record(*findings.episodes)
    upsert(tx.conn, judged, [{"kind": kind, "ref": ref} for kind, ref in findings.judged])
    relays = find_unrelayed(tx.conn, hub.code)
    for fact_id, stream in relays:
        tx.relay(fact_id, stream)
    told = tell_senders(tx, hub.code, find_untold(tx.conn, hub.code))
    keep_floors(tx.conn, findings.floors)  # after the relays, which look above the old floors
    return Reconciled(len(relays) + told, len(findings.contradictions), len(findings.episodes), len(findings.judged))
