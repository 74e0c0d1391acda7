"""The sender's part: passports for a load that leaves, made and signed in the transaction of its departure.

A piece whose data do not fit a code leaves without one, and the fact says why: paper never stops a train.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.journal.tables import head
from shared.material.queries import aliases_of, operations_of
from shared.material.walk import Step, walk
from shared.passports.document import LOAD, LoadBody, Shipped, digest, digest_all, seal
from shared.passports.facts import IssuedDocument, NotIssued, PassportIssued
from shared.passports.issuing import Told, make_piece, stored
from shared.passports.queries import find_issued
from shared.transfers.facts import ShipmentLine

GOOD_MS = 60 * 86_400_000
"""A passport is good for sixty days: a ship, a port and weeks without a network; then its sender is asked anew."""
DOCUMENTS_A_FACT = 100
"""A passport takes 1,400 bytes in a fact of at most 256 KiB."""


@dataclass(frozen=True)
class Departure:
    """A load that left, as its passports name it."""

    shipment_id: str
    number: str
    to: str
    lane: str
    mode: str
    vehicle: str
    departed_ms: int


def issue(plant: Plant, tx: Work, load: Departure, lines: Sequence[ShipmentLine], actor: str) -> None:
    """Record passports of these pieces of a load and of the load with them, after its departure was recorded."""
    try:
        shipped = _shipped(plant, tx, load)
        made, without = _make(plant, tx.conn, shipped, lines, tx.now_ms())
        documents = [("", _whole(plant, tx.conn, shipped, made)), *made]
    except ValueError as error:  # a name of the load is longer than a code takes
        documents, without = [], [NotIssued(line.piece.material_id, str(error)) for line in lines]
    for part in _parts(documents):
        _record(plant, tx, load, part, without, actor)
        without = []


def _whole(plant: Plant, conn: Connection, shipped: Shipped, made: Sequence[tuple[str, bytes]]) -> bytes:
    """The load's own, over the pieces that have theirs since earlier too (a piece may be declared late)."""
    issued = {piece: row.digest for piece, row in find_issued(conn, plant.code, shipped.shipment_id.hex()).items()}
    digests = {**issued, **{piece: digest(wire) for piece, wire in made}}
    digests.pop("", None)
    body = LoadBody(shipped=shipped, pieces=len(digests), documents=digest_all(digests.values()))
    return seal(LOAD, body, plant.node.key)


def _record(
    plant: Plant,
    tx: Work,
    load: Departure,
    documents: Sequence[tuple[str, bytes]],
    without: Sequence[NotIssued],
    actor: str,
) -> None:
    now = tx.now_ms()
    fact = PassportIssued(
        shipment_id=load.shipment_id,
        shipment_number=load.number,
        to=load.to,
        key_id=plant.node.key.id,
        issued_ms=now,
        expires_ms=now + GOOD_MS,
        documents=tuple(IssuedDocument(piece, digest(wire), stored(wire)) for piece, wire in documents),
        without=tuple(without),
    )
    tx.record(Draft(fact, (load.shipment_id,), actor, Occurred(now, "system")))


def _shipped(plant: Plant, tx: Work, load: Departure) -> Shipped:
    at = tx.conn.execute(select(head.c.epoch, head.c.seq).where(head.c.stream == plant.code)).one()
    now = tx.now_ms()
    return Shipped(
        sender=plant.code,
        addressee=load.to,
        shipment_id=bytes.fromhex(load.shipment_id),
        number=load.number,
        lane=load.lane,
        mode=load.mode,
        vehicle=load.vehicle,
        departed_ms=load.departed_ms,
        issued_ms=now,
        expires_ms=now + GOOD_MS,
        epoch=bytes.fromhex(at.epoch),
        seq=at.seq,
    )


def _make(
    plant: Plant, conn: Connection, shipped: Shipped, lines: Sequence[ShipmentLine], now_ms: int
) -> tuple[list[tuple[str, bytes]], list[NotIssued]]:
    steps = walk(conn, [line.piece.material_id for line in lines], backward=True).steps
    names = {
        key: row.operation for key, row in operations_of(conn, ((s.author, s.operation_id) for s in steps)).items()
    }
    made: list[tuple[str, bytes]] = []
    without: list[NotIssued] = []
    for line in lines:
        own = _steps_of(steps, line.piece.material_id)
        told = Told(
            line.piece,
            line.custody_no,
            tuple((row.scheme, row.value) for row in aliases_of(conn, line.piece.material_id)),
            tuple(_edge(step) for step in own),
            tuple(dict.fromkeys(filter(None, (names.get((s.author, s.operation_id)) for s in own)))),
            now_ms,
        )
        try:
            made.append((line.piece.material_id, make_piece(shipped, told, plant.node.key)))
        except ValueError as error:
            without.append(NotIssued(line.piece.material_id, str(error)))
    return made, without


def _steps_of(steps: Sequence[Step], material_id: str) -> list[Step]:
    """The making of one piece out of that of several, the latest step first."""
    by_child: dict[str, list[Step]] = {}
    for step in steps:
        by_child.setdefault(step.child_id, []).append(step)
    found: list[Step] = []
    seen, front = {material_id}, [material_id]
    while front:
        nearer = [step for child in front for step in by_child.get(child, ())]
        found += nearer
        front = [parent for parent in dict.fromkeys(s.parent_id for s in nearer) if parent not in seen]
        seen |= set(front)
    return found


def _edge(step: Step) -> str:
    """One edge as a line of the genealogy digest (docs/transfers.md)."""
    spans = (step.parent_from_um, step.parent_to_um, step.child_from_um, step.child_to_um)
    parts = (step.author, step.operation_id, step.ordinal, step.parent_id, step.child_id, *spans, step.share_ppm)
    return "|".join(map(str, parts))


def _parts(documents: Sequence[tuple[str, bytes]]) -> Iterator[Sequence[tuple[str, bytes]]]:
    for at in range(0, max(len(documents), 1), DOCUMENTS_A_FACT):
        yield documents[at : at + DOCUMENTS_A_FACT]
