"""What the hub found becomes rows: cases, their ends, episodes of waiting for data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, update

from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact
from shared.transfers import tables
from shared.transfers.facts import (
    AwaitingData,
    CaseOpened,
    CaseResolved,
)

_encoder = msgspec.json.Encoder(order="deterministic")
Row = dict[str, Any]


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
    }
