"""What a side says of a line beside sending it and taking it in: refused, returned, lost, diverted, amended, compared.

Each word is a row of its author; what follows for the line is derived where it is read (lines.py, domain.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Subquery, and_, case, func, select, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.projection import take_back
from shared.transfers.facts import (
    AmendmentTaken,
    CertificateCompared,
    MaterialLost,
    MaterialRefused,
    MaterialReturned,
    PieceRebundled,
    QualityAmended,
)
from shared.transfers.gate_facts import DamagePictured, PieceRouted, ReceiptsSwapped, ReceiptsTold, ShipmentDiverted
from shared.transfers.tables import receipt, shipment, shipment_line, told_receipt, transfer_word

_encoder = msgspec.json.Encoder(order="deterministic")


def register(appliers: Appliers) -> None:
    """Hand the journal the appliers of these words."""
    appliers.add(MaterialRefused, apply_material_refused)
    appliers.add(MaterialReturned, apply_material_returned)
    appliers.add(MaterialLost, apply_material_lost)
    appliers.add(QualityAmended, apply_quality_amended)
    appliers.add(AmendmentTaken, apply_amendment_taken)
    appliers.add(CertificateCompared, apply_certificate_compared)
    appliers.add(PieceRebundled, apply_piece_rebundled)
    appliers.add(ShipmentDiverted, apply_shipment_diverted)
    appliers.add(DamagePictured, apply_damage_pictured)
    appliers.add(PieceRouted, apply_piece_routed)
    appliers.add(ReceiptsSwapped, apply_receipts_swapped)
    appliers.add(ReceiptsTold, apply_receipts_told)


def apply_material_refused(conn: Connection, facts: Sequence[AppliedFact[MaterialRefused]]) -> None:
    """The addressee does not take the piece."""
    rows = [_row(f, "refused", custody_no=f.payload.custody_no, note=f.payload.reason) for f in facts]
    upsert(conn, transfer_word, rows)


def apply_material_returned(conn: Connection, facts: Sequence[AppliedFact[MaterialReturned]]) -> None:
    """The piece is in the sender's stock again."""
    rows = [_row(f, "returned", custody_no=f.payload.custody_no, note=f.payload.note) for f in facts]
    upsert(conn, transfer_word, rows)
    for f in facts:
        take_back(conn, f.author, f.fact_id, f.payload.material_id, f.payload.place)


def apply_material_lost(conn: Connection, facts: Sequence[AppliedFact[MaterialLost]]) -> None:
    """One side's signature under a loss."""
    rows = [_row(f, "lost", custody_no=f.payload.custody_no, note=f.payload.note) for f in facts]
    upsert(conn, transfer_word, rows)


def apply_quality_amended(conn: Connection, facts: Sequence[AppliedFact[QualityAmended]]) -> None:
    """The sender's line says of the piece what the sender says of it now; number, load and mass at departure stay."""
    c = shipment_line.c
    for f in facts:
        piece = f.payload.piece
        said = _encoder.encode(piece).decode()
        row = _row(f, "amended", note=f.payload.reason, detail=said) | {"material_id": piece.material_id}
        upsert(conn, transfer_word, [row])
        line = and_(c.author == f.author, c.shipment_id == f.payload.shipment_id, c.material_id == piece.material_id)
        conn.execute(update(shipment_line).where(line).values(quality=piece.quality, piece=said))


def apply_amendment_taken(conn: Connection, facts: Sequence[AppliedFact[AmendmentTaken]]) -> None:
    """The receiver heard; detail says whether the piece was used, and what is held for it."""
    rows = [
        _row(
            f,
            "taken",
            about=f.payload.amended_by,
            note=f.payload.reason,
            detail=_encoder.encode({"used": f.payload.used, "held": f.payload.held}).decode(),
        )
        for f in facts
    ]
    upsert(conn, transfer_word, rows)


