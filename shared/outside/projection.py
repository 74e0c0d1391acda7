"""Facts about outside parties as rows, in any order of authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.facts import Mass
from shared.outside import tables
from shared.outside.facts import DeliveryNoted, PartyAgreed, PartyMissed, PartyReceived, PartyShipped, TermsAgreed

Row = dict[str, Any]
_json = msgspec.json.Encoder(order="deterministic")
_PARTY = ("name", "kind", "address", "confirms", "hours", "ended")
_TERMS = ("mass_basis", "certificate", "packed", "tolerance_ppm")


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of this subject."""
    appliers.add(PartyAgreed, apply_party_agreed)
    appliers.add(TermsAgreed, apply_terms_agreed)
    appliers.add(DeliveryNoted, apply_delivery_noted)
    appliers.add(PartyReceived, apply_party_received)
    appliers.add(PartyMissed, apply_party_missed)
    appliers.add(PartyShipped, apply_party_shipped)


def apply_party_agreed(conn: Connection, facts: Sequence[AppliedFact[PartyAgreed]]) -> None:
    """A party; a later fact of its code replaces it."""
    rows = [
        {"author": f.author, "code": f.payload.code, "agreed_at_ms": f.occurred.at_ms}
        | {name: getattr(f.payload, name) for name in _PARTY}
        for f in facts
    ]
    upsert(conn, tables.party, rows, update=[*_PARTY, "agreed_at_ms"])


def apply_terms_agreed(conn: Connection, facts: Sequence[AppliedFact[TermsAgreed]]) -> None:
    """What an order item demands; a later fact of the item replaces it."""
    rows = [
        {"author": f.author, "item": f.payload.item, "agreed_at_ms": f.occurred.at_ms}
        | {name: getattr(f.payload, name) for name in _TERMS}
        | {"rules": _json.encode(f.payload.rules).decode()}
        for f in facts
    ]
    upsert(conn, tables.order_terms, rows, update=[*_TERMS, "rules", "agreed_at_ms"])


def apply_delivery_noted(conn: Connection, facts: Sequence[AppliedFact[DeliveryNoted]]) -> None:
    """The note and its pieces."""
    names = ("shipment_id", "shipment_number", "note_number", "party", "party_name", "address")
    rows = [
        {"author": f.author, "left_at_ms": f.occurred.at_ms} | {name: getattr(f.payload, name) for name in names}
        for f in facts
    ]
    upsert(conn, tables.delivery, rows)
    lines = [
        {
            "author": f.author,
            "shipment_id": f.payload.shipment_id,
            "material_id": piece.material_id,
            "number": piece.number,
            "order_item": piece.order_item,
            "mass_g": piece.mass.g,
            "mass_basis": piece.mass.basis,
            "certificate": piece.certificate,
            "left_at_ms": f.occurred.at_ms,
        }
        for f in facts
        for piece in f.payload.pieces
    ]
    upsert(conn, tables.delivery_line, lines)


def apply_party_received(conn: Connection, facts: Sequence[AppliedFact[PartyReceived]]) -> None:
    """A piece taken in outside the group."""
    rows = [
        _word(f, "received", f.payload, f.payload.mass)
        | {
            "custody_no": f.payload.custody_no,
            "own_number": f.payload.own_number or f.payload.printed_number,
            "damage": f.payload.damage,
        }
        for f in facts
    ]
    upsert(conn, tables.party_word, rows)


def apply_party_missed(conn: Connection, facts: Sequence[AppliedFact[PartyMissed]]) -> None:
    """A piece that did not come."""
    rows = [
        _word(f, "missed", f.payload, None) | {"custody_no": f.payload.custody_no, "note": f.payload.note}
        for f in facts
    ]
    upsert(conn, tables.party_word, rows)


def apply_party_shipped(conn: Connection, facts: Sequence[AppliedFact[PartyShipped]]) -> None:
    """Pieces on their way back, a row each."""
    rows = [
        _word(f, "shipped", piece, piece.mass) | {"note": f.payload.number} for f in facts for piece in f.payload.pieces
    ]
    upsert(conn, tables.party_word, rows)


def _word(f: AppliedFact[Any], kind: str, piece: Any, mass: Mass | None) -> Row:
    return {
        "author": f.author,
        "fact_id": f.fact_id,
        "material_id": piece.material_id,
        "kind": kind,
        "party": f.payload.party,
        "statement_id": f.payload.statement_id,
        "shipment_id": piece.shipment_id,
        "custody_no": 0,
        "printed_number": piece.printed_number,
        "own_number": "",
        "mass_g": mass.g if mass else 0,
        "mass_basis": mass.basis if mass else "",
        "scale": mass.scale if mass else "",
        "damage": "",
        "note": "",
        "way": f.payload.way,
        "said_at_ms": f.occurred.at_ms,
        "recorded_at_ms": f.recorded_at_ms,
    }
