"""Facts of passports to rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.passports import tables
from shared.passports.facts import PassportIssued, PassportTaken, PlantKeysListed


def register(appliers: Appliers) -> None:
    """Hand the journal the appliers of this subject."""
    appliers.add(PassportIssued, apply_issued)
    appliers.add(PassportTaken, apply_taken)
    appliers.add(PlantKeysListed, apply_listed)


def apply_issued(conn: Connection, facts: Sequence[AppliedFact[PassportIssued]]) -> None:
    """A row a passport; a later one of the same piece stands beside it."""
    rows = [
        {
            "author": f.author,
            "digest": document.digest,
            "shipment_id": f.payload.shipment_id,
            "shipment_number": f.payload.shipment_number,
            "to_plant": f.payload.to,
            "material_id": document.material_id,
            "key_id": f.payload.key_id,
            "issued_ms": f.payload.issued_ms,
            "expires_ms": f.payload.expires_ms,
            "body": document.body,
            "fact_id": f.fact_id,
        }
        for f in facts
        for document in f.payload.documents
    ]
    upsert(conn, tables.passport, rows)
    missing = [
        {
            "author": f.author,
            "shipment_id": f.payload.shipment_id,
            "material_id": one.material_id,
            "reason": one.reason,
        }
        for f in facts
        for one in f.payload.without
    ]
    upsert(conn, tables.passport_missing, missing, update=["reason"])


def apply_taken(conn: Connection, facts: Sequence[AppliedFact[PassportTaken]]) -> None:
    """By which passport a receipt was made."""
    names = (
        "receipt_id",
        "digest",
        "key_id",
        "sender",
        "shipment_id",
        "shipment_number",
        "material_id",
        "custody_no",
        "standing",
        "body",
    )
    rows = [
        {"author": f.author, "taken_ms": f.occurred.at_ms} | {name: getattr(f.payload, name) for name in names}
        for f in facts
    ]
    upsert(conn, tables.passport_taken, rows)


def apply_listed(conn: Connection, facts: Sequence[AppliedFact[PlantKeysListed]]) -> None:
    """A list of keys; which one counts its reader decides."""
    rows = [
        {
            "author": f.author,
            "fact_id": f.fact_id,
            "version": f.payload.version,
            "issued_ms": f.payload.issued_ms,
            "envelope": f.payload.envelope,
        }
        for f in facts
    ]
    upsert(conn, tables.plant_key_list, rows)