def apply_certificate_compared(conn: Connection, facts: Sequence[AppliedFact[CertificateCompared]]) -> None:
    """The paper differs from the data, field by field."""
    rows = [
        _row(
            f,
            "differs",
            about=f.payload.receipt_id,
            note=describe(f.payload),
            detail=_encoder.encode(f.payload.differences).decode(),
        )
        for f in facts
    ]
    upsert(conn, transfer_word, rows)


def apply_piece_rebundled(conn: Connection, facts: Sequence[AppliedFact[PieceRebundled]]) -> None:
    """The bundle that a piece came in; the piece stays what it is."""
    rows = [_row(f, "bundled", about=f.payload.receipt_id, note=f.payload.bundle) for f in facts]
    upsert(conn, transfer_word, rows)


def apply_shipment_diverted(conn: Connection, facts: Sequence[AppliedFact[ShipmentDiverted]]) -> None:
    """The line is off the list of its addressee; the new load's own fact brings the line that goes on."""
    rows = [
        _row(f, "diverted", custody_no=f.payload.custody_no, about=f.payload.new_shipment_id, note=f.payload.note)
        | {"detail": _encoder.encode({"to": f.payload.to, "number": f.payload.new_number}).decode()}
        for f in facts
    ]
    upsert(conn, transfer_word, rows)
    c = shipment_line.c
    for f in facts:
        line = and_(c.author == f.author, c.shipment_id == f.payload.shipment_id)
        conn.execute(
            update(shipment_line)
            .where(line, c.material_id == f.payload.material_id)
            .values(withdrawn=True, withdrawn_at_ms=f.recorded_at_ms)
        )


def undo_diversion(conn: Connection, author: str, shipment_id: str, material_id: str, fact: tuple[str, int]) -> bool:
    """It never went on with the load of a diversion: the line that the diversion had ended stands again, as a departure
    declared by this fact (id, recorded at). False where the load was none of a diversion."""
    w, c = transfer_word.c, shipment_line.c
    of_it = and_(w.author == author, w.kind == "diverted", w.about == shipment_id, w.material_id == material_id)
    word = conn.execute(select(transfer_word).where(of_it)).first()
    if word is None:
        return False
    conn.execute(update(transfer_word).where(of_it).values(kind="diversion_denied"))
    line = and_(c.author == author, c.shipment_id == word.shipment_id, c.material_id == material_id)
    again = {"withdrawn": False, "withdrawn_at_ms": 0, "fact_id": fact[0], "recorded_at_ms": fact[1]}
    conn.execute(update(shipment_line).where(line).values(**again))
    return True


def apply_damage_pictured(conn: Connection, facts: Sequence[AppliedFact[DamagePictured]]) -> None:
    """A picture of a receipt: note is its SHA-256, detail its media type and size."""
    rows = [
        _row(
            f,
            "pictured",
            about=f.payload.receipt_id,
            note=f.payload.sha256,
            detail=_encoder.encode({"media": f.payload.media, "size_bytes": f.payload.size_bytes}).decode(),
        )
        for f in facts
    ]
    upsert(conn, transfer_word, rows)


def apply_piece_routed(conn: Connection, facts: Sequence[AppliedFact[PieceRouted]]) -> None:
    """The receiver's own route by a person's word: note is the route, detail why. The last one stands."""
    rows = [
        _row(
            f,
            "routed",
            about=f.payload.receipt_id,
            note=f.payload.route,
            detail=_encoder.encode({"reason": f.payload.reason}).decode(),
        )
        for f in facts
    ]
    upsert(conn, transfer_word, rows)


