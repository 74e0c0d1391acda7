"""Facts of standards to rows. Total: a fact that finds no row to change writes what it knows and leaves the rest empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.standards import deviation_rows, edit_rows, facts, own_rows, tables, talk_rows
from shared.standards.adoption_rows import apply_deviation, apply_deviation_ended, apply_installed, apply_rejected
from shared.standards.rollout_rows import (
    apply_advanced,
    apply_answered,
    apply_completed,
    apply_planned,
    apply_rolled_back,
)
from shared.standards.rows import change

_VERSION_COLUMNS = ("kind", "title", "status", "sha256", "body")


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of standards."""
    appliers.add(facts.StandardDrafted, apply_drafted)
    appliers.add(facts.StandardSubmitted, apply_submitted)
    appliers.add(facts.StandardReturned, apply_returned)
    appliers.add(facts.StandardApproved, apply_approved)
    appliers.add(facts.StandardWithdrawn, apply_withdrawn)
    appliers.add(facts.RolloutPlanned, apply_planned)
    appliers.add(facts.RolloutAdvanced, apply_advanced)
    appliers.add(facts.RolloutCompleted, apply_completed)
    appliers.add(facts.StandardRolledBack, apply_rolled_back)
    appliers.add(facts.StandardAnswered, apply_answered)
    appliers.add(facts.SigningRequested, apply_signing_requested)
    appliers.add(facts.CatalogueSigned, apply_catalogue_signed)
    appliers.add(facts.RootTrusted, apply_root)
    appliers.add(facts.StandardPublished, apply_published)
    appliers.add(facts.CataloguePublished, apply_catalogue)
    appliers.add(facts.AssignmentIssued, apply_assignment)
    appliers.add(facts.StandardsInstalled, apply_installed)
    appliers.add(facts.StandardsRejected, apply_rejected)
    appliers.add(facts.DeviationDeclared, apply_deviation)
    appliers.add(facts.DeviationEnded, apply_deviation_ended)
    talk_rows.register(appliers)
    own_rows.register(appliers)
    edit_rows.register(appliers)
    deviation_rows.register(appliers)


def _version(fact: AppliedFact[Any]) -> dict[str, Any]:
    return {"standard_id": fact.payload.standard_id, "version": fact.payload.version}


def apply_drafted(conn: Connection, group: Sequence[AppliedFact[facts.StandardDrafted]]) -> None:
    """A new draft, or a rewritten one."""
    rows = {(f.payload.standard_id, f.payload.version): _drafted(f) for f in group}
    update_columns = (*_VERSION_COLUMNS, "drafted_by", "drafted_ms")
    upsert(conn, tables.standard_version, [rows[key] for key in sorted(rows)], update=update_columns)


def _drafted(f: AppliedFact[facts.StandardDrafted]) -> dict[str, Any]:
    p = f.payload
    return {
        "author": f.author,
        **_version(f),
        "kind": p.kind,
        "title": p.title,
        "status": "draft",
        "sha256": p.sha256,
        "body": p.body,
        "drafted_by": f.actor,
        "drafted_ms": f.recorded_at_ms,
        "approved_by": "",
        "note": "",
        "release": 0,
        "catalogue_version": 0,
        "effective_from_ms": 0,
        "published_fact": "",
    }


def apply_submitted(conn: Connection, group: Sequence[AppliedFact[facts.StandardSubmitted]]) -> None:
    """Draft to in review."""
    for f in group:
        change(
            conn, tables.standard_version, f, _version(f), status="in_review", submitted_ms=f.recorded_at_ms, note=""
        )


def apply_returned(conn: Connection, group: Sequence[AppliedFact[facts.StandardReturned]]) -> None:
    """In review back to draft."""
    for f in group:
        change(conn, tables.standard_version, f, _version(f), status="draft", submitted_ms=None, note=f.payload.reason)


def apply_approved(conn: Connection, group: Sequence[AppliedFact[facts.StandardApproved]]) -> None:
    """In review to approved."""
    for f in group:
        change(
            conn,
            tables.standard_version,
            f,
            _version(f),
            status="approved",
            approved_by=f.actor,
            approved_ms=f.recorded_at_ms,
            effective_from_ms=f.payload.effective_from_ms,
        )


