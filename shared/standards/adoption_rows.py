"""What plants report back becomes rows: installed sets, refusals, deviations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete

from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact
from shared.standards import facts, tables
from shared.standards.rows import change


def apply_installed(conn: Connection, group: Sequence[AppliedFact[facts.StandardsInstalled]]) -> None:
    """The whole set in force replaces the one before; versions that are gone end here."""
    for f in group:
        _insert_adoption(conn, f)
        now = f.recorded_at_ms
        kept = {(s.standard_id, s.version) for s in f.payload.standards}
        known = conn.execute(tables.in_force.select().where(tables.in_force.c.author == f.author)).all()
        since = {(row.standard_id, row.version): row.adopted_ms for row in known if row.until_ms is None}
        _keep_past(conn, [row for row in known if row.until_ms is not None and (row.standard_id, row.version) in kept])
        for gone in sorted(set(since) - kept):
            change(conn, tables.in_force, f, {"standard_id": gone[0], "version": gone[1]}, until_ms=now)
        rows = [
            {
                "author": f.author,
                "standard_id": s.standard_id,
                "version": s.version,
                "sha256": s.sha256,
                "effective_from_ms": s.effective_from_ms,
                "until_ms": None,
                "adopted_ms": since.get((s.standard_id, s.version), now),
                "bound": json.dumps(s.values, sort_keys=True),
            }
            for s in f.payload.standards
        ]
        columns = ("sha256", "effective_from_ms", "adopted_ms", "until_ms", "bound")
        upsert(conn, tables.in_force, rows, update=columns)


def _keep_past(conn: Connection, rows: Sequence[Row[Any]]) -> None:
    """A version comes back: when it was in force before stays readable beside."""
    columns = [column.name for column in tables.past_spell.c]
    upsert(conn, tables.past_spell, [{name: row._mapping[name] for name in columns} for row in rows])


def _insert_adoption(conn: Connection, f: AppliedFact[facts.StandardsInstalled]) -> None:
    p = f.payload
    upsert(
        conn,
        tables.adoption,
        [
            {
                "author": f.author,
                "fact_id": f.fact_id,
                "catalogue_version": p.catalogue_version,
                "assignment_version": p.assignment_version,
                "effective_hash": p.effective_hash,
                "equipment": json.dumps(p.equipment, sort_keys=True),
                "deviations": json.dumps(sorted(p.deviations)),
                "adopted_ms": f.recorded_at_ms,
            }
        ],
        update=(
            "fact_id",
            "catalogue_version",
            "assignment_version",
            "effective_hash",
            "equipment",
            "deviations",
            "adopted_ms",
        ),
    )
    conn.execute(delete(tables.rejection).where(tables.rejection.c.author == f.author))


def apply_rejected(conn: Connection, group: Sequence[AppliedFact[facts.StandardsRejected]]) -> None:
    """A refusal with its reason, until the next adoption."""
    rows = [
        {
            "author": f.author,
            "fact_id": f.fact_id,
            "catalogue_version": f.payload.catalogue_version,
            "code": f.payload.code,
            "reason": f.payload.reason,
            "missing": json.dumps(list(f.payload.missing)),
            "rejected_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    columns = ("fact_id", "catalogue_version", "code", "reason", "missing", "rejected_ms")
    upsert(conn, tables.rejection, rows, update=columns)


def apply_deviation(conn: Connection, group: Sequence[AppliedFact[facts.DeviationDeclared]]) -> None:
    """A declared deviation."""
    upsert(
        conn,
        tables.deviation,
        [
            {
                "author": f.author,
                "deviation_id": f.payload.deviation_id,
                "standard_id": f.payload.standard_id,
                "parameter": f.payload.parameter,
                "value": f.payload.value,
                "owner": f.payload.owner,
                "reason": f.payload.reason,
                "expires_ms": f.payload.expires_ms,
                "declared_ms": f.recorded_at_ms,
                "ended_ms": None,
            }
            for f in group
        ],
    )


def apply_deviation_ended(conn: Connection, group: Sequence[AppliedFact[facts.DeviationEnded]]) -> None:
    """A deviation's end."""
    for f in group:
        change(conn, tables.deviation, f, {"deviation_id": f.payload.deviation_id}, ended_ms=f.recorded_at_ms)