def apply_receipts_swapped(conn: Connection, facts: Sequence[AppliedFact[ReceiptsSwapped]]) -> None:
    """Each receipt is of the piece that it truly took in; what stands on the yard follows by IdentityResolved."""
    c = receipt.c
    for f in facts:
        told = _encoder.encode(f.payload.receipts).decode()
        upsert(conn, transfer_word, [_row(f, "swapped", about=f.payload.case_id, note=f.payload.evidence, detail=told)])
        for one in f.payload.receipts:
            mine = (c.author == f.author, c.receipt_id == one.receipt_id)
            sender = {"sender_mass_g": one.sender_g, "sender_mass_basis": one.sender_basis}
            of = {"material_id": one.material_id, "custody_no": one.custody_no}
            conn.execute(update(receipt).where(*mine).values(**of, **sender))


def apply_receipts_told(conn: Connection, facts: Sequence[AppliedFact[ReceiptsTold]]) -> None:
    """What a sender knows of its pieces at their receivers; the last word stands."""
    rows = [
        {"author": f.author, **{name: getattr(one, name) for name in one.__struct_fields__}}
        for f in facts
        for one in f.payload.receipts
    ]
    update_columns = ("receipt_id", "receiver", "own_number", "custody_no", "received_at_ms")
    last = {(row["shipment_id"], row["material_id"]): row for row in rows}
    upsert(conn, told_receipt, list(last.values()), update=update_columns)


def describe(compared: CertificateCompared) -> str:
    """The differing fields in words: 'C: 450 in the data, 620 on the paper'."""
    return "; ".join(f"{d.field}: {d.told} in the data, {d.found} on the paper" for d in compared.differences)


def load_of_word() -> ColumnElement[bool]:
    """The condition that joins a word with the load that it speaks of."""
    return and_(shipment.c.author == transfer_word.c.sender, shipment.c.shipment_id == transfer_word.c.shipment_id)


def words_of_lines() -> Subquery:
    """A row a line that anything was said of: when it was refused, returned, diverted, lost by either side (ms).

    Only the side whose word it is counts: the addressee refuses, the sender has it back or sends it elsewhere.
    """
    w, s = transfer_word.c, shipment.c

    def first(kind: str, by: Any) -> Any:
        return func.min(case((and_(w.kind == kind, w.author == by), w.said_at_ms)))

    return (
        select(
            w.shipment_id,
            w.material_id,
            first("refused", s.to_plant).label("refused_at_ms"),
            first("returned", s.author).label("returned_at_ms"),
            first("diverted", s.author).label("diverted_at_ms"),
            first("lost", s.author).label("lost_by_sender_ms"),
            first("lost", s.to_plant).label("lost_by_receiver_ms"),
        )
        .join_from(transfer_word, shipment, load_of_word())
        .where(w.kind.in_(("refused", "returned", "diverted", "lost")))
        .group_by(w.shipment_id, w.material_id)
        .subquery("said")
    )


def find_words(
    conn: Connection,
    kind: str,
    *,
    shipment_id: str = "",
    material_id: str = "",
    author: str = "",
    note: str = "",
    about: str = "",
) -> Sequence[Row[Any]]:
    """Words of a kind, oldest first."""
    c = transfer_word.c
    query = select(transfer_word).where(c.kind == kind)
    pairs = (
        (c.shipment_id, shipment_id),
        (c.material_id, material_id),
        (c.author, author),
        (c.note, note),
        (c.about, about),
    )
    for column, value in pairs:
        if value:
            query = query.where(column == value)
    return conn.execute(query.order_by(c.recorded_at_ms, c.fact_id)).all()


def _row(
    f: AppliedFact[Any], kind: str, *, custody_no: int = 0, about: str = "", note: str = "", detail: str = ""
) -> dict[str, Any]:
    return {
        "author": f.author,
        "fact_id": f.fact_id,
        "kind": kind,
        "sender": getattr(f.payload, "from_plant", f.author),
        "shipment_id": f.payload.shipment_id,
        "material_id": getattr(f.payload, "material_id", ""),
        "custody_no": custody_no,
        "about": about,
        "note": note,
        "detail": detail,
        "said_at_ms": f.occurred.at_ms,
        "recorded_at_ms": f.recorded_at_ms,
    }
