"""Use cases of dispatch: agree parties and terms; a load leaves the group with its delivery note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.dispatch import errors
from local_mes.dispatch.looking import missing_of
from local_mes.model.numbers import get_scheme, next_number
from local_mes.orders.service import find_order
from local_mes.plant import Plant
from local_mes.transfers.pieces import describe, fitting
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.material.facts import Mass
from shared.material.queries import get_piece
from shared.outside.facts import CODE, CUSTOMER, DeliveryNoted, NotedPiece, PartyAgreed, TermsAgreed
from shared.outside.queries import find_party, get_terms
from shared.transfers.domain import next_custody_no
from shared.transfers.facts import MaterialShipped, ShipmentLine
from shared.transfers.queries import custody_numbers
from shared.units import theoretical_mass_g

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Loaded:
    """A piece by any of its numbers, where on the vehicle it lies, and the certificate that covers it."""

    piece: str
    position: str = ""
    certificate: str = ""


@dataclass(frozen=True)
class DispatchCommand:
    """A load that leaves the group now (or left at occurred_at_ms). eta_ms None: after the party's usual hours."""

    command_id: str
    actor: str
    party: str
    pieces: tuple[Loaded, ...]
    vehicle: str = ""
    mode: str = "truck"
    eta_ms: int | None = None
    occurred_at_ms: int | None = None


def agree_party(plant: Plant, party: PartyAgreed, *, actor: str, command_id: str) -> dict[str, Any]:
    """Agree a customer or processor, or change what is agreed of it. Done once for a command id."""
    if not re.fullmatch(CODE, party.code):
        raise errors.bad_code(party.code)
    if party.code == plant.code or any(lane.to == party.code for lane in plant.model.lane):
        raise errors.code_of_a_plant(party.code)
    return _say(plant, party, f"party:{party.code}", {"code": party.code}, actor, command_id)


def agree_terms(plant: Plant, terms: TermsAgreed, *, actor: str, command_id: str) -> dict[str, Any]:
    """Agree what an order item demands of its pieces. Done once for a command id."""
    return _say(plant, terms, f"order:{terms.item}", {"item": terms.item}, actor, command_id)


def dispatch(plant: Plant, command: DispatchCommand) -> dict[str, Any]:
    """A load leaves for an outside party: departure and delivery note together, or neither. Done once for a command id.

    Refused names, for every piece that may not leave, each thing that is missing.
    """
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        party = get_party(tx.conn, plant.code, command.party)
        rows = _rows(tx.conn, plant.code, command)
        _check(tx.conn, rows, party, command)
        at_ms = command.occurred_at_ms or tx.now_ms()
        shipped = _departure(plant, tx, command, party, rows, at_ms)
        note = _note(plant, tx, command, party, rows, shipped)
        occurred = Occurred(at_ms, "manual")
        subjects = (shipped.shipment_id, *(row.material_id for row in rows))
        ids = tx.record(Draft(shipped, subjects, command.actor, occurred))
        tx.record(Draft(note, (shipped.shipment_id,), command.actor, occurred, causes=tuple(ids)))
        result = {
            "shipment_id": shipped.shipment_id,
            "number": shipped.number,
            "note_number": note.note_number,
            "pieces": len(rows),
            "mass_g": sum(piece.mass.g for piece in note.pieces),
        }
        tx.done(command.command_id, result)
        return result


def get_party(conn: Connection, here: str, code: str) -> Row[Any]:
    """A party with which this plant deals now; NotFound, Refused."""
    party = find_party(conn, here, code)
    if party is None:
        raise errors.unknown_party(code, here)
    if party.ended:
        raise errors.party_ended(code)
    return party


def _say(
    plant: Plant, fact: PartyAgreed | TermsAgreed, subject: str, result: dict[str, Any], actor: str, command_id: str
) -> dict[str, Any]:
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        if isinstance(fact, TermsAgreed) and find_order(tx.conn, plant.code, fact.item) is None:
            raise errors.unknown_item(fact.item)
        payload: Payload = fact
        tx.record(Draft(payload, (subject,), actor, Occurred(tx.now_ms(), "manual")))
        tx.done(command_id, result)
        return result


def _rows(conn: Connection, here: str, command: DispatchCommand) -> list[Row[Any]]:
    if not command.pieces:
        raise errors.nothing_listed()
    rows = [get_piece(conn, loaded.piece, here) for loaded in command.pieces]
    seen: set[str] = set()
    for row in rows:
        if row.material_id in seen:
            raise errors.listed_twice(row.number)
        seen.add(row.material_id)
    return rows


def _check(conn: Connection, rows: list[Row[Any]], party: Row[Any], command: DispatchCommand) -> None:
    missing = {}
    for row, loaded in zip(rows, command.pieces, strict=True):
        found = missing_of(conn, row, party, loaded.certificate)
        if found:
            missing[row.number] = found
    if missing:
        raise errors.may_not_leave(missing)


def _departure(
    plant: Plant, tx: Work, command: DispatchCommand, party: Row[Any], rows: list[Row[Any]], at_ms: int
) -> MaterialShipped:
    lines = fitting(
        ShipmentLine(
            piece=describe(tx.conn, row),
            position=loaded.position,
            custody_no=next_custody_no(custody_numbers(tx.conn, row.material_id)),
        )
        for row, loaded in zip(rows, command.pieces, strict=True)
    )
    return MaterialShipped(
        shipment_id=new_id(plant.clock),
        number=next_number(tx, get_scheme(plant.model, f"{plant.code}.shipment")),
        to=party.code,
        lane=f"{plant.code}-{party.code}",
        mode=command.mode,
        vehicle=command.vehicle,
        departed_at_ms=at_ms,
        eta_ms=command.eta_ms or at_ms + party.hours * HOUR_MS,
        lines=lines,
    )


def _note(
    plant: Plant, tx: Work, command: DispatchCommand, party: Row[Any], rows: list[Row[Any]], shipped: MaterialShipped
) -> DeliveryNoted:
    pieces = tuple(
        NotedPiece(
            material_id=row.material_id,
            number=row.number,
            order_item=row.order_item,
            mass=_noted_mass(tx.conn, row, party),
            certificate=loaded.certificate,
        )
        for row, loaded in zip(rows, command.pieces, strict=True)
    )
    return DeliveryNoted(
        shipment_id=shipped.shipment_id,
        shipment_number=shipped.number,
        note_number=next_number(tx, get_scheme(plant.model, f"{plant.code}.delivery")),
        party=party.code,
        party_name=party.name,
        address=party.address,
        pieces=pieces,
    )


def _noted_mass(conn: Connection, row: Row[Any], party: Row[Any]) -> Mass:
    """The mass that the customer is told: by dimensions where the order is sold so, else what the books say."""
    sold = get_terms(conn, row.author, row.order_item).mass_basis if party.kind == CUSTOMER else ""
    if sold == "theoretical" and row.mass_basis != "theoretical":
        return Mass(theoretical_mass_g(row.thickness_um, row.width_um, row.length_um), "theoretical")
    return Mass(row.mass_g, row.mass_basis, row.mass_scale, row.mass_at_ms)
