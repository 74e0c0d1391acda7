"""What the hub found becomes rows: cases, their ends, what people say of them, episodes of waiting for data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.transfers import tables
from shared.transfers.case_facts import CaseAssigned, CaseConfirmed, CaseReopened, CaseSaid
from shared.transfers.case_rules import BEFORE, CONFIRMED, OBJECTED, REOPENED, SAID
from shared.transfers.facts import AwaitingData, CaseOpened, CaseResolved

_encoder = msgspec.json.Encoder(order="deterministic")
Row = dict[str, Any]


def register(appliers: Appliers) -> None:
    """Hand the journal the appliers of cases."""
    appliers.add(CaseOpened, apply_case_opened)
    appliers.add(CaseResolved, apply_case_resolved)
    appliers.add(CaseReopened, apply_case_reopened)
    appliers.add(CaseAssigned, apply_case_assigned)
    appliers.add(CaseSaid, apply_case_said)
    appliers.add(CaseConfirmed, apply_case_confirmed)
    appliers.add(AwaitingData, apply_awaiting_data)


def apply_case_opened(conn: Connection, facts: Sequence[AppliedFact[CaseOpened]]) -> None:
    """A contradiction on the desk; the same contradiction never lies there twice."""
    upsert(conn, tables.transfer_case, [_case_row(f) for f in facts])


def apply_case_resolved(conn: Connection, facts: Sequence[AppliedFact[CaseResolved]]) -> None:
    """A person's word ends a case; the first one stands."""
    case = tables.transfer_case
    for f in facts:
        conn.execute(
            update(case)
            .where(case.c.author == f.author, case.c.case_id == f.payload.case_id, case.c.state == "open")
            .values(
                state="resolved",
                resolution=f.payload.resolution,
                note=f.payload.note,
                resolved_by=f.actor,
                resolved_at_ms=f.recorded_at_ms,
            )
        )


def apply_case_reopened(conn: Connection, facts: Sequence[AppliedFact[CaseReopened]]) -> None:
    """An ended case is open again until a new time; who looks after it still does, and it is the hub's turn."""
    case, charge = tables.transfer_case, tables.case_charge
    for f in facts:
        ended = (case.c.author == f.author, case.c.case_id == f.payload.case_id, case.c.state == "resolved")
        anew = {"state": "open", "resolution": "", "note": "", "resolved_by": "", "resolved_at_ms": 0}
        due_ms = f.payload.due_at_ms
        done = conn.execute(update(case).where(*ended).values(**anew, reopened=case.c.reopened + 1, due_at_ms=due_ms))
        if done.rowcount:
            mine = (charge.c.author == f.author, charge.c.case_id == f.payload.case_id)
            conn.execute(update(charge).where(*mine).values(party=f.author, deadline_ms=due_ms))
            upsert(conn, tables.case_word, [_word_row(f, REOPENED, f.payload.note)])


def apply_case_assigned(conn: Connection, facts: Sequence[AppliedFact[CaseAssigned]]) -> None:
    """Owner, turn and deadline; the last one stands, in the hub's order."""
    for f in facts:
        p = f.payload
        row = {
            "author": f.author,
            "case_id": p.case_id,
            "owner": p.owner,
            "party": p.party,
            "deadline_ms": p.deadline_ms,
            "note": p.note,
            "given_by": f.actor,
            "given_at_ms": f.recorded_at_ms,
        }
        changed = [name for name in row if name not in ("author", "case_id")]
        upsert(conn, tables.case_charge, [row], update=changed)


def apply_case_said(conn: Connection, facts: Sequence[AppliedFact[CaseSaid]]) -> None:
    """One more word in the conversation."""
    upsert(conn, tables.case_word, [_word_row(f, SAID, f.payload.text) for f in facts])


def apply_case_confirmed(conn: Connection, facts: Sequence[AppliedFact[CaseConfirmed]]) -> None:
    """A plant's word on how the case ended; what it said of it before stands no more, in the plant's own order."""
    c = tables.case_word.c
    for f in facts:
        mine = and_(c.author == f.author, c.case_id == f.payload.case_id, c.fact_id != f.fact_id)
        for kind in (CONFIRMED, OBJECTED):
            conn.execute(update(tables.case_word).where(mine, c.kind == kind).values(kind=kind + BEFORE))
        upsert(conn, tables.case_word, [_word_row(f, CONFIRMED if f.payload.agrees else OBJECTED, f.payload.note)])


def apply_awaiting_data(conn: Connection, facts: Sequence[AppliedFact[AwaitingData]]) -> None:
    """An episode of waiting begins, or ends by itself."""
    for f in facts:
        p = f.payload
        upsert(
            conn,
            tables.awaiting_episode,
            [
                {
                    "author": f.author,
                    "episode_id": p.episode_id,
                    "plant": p.plant,
                    "receiver": p.receiver,
                    "shipment_number": p.shipment_number,
                    "lines": p.lines,
                    "closed": p.closed,
                    "complete_to_ms": p.complete_to_ms,
                    "opened_at_ms": f.recorded_at_ms,
                    "closed_at_ms": f.recorded_at_ms if p.closed else 0,
                }
            ],
            update=("lines", "closed", "complete_to_ms", "closed_at_ms"),
        )


def _word_row(f: AppliedFact[Any], kind: str, text: str) -> Row:
    return {
        "author": f.author,
        "fact_id": f.fact_id,
        "case_id": f.payload.case_id,
        "kind": kind,
        "text": text,
        "said_by": f.actor,
        "said_at_ms": f.occurred.at_ms,
        "recorded_at_ms": f.recorded_at_ms,
        "reopened": getattr(f.payload, "reopened", 0),
    }


def _case_row(f: AppliedFact[CaseOpened]) -> Row:
    p = f.payload
    plants = (*p.plants, "", "")
    return {
        "author": f.author,
        "case_id": p.case_id,
        "kind": p.kind,
        "state": "open",
        "shipment_id": p.shipment_id,
        "shipment_number": p.shipment_number,
        "material_id": p.material_id,
        "piece_number": p.piece_number,
        "receipt_id": p.receipt_id,
        "from_plant": plants[0],
        "to_plant": plants[1],
        "summary": p.summary,
        "evidence": _encoder.encode(p.evidence).decode(),
        "figures": _encoder.encode(p.values).decode(),
        "since_ms": f.occurred.at_ms,
        "opened_at_ms": f.recorded_at_ms,
        "fact_id": f.fact_id,
        "resolution": "",
        "note": "",
        "resolved_by": "",
        "resolved_at_ms": 0,
        "due_at_ms": p.due_at_ms,
        "reopened": 0,
    }
