"""Corrections as rows: what holds from now on takes the place of what was said; what was said stays in `correction`.

A correction states the whole of what it touches, so that applying it needs no arithmetic on rows that may be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.books import alias_row, change, mass_row
from shared.material.correction_facts import (
    CorrectionBlocked,
    CorrectionSettled,
    FactCorrected,
    OperationNow,
    PieceNow,
)
from shared.material.domain import Balance
from shared.material.operation_rows import edge_row, loss_row
from shared.material.tables import (
    alias,
    alias_end,
    correction,
    correction_case,
    edge,
    loss,
    mass_history,
    mixture,
    operation,
    process_value,
)

_json = msgspec.json.Encoder(order="deterministic")
Corrected = AppliedFact[FactCorrected]


def apply_fact_corrected(conn: Connection, facts: Sequence[Corrected]) -> None:
    """What was said, what holds; in the order of the facts, because one may correct the one before."""
    for x in facts:
        upsert(conn, correction, [_said(x, i) for i in range(len(x.payload.changes))])
        if x.payload.operation is not None:
            _restate(conn, x.author, x.fact_id, x.payload.operation)
        for piece in x.payload.pieces:
            _set_piece(conn, x, piece)
        upsert(
            conn,
            mass_history,
            [
                mass_row(x.author, x.fact_id, w.material_id, w.mass, x.occurred.at_ms, w.reason)
                for w in x.payload.weighed
            ],
        )


def _said(x: Corrected, ordinal: int) -> dict[str, Any]:
    said = x.payload.changes[ordinal]
    return {
        "author": x.author,
        "fact_id": x.fact_id,
        "ordinal": ordinal,
        "corrects": x.payload.corrects,
        "type": x.payload.type,
        "withdrawn": x.payload.withdrawn,
        "material_id": said.material_id,
        "what": said.what,
        "was": said.was,
        "now": said.now,
        "reason": x.payload.reason,
        "actor": x.actor,
        "at_ms": x.recorded_at_ms,
    }


def balance_now(now: OperationNow) -> Balance:
    """The operation's balance as the correction states it."""
    return Balance(
        charged_g=sum(parent.charged_g for parent in now.parents),
        produced_g=now.produced_g,
        lost_g=sum(item.g for item in now.losses if item.g > 0),
        added_g=-sum(item.g for item in now.losses if item.g < 0),
    )


def _restate(conn: Connection, author: str, fact_id: str, now: OperationNow) -> None:
    for table in (edge, loss, *((process_value, mixture, operation) if now.withdrawn else ())):
        conn.execute(delete(table).where(table.c.author == author, table.c.operation_id == now.operation_id))
    if now.withdrawn:
        return
    upsert(conn, edge, [edge_row(author, now.operation_id, i, e) for i, e in enumerate(now.edges)])
    upsert(conn, loss, [loss_row(author, now.operation_id, i, item) for i, item in enumerate(now.losses)])
    balance = balance_now(now)
    conn.execute(
        update(operation)
        .where(operation.c.author == author, operation.c.operation_id == now.operation_id)
        .values(
            charged_g=balance.charged_g,
            produced_g=balance.produced_g,
            loss_g=balance.lost_g,
            added_g=balance.added_g,
            unexplained_g=balance.unexplained_g,
            fact_id=fact_id,
        )
    )


def _set_piece(conn: Connection, x: Corrected, piece: PieceNow) -> None:
    new: dict[str, Any] = {"author": x.author, "material_id": piece.material_id, "last_fact": x.fact_id}
    if piece.state:
        new |= {"state": piece.state, "ended_at_ms": None if piece.state == "live" else x.occurred.at_ms}
    if piece.mass is not None:
        new |= {"mass_g": piece.mass.g, "mass_basis": piece.mass.basis, "mass_scale": piece.mass.scale}
        new |= {"mass_at_ms": piece.mass.at_ms or x.occurred.at_ms}
    if piece.size is not None:
        new |= msgspec.structs.asdict(piece.size)
    if piece.number is not None:
        new["number"] = piece.number.value
        upsert(conn, alias, [alias_row(x.author, piece.material_id, piece.number, x.occurred.at_ms)])
    if piece.number_was is not None:
        was = alias_row(x.author, piece.material_id, piece.number_was, 0)
        del was["given_at_ms"]
        upsert(conn, alias_end, [was | {"ended_at_ms": x.occurred.at_ms, "fact_id": x.fact_id}])
    if piece.number is not None:
        # a number that was ended by mistake and given again is in force
        again = alias_end.c.value == piece.number.value, alias_end.c.scheme == piece.number.scheme
        conn.execute(
            delete(alias_end).where(
                alias_end.c.author == x.author, alias_end.c.material_id == piece.material_id, *again
            )
        )
    change(conn, [new])


def apply_correction_blocked(conn: Connection, facts: Sequence[AppliedFact[CorrectionBlocked]]) -> None:
    """A case on the plant's list."""
    rows = [
        {
            "author": x.author,
            "case_id": x.payload.case_id,
            "state": "open",
            "corrects": x.payload.corrects,
            "type": x.payload.type,
            "reason": x.payload.reason,
            "changes": _json.encode(x.payload.changes).decode(),
            "blockers": _json.encode(x.payload.blockers).decode(),
            "asked": x.payload.asked,
            "asked_by": x.actor,
            "asked_at_ms": x.recorded_at_ms,
            "fact_id": x.fact_id,
            "how": "",
            "note": "",
            "settled_by": "",
            "settled_at_ms": None,
        }
        for x in facts
    ]
    upsert(conn, correction_case, rows)


def apply_correction_settled(conn: Connection, facts: Sequence[AppliedFact[CorrectionSettled]]) -> None:
    """The case ends; the first word stands."""
    c = correction_case.c
    for x in facts:
        conn.execute(
            update(correction_case)
            .where(c.author == x.author, c.case_id == x.payload.case_id, c.state == "open")
            .values(
                state="settled",
                how=x.payload.how,
                note=x.payload.note,
                settled_by=x.actor,
                settled_at_ms=x.recorded_at_ms,
            )
        )


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of corrections."""
    appliers.add(FactCorrected, apply_fact_corrected)
    appliers.add(CorrectionBlocked, apply_correction_blocked)
    appliers.add(CorrectionSettled, apply_correction_settled)
