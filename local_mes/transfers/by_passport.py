"""A piece is taken in by its passport, with nothing but what is on this plant's disk; no network is asked.

What a passport of a good key says is taken as the sender's word: true identity, chemistry, holds, custody number. The
receipt stays provisional until the departure itself arrives; then matching.py ties the two. Under a revoked key the
piece waits like one that nobody told of, until its departure is found below the point of revocation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from local_mes.passports.keys import find_keys
from local_mes.plant import Plant
from local_mes.transfers.believing import find_believed
from local_mes.transfers.knowing import find_waiting, know
from local_mes.transfers.receiving import Announced, ReceiveCommand, take_in_announced, take_in_listed, take_in_unlisted
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import Mass
from shared.material.queries import find_material
from shared.passports import errors
from shared.passports.document import PieceBody
from shared.passports.facts import PassportTaken
from shared.passports.issuing import stored, told_piece
from shared.passports.queries import taken_of
from shared.passports.verify import Passport, read_passport
from shared.transfers.domain import Candidate
from shared.transfers.queries import custody_numbers
from shared.transfers.tables import receipt


@dataclass(frozen=True)
class PassportCommand:
    """One piece at the gate by its passport's text. mass_g 0: not weighed here, the sender's mass counts."""

    command_id: str
    actor: str
    passport: str
    mass_g: int = 0
    mass_basis: str = "weighed"
    scale: str = ""
    place: str = ""
    position: str = ""
    own_number: str = ""
    damage: str = ""
    route: str = ""
    occurred_at_ms: int | None = None


def check_passport(conn: Connection, plant: Plant, text: str) -> Passport:
    """A passport that holds here now and was not used; Refused or BadInput says why not."""
    passport = read_passport(text, find_keys(conn, plant), plant.code, plant.clock.now_ms())
    if isinstance(passport.body, PieceBody):
        _check_unused(conn, plant.code, passport.body)
    return passport


def receive_by_passport(plant: Plant, command: PassportCommand) -> dict[str, Any]:
    """Take a piece in by its passport. Done once for a command id.

    Answers as receive() does, and standing: listed (its sender's data is here), good (its passport is believed), revoked
    (its key is not: it waits). A piece that waits here under its painted number already is the one: its mass, place and number
    stay as they were found then.
    """
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        passport = check_passport(tx.conn, plant, command.passport)
        at_ms = command.occurred_at_ms or tx.now_ms()
        weighed = Mass(command.mass_g, command.mass_basis, command.scale, at_ms) if command.mass_g else None
        line, waiting = (
            _find_line(tx.conn, plant, passport.piece),
            find_waiting(plant, tx.conn, passport.piece, weighed),
        )
        if waiting is not None and (line is not None or passport.standing != "good"):
            raise errors.waits(passport.piece.number, waiting.own_number)
        if waiting is not None:
            result, standing = know(plant, tx, waiting, passport.piece, command.actor), "good"
        elif line is not None:
            result = take_in_listed(plant, tx, _as_read(command, passport.piece), line, at_ms)
            standing = "listed"
        elif passport.standing == "good":
            result = take_in_announced(plant, tx, _as_read(command, passport.piece), _announced(passport), at_ms)
            standing = "good"
        else:
            result, standing = _take_in_doubted(plant, tx, command, passport.piece, at_ms), "revoked"
        _note(plant, tx, command, passport, result["receipt_id"], standing, at_ms)
        result |= {"standing": standing, "digest": passport.digest}
        tx.done(command.command_id, result)
        return result


def _check_unused(conn: Connection, here: str, piece: PieceBody) -> None:
    """Replayed: taken in under this custody number already, here or elsewhere; or the piece has changed hands since."""
    material_id = piece.material_id.hex()
    c = receipt.c
    cited = select(receipt).where(c.material_id == material_id, c.custody_no >= piece.custody_no)
    for row in conn.execute(cited.order_by(c.custody_no)):
        raise errors.replayed(piece.number, row.own_number, row.author, row.custody_no)
    for used in taken_of(conn, material_id):
        if used.custody_no == piece.custody_no:
            raise errors.replayed(piece.number, piece.number, used.author, used.custody_no)
    ours = find_material(conn, here, material_id)
    if ours is not None and ours.state != "shipped":
        raise errors.here(piece.number, ours.number, ours.state)
    known = max(custody_numbers(conn, material_id), default=0)
    if known > piece.custody_no:
        raise errors.over(piece.number, piece.custody_no, known)


def _find_line(conn: Connection, plant: Plant, piece: PieceBody) -> Candidate | None:
    """The departure itself, where its sender's data is here already."""
    wanted = (piece.shipped.shipment_id.hex(), piece.material_id.hex())
    found = find_believed(conn, plant, [piece.number])
    return next((one for one in found if (one.shipment_id, one.material_id) == wanted), None)


def _announced(passport: Passport) -> Announced:
    piece = passport.piece
    # the load is named by its number only, until its sender's own word of it is here
    return Announced(
        piece.shipped.sender, "", piece.shipped.number, piece.custody_no, told_piece(piece), provisional=True
    )


def _take_in_doubted(plant: Plant, tx: Work, command: PassportCommand, piece: PieceBody, at_ms: int) -> dict[str, Any]:
    """Nothing that it says is believed but what to look for: the load's number and the piece's."""
    read = _as_read(command, piece)
    if not read.mass_g:
        read = replace(read, mass_g=piece.mass_g, mass_basis=piece.mass_basis)
    return take_in_unlisted(plant, tx, read, at_ms)


def _as_read(command: PassportCommand, piece: PieceBody) -> ReceiveCommand:
    return ReceiveCommand(
        command_id=command.command_id,
        actor=command.actor,
        piece=piece.number,
        mass_g=command.mass_g,
        mass_basis=command.mass_basis,
        scale=command.scale,
        place=command.place,
        position=command.position,
        shipment=piece.shipped.number,
        own_number=command.own_number,
        from_plant=piece.shipped.sender,
        kind=piece.kind,
        damage=command.damage,
        occurred_at_ms=command.occurred_at_ms,
        source="passport",
        custody_no=piece.custody_no,
        route=command.route,
    )


def _note(
    plant: Plant, tx: Work, command: PassportCommand, passport: Passport, receipt_id: str, standing: str, at_ms: int
) -> None:
    """By which passport: the evidence stays with the receipt."""
    piece = passport.piece
    fact = PassportTaken(
        receipt_id=receipt_id,
        digest=passport.digest,
        key_id=passport.key_id,
        sender=piece.shipped.sender,
        shipment_id=piece.shipped.shipment_id.hex(),
        shipment_number=piece.shipped.number,
        material_id=piece.material_id.hex(),
        custody_no=piece.custody_no,
        standing=standing,
        body=stored(passport.wire),
    )
    fact_id = derived_id(at_ms, plant.code, "passport", receipt_id)
    tx.record(Draft(fact, (receipt_id,), command.actor, Occurred(at_ms, "passport"), fact_id=fact_id))
