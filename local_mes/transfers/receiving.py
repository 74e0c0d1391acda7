"""The addressee's command: a piece is taken in.

A piece whose number no announced load bears is taken in all the same, under a provisional identity and a hold: the
sender may merely be cut off. When its data arrives, matching.py ties the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.transfers import errors
from local_mes.transfers.amending import note_amendments
from local_mes.transfers.believing import find_believed
from local_mes.transfers.checking import check_mass, inherit_holds
from local_mes.transfers.domain import main_heat
from local_mes.transfers.listed import check_not_taken
from local_mes.transfers.looking import Arrived, hold_damaged, look_closer
from local_mes.transfers.naming import make_aliases, own_number
from local_mes.transfers.photos import check_picture, keep_picture
from local_mes.transfers.routing import ROUTE, own_attributes
from local_mes.transfers.waiting import await_data
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import Mass, NewAlias, NewMaterial, Size
from shared.transfers.domain import ADVISED, Candidate, MassComparison, fence, find_line
from shared.transfers.facts import MaterialReceived, PieceData
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import (
    departure_in_force,
    find_candidates,
    find_likely_sender,
    find_receipts,
    find_shipment,
    get_piece,
)


@dataclass(frozen=True)
class ReceiveCommand:
    """One piece at the gate or in the yard. piece: the number painted on it; mass in grams.

    shipment: number or id of the load where it is known; own_number empty: the next of the plant's scheme. mass_g 0:
    it was not weighed here (hot charging), so the sender's mass counts. certificate: what the paper says, by field
    (grade, or an element in 1e-6 mass fraction); bundle: the bundle it came in, where it left in another. custody_no: the
    number on its label or paper, 0 where none was read. photo: a picture of the damage, JPEG or PNG; route: where it goes
    here, empty for what the plant model's rules say.
    """

    command_id: str
    actor: str
    piece: str
    mass_g: int
    mass_basis: str = "weighed"
    scale: str = ""
    place: str = ""
    position: str = ""
    shipment: str = ""
    own_number: str = ""
    from_plant: str = ""
    kind: str = ""
    damage: str = ""
    occurred_at_ms: int | None = None
    source: str = "manual"
    certificate: Mapping[str, str] = field(default_factory=dict)
    bundle: str = ""
    custody_no: int = 0
    photo: bytes = b""
    route: str = ""


def receive(plant: Plant, command: ReceiveCommand) -> dict[str, Any]:
    """Take a piece in: custody passes to this plant. Done once for a command id.

    Answers receipt_id, material_id, own_number, provisional, difference_g (None without the sender's mass), flagged;
    from_plant as it is recorded, empty while nobody knows, and likely_from, which may be a guess and is not recorded; route
    of ours, empty where no rule of the plant model is true.
    """
    picture = check_picture(command.photo) if command.photo else None
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        at_ms = command.occurred_at_ms or tx.now_ms()
        candidates = find_believed(tx.conn, plant, [command.piece])
        line = find_line(candidates, shipment=command.shipment, from_plant=command.from_plant, received_at_ms=at_ms)
        if line is not None and command.custody_no > line.custody_no:
            line = None  # it left again, and its sender's word of that is not here yet
        if line is None:
            if not command.mass_g:
                raise errors.no_mass(command.piece)
            _check_not_here(tx.conn, plant.code, command)
            result = take_in_unlisted(plant, tx, command, at_ms)
        else:
            result = take_in_listed(plant, tx, command, line, at_ms)
        if picture is not None:
            keep_picture(plant, tx, picture, result, command.actor, at_ms)
        tx.done(command.command_id, result)
        return result


def new_row(
    piece: PieceData, mass: Mass, place: str, aliases: tuple[NewAlias, ...], attributes: dict[str, str]
) -> NewMaterial:
    """The receiver's own row of a piece its sender described."""
    return NewMaterial(
        material_id=piece.material_id,
        kind=piece.kind,
        aliases=aliases,
        mass=mass,
        size=piece.size,
        grade=piece.grade,
        order_item=piece.order_item or "stock",
        place=place,
        attributes=attributes,
        heat_number=main_heat(piece.heats),
        chemistry_e6=dict(piece.chemistry_e6),
    )


@dataclass(frozen=True)
class Announced:
    """What is known of a piece that comes: its sender's data, and the departure that is cited.

    provisional: by its passport alone; the sender's own word is not here yet, and shipment_id is empty until it is.
    """

    sender: str
    shipment_id: str
    shipment_number: str
    custody_no: int
    piece: PieceData
    causes: tuple[str, ...] = ()
    provisional: bool = False


def take_in_listed(plant: Plant, tx: Work, command: ReceiveCommand, line: Candidate, at_ms: int) -> dict[str, Any]:
    """Record the receipt of a piece that its sender announced, and what follows from it at once."""
    piece = get_piece(tx.conn, line.sender, line.shipment_id, line.material_id)
    told = find_lines(
        tx.conn, LineFilter(sender=line.sender, shipment_id=line.shipment_id, material_id=line.material_id)
    )[0]
    check_in_force(tx.conn, told, command.custody_no)
    check_not_taken(tx.conn, plant.code, told)
    known = Announced(line.sender, line.shipment_id, line.shipment_number, told.custody_no, piece, (told.sent_fact,))
    return take_in_announced(plant, tx, command, known, at_ms)


def take_in_announced(plant: Plant, tx: Work, command: ReceiveCommand, known: Announced, at_ms: int) -> dict[str, Any]:
    """Record the receipt of a piece with its sender's data, whichever way they came, and what follows from it at once."""
    piece = known.piece
    own = own_number(plant, tx, command.own_number, command.piece, piece.kind)
    mass = _mass(command, piece, at_ms)
    aliases = make_aliases(plant.code, known.sender, piece.kind, own, command.piece, piece.number)
    attributes = own_attributes(plant, tx.conn, known.sender, piece, command.route)
    fact = MaterialReceived(
        receipt_id=new_id(plant.clock),
        shipment_id=known.shipment_id,
        shipment_number=known.shipment_number,
        from_plant=known.sender,
        custody_no=known.custody_no,
        provisional=known.provisional,
        printed_number=command.piece,
        material=new_row(piece, mass, command.place, aliases, attributes),
        sender_mass=piece.mass,
        position=command.position,
        damage=command.damage,
    )
    subjects = tuple(filter(None, (piece.material_id, fact.receipt_id, known.shipment_id)))
    tx.record(Draft(fact, subjects, command.actor, Occurred(at_ms, command.source), causes=known.causes))
    _follow_up(plant, tx, command, fact, piece, at_ms)
    compared = check_mass(plant, tx, known.sender, piece.material_id, piece.mass, mass, at_ms)
    return _answer(fact, own, known.sender, compared)


def _answer(fact: MaterialReceived, own: str, likely: str, compared: MassComparison | None = None) -> dict[str, Any]:
    return {
        "receipt_id": fact.receipt_id,
        "material_id": fact.material.material_id,
        "own_number": own,
        "provisional": fact.provisional,
        "shipment_id": fact.shipment_id,
        "from_plant": fact.from_plant,
        "likely_from": likely,
        "difference_g": compared.difference_g if compared is not None else None,
        "flagged": compared is not None and not compared.is_within,
        "route": fact.material.attributes.get(ROUTE, ""),
    }


def check_in_force(conn: Connection, line: TransferLine, cited: int = 0) -> None:
    """Refuse what cites a departure that another one of the piece has followed; cited 0: the line's own number."""
    in_force = max(departure_in_force(conn, line.material_id), line.custody_no)
    number = cited or line.custody_no
    if fence(number, in_force) == "stale":
        raise errors.stale_custody(line.number, number, in_force)


def _follow_up(
    plant: Plant, tx: Work, command: ReceiveCommand, fact: MaterialReceived, piece: PieceData, at_ms: int
) -> None:
    """What the sender held, changed since, or the eye found at the gate."""
    material_id = fact.material.material_id
    inherit_holds(plant, tx, material_id, piece, fact.receipt_id, at_ms)
    note_amendments(plant, tx, fact.shipment_id, material_id)
    look_closer(plant, tx, Arrived(fact, piece, command.certificate, command.bundle, at_ms))


def _mass(command: ReceiveCommand, piece: PieceData, at_ms: int) -> Mass:
    """Ours, or the sender's where it was not weighed here: then it is marked as taken over."""
    if command.mass_g:
        return Mass(command.mass_g, command.mass_basis, command.scale, at_ms)
    if not piece.mass.g:
        raise errors.no_mass(command.piece)
    return Mass(piece.mass.g, ADVISED, piece.mass.scale, piece.mass.at_ms)


def take_in_unlisted(plant: Plant, tx: Work, command: ReceiveCommand, at_ms: int) -> dict[str, Any]:
    """Record the receipt of a piece that nobody told of, under a provisional identity and a hold."""
    load = find_shipment(tx.conn, command.shipment, receiver=plant.code) if command.shipment else None
    sender = load.author if load else command.from_plant
    likely = sender or find_likely_sender(tx.conn, plant.code)
    kind = command.kind or _usual_kind(plant, tx.conn, likely)
    own = own_number(plant, tx, command.own_number, command.piece, kind)
    material_id, receipt_id = new_id(plant.clock), new_id(plant.clock)
    material = _unknown_piece(
        material_id, kind, command, at_ms, make_aliases(plant.code, sender, kind, own, command.piece)
    )
    fact = MaterialReceived(
        receipt_id=receipt_id,
        shipment_id="",
        shipment_number=load.number if load else command.shipment,
        from_plant=sender,
        custody_no=0,
        provisional=True,
        printed_number=command.piece,
        material=material,
        sender_mass=None,
        position=command.position,
        damage=command.damage,
    )
    tx.record(Draft(fact, (material_id, receipt_id), command.actor, Occurred(at_ms, command.source)))
    await_data(plant, tx, material_id, command.actor, Occurred(at_ms, command.source))
    hold_damaged(plant, tx, receipt_id, material_id, command.damage, at_ms)
    return _answer(fact, own, likely)


def _unknown_piece(
    material_id: str, kind: str, command: ReceiveCommand, at_ms: int, aliases: tuple[NewAlias, ...]
) -> NewMaterial:
    """A provisional identity: what was read and weighed at the gate is all that is known."""
    return NewMaterial(
        material_id=material_id,
        kind=kind,
        mass=Mass(command.mass_g, command.mass_basis, command.scale, at_ms),
        aliases=aliases,
        size=Size(),
        order_item="stock",
        place=command.place,
        attributes={"provisional": "yes"},
    )


def _check_not_here(conn: Connection, here: str, command: ReceiveCommand) -> None:
    """Refuse a second receipt of the same piece of the same load; a number from another load may well come again."""
    known = find_candidates(conn, [command.piece], here)  # those too whose sender's word is not believed any more
    loads = {c.shipment_id for c in known if c.taken and command.shipment in ("", c.shipment_id, c.shipment_number)}
    for row in find_receipts(conn, receiver=here, printed_number=command.piece, limit=50):
        waiting = row.provisional and command.shipment in ("", row.shipment_number)
        if row.shipment_id in loads or waiting:
            raise errors.received_already(command.piece, row.own_number)


def _usual_kind(plant: Plant, conn: Connection, sender: str) -> str:
    """What this sender's pieces usually are; without a word of it yet, what the plant has a yard for."""
    lines = find_lines(conn, LineFilter(sender=sender, receiver=plant.code), limit=1)
    if lines:
        return lines[0].kind
    return "slab" if plant.model.units_of("slab_yard") else "coil"