def apply_withdrawn(conn: Connection, group: Sequence[AppliedFact[facts.StandardWithdrawn]]) -> None:
    """Published to withdrawn."""
    for f in group:
        change(
            conn,
            tables.standard_version,
            f,
            _version(f),
            status="withdrawn",
            withdrawn_ms=f.recorded_at_ms,
            note=f.payload.reason,
        )


def apply_signing_requested(conn: Connection, group: Sequence[AppliedFact[facts.SigningRequested]]) -> None:
    """The request, and the versions that wait for it."""
    for f in group:
        p = f.payload
        upsert(
            conn,
            tables.signing_request,
            [
                {
                    "author": f.author,
                    "request_id": p.request_id,
                    "number": p.number,
                    "catalogue_version": p.catalogue_version,
                    "sha256": p.sha256,
                    "catalogue": p.catalogue,
                    "requested_by": f.actor,
                    "requested_ms": f.recorded_at_ms,
                }
            ],
        )
        for release in p.releases:
            key = {"standard_id": release.standard_id, "version": release.version}
            change(
                conn,
                tables.standard_version,
                f,
                key,
                status="awaiting_signatures",
                release=release.release,
                catalogue_version=p.catalogue_version,
            )


def apply_catalogue_signed(conn: Connection, group: Sequence[AppliedFact[facts.CatalogueSigned]]) -> None:
    """A signature; a second one by the same key changes nothing."""
    for f in group:
        upsert(
            conn,
            tables.catalogue_signature,
            [
                {
                    "author": f.author,
                    "request_id": f.payload.request_id,
                    "keyid": f.payload.keyid,
                    "sig": f.payload.sig,
                    "given_by": f.actor,
                    "given_ms": f.recorded_at_ms,
                }
            ],
        )


def apply_root(conn: Connection, group: Sequence[AppliedFact[facts.RootTrusted]]) -> None:
    """A root document."""
    upsert(
        conn,
        tables.root,
        [
            {
                "author": f.author,
                "version": f.payload.version,
                "sha256": f.payload.sha256,
                "envelope": f.payload.envelope,
                "trusted_ms": f.recorded_at_ms,
            }
            for f in group
        ],
    )


def apply_published(conn: Connection, group: Sequence[AppliedFact[facts.StandardPublished]]) -> None:
    """At the hub the version's row goes on; at a plant it begins here."""
    rows = [
        {
            "author": f.author,
            **_version(f),
            "kind": f.payload.kind,
            "title": f.payload.title,
            "status": "published",
            "sha256": f.payload.sha256,
            "body": f.payload.body,
            "published_ms": f.recorded_at_ms,
            "drafted_by": "",
            "approved_by": "",
            "note": "",
            "release": 0,
            "catalogue_version": 0,
            "effective_from_ms": 0,
            "published_fact": f.fact_id,
        }
        for f in {(f.payload.standard_id, f.payload.version): f for f in group}.values()
    ]
    upsert(conn, tables.standard_version, rows, update=(*_VERSION_COLUMNS, "published_ms", "published_fact"))


def apply_catalogue(conn: Connection, group: Sequence[AppliedFact[facts.CataloguePublished]]) -> None:
    """A published catalogue."""
    upsert(
        conn,
        tables.catalogue,
        [
            {
                "author": f.author,
                "version": f.payload.version,
                "sha256": f.payload.sha256,
                "envelope": f.payload.envelope,
                "fact_id": f.fact_id,
                "published_ms": f.recorded_at_ms,
            }
            for f in group
        ],
    )


def apply_assignment(conn: Connection, group: Sequence[AppliedFact[facts.AssignmentIssued]]) -> None:
    """An assignment to one plant."""
    upsert(
        conn,
        tables.assignment,
        [
            {
                "author": f.author,
                "plant": f.payload.plant,
                "version": f.payload.version,
                "catalogue_version": f.payload.catalogue_version,
                "envelope": f.payload.envelope,
                "timestamp": f.payload.timestamp,
                "issued_ms": f.recorded_at_ms,
            }
            for f in group
        ],
    )
