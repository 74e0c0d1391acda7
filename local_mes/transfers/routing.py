"""Which of this plant's routes an incoming piece takes: by the rules of the plant model, unless a person says otherwise.

Sender and receiver share no steps: the sender's route ends with its departure, the receiver's begins with the receipt.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from local_mes.model.domain import ROUTE_INPUTS, PlantModel
from local_mes.plant import Plant
from local_mes.transfers import gate_errors
from shared.db.bulk import among
from shared.journal.fact import Draft, Occurred
from shared.material.queries import find_material, get_piece
from shared.orders.queries import find_order
from shared.rules.check import compiled
from shared.rules.port import InputValue
from shared.transfers.facts import PieceData
from shared.transfers.gate_facts import PieceRouted
from shared.transfers.queries import find_receipt_of
from shared.transfers.tables import transfer_word
from shared.units import G_PER_KG, UM_PER_MM

ROUTE, RULE = "route", "route_rule"
"""Attributes of the receiver's row: its own route, and the rule of its model that chose it."""


@dataclass(frozen=True)
class Choice:
    """A route and where it comes from: a rule's code, or a person's reason. Both empty: no route of ours is known."""

    route: str = ""
    rule: str = ""
    reason: str = ""


def routes_of(model: PlantModel) -> list[str]:
    """The routes that incoming pieces can take here."""
    return list(dict.fromkeys(rule.route for rule in model.reroute))


def choose(conn: Connection, model: PlantModel, sender: str, piece: PieceData) -> Choice:
    """The first rule that is true of the piece. One that lacks an input, or fails, is not true."""
    order = find_order(conn, model.code, piece.order_item) or find_order(conn, sender, piece.order_item)
    return choose_for(model, sender, piece, order.product if order is not None else "")


def choose_for(model: PlantModel, sender: str, piece: PieceData, product: str) -> Choice:
    """The same where the order's product is known already, empty where the order is not."""
    inputs = _inputs(sender, piece, product)
    for rule in model.reroute:
        if compiled(rule.when, ROUTE_INPUTS).judge(inputs).truth == "true":
            return Choice(rule.route, rule.code)
    return Choice()


def own_attributes(plant: Plant, conn: Connection, sender: str, piece: PieceData, named: str = "") -> dict[str, str]:
    """What the sender says of a piece beside its data, with our route in place of the sender's.

    named: what the person at the gate chose; empty: by rule.
    """
    told = {name: value for name, value in piece.attributes.items() if name not in (ROUTE, RULE)}
    found = choose(conn, plant.model, sender, piece)
    if named and named != found.route:
        check_route(plant, named)
        found = Choice(named)
    return told | {name: value for name, value in ((ROUTE, found.route), (RULE, found.rule)) if value}


def reroute(plant: Plant, piece: str, route: str, *, reason: str, actor: str, command_id: str) -> dict[str, Any]:
    """A person sends a piece that came from elsewhere over another route of this plant. Done once for a command id."""
    check_route(plant, route)
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        row = get_piece(tx.conn, piece, plant.code)
        came = find_receipt_of(tx.conn, plant.code, row.material_id)
        if came is None:
            raise gate_errors.not_taken_in(piece)
        fact = PieceRouted(
            receipt_id=came.receipt_id,
            shipment_id=came.shipment_id,
            from_plant=came.from_plant,
            material_id=row.material_id,
            route=route,
            reason=reason,
        )
        tx.record(Draft(fact, (row.material_id, came.receipt_id), actor, Occurred(tx.now_ms(), "manual")))
        result = {"material_id": row.material_id, "number": row.number, "route": route}
        tx.done(command_id, result)
        return result


def route_of(conn: Connection, here: str, material_id: str) -> Choice:
    """The route of a piece that came from elsewhere, as it stands: a person's word, else what its receipt says."""
    row = find_material(conn, here, material_id)
    return own_routes(conn, here, [row])[material_id] if row is not None else Choice()


def own_routes(conn: Connection, here: str, rows: Collection[Row[Any]]) -> dict[str, Choice]:
    """The same of many pieces of this plant, by material id."""
    c = transfer_word.c
    said = select(transfer_word).where(c.kind == "routed", c.author == here)
    said = said.where(among(conn, c.material_id, [row.material_id for row in rows]))
    words = {word.material_id: word for word in conn.execute(said.order_by(c.recorded_at_ms, c.fact_id))}
    return {row.material_id: _own_route(row, words.get(row.material_id)) for row in rows}


def _own_route(row: Row[Any], word: Row[Any] | None) -> Choice:
    if word is not None:
        return Choice(word.note, **msgspec.json.decode(word.detail))
    told = msgspec.json.decode(row.attributes, type=dict[str, str])
    return Choice(told.get(ROUTE, ""), told.get(RULE, ""))


def check_route(plant: Plant, route: str) -> None:
    """Refuse a route that no rule of the plant model leads to."""
    known = routes_of(plant.model)
    if route not in known:
        raise gate_errors.unknown_route(route, known)


def _inputs(sender: str, piece: PieceData, product: str) -> dict[str, InputValue]:
    return {
        "sender": sender,
        "kind": piece.kind,
        "grade": piece.grade,
        "order_item": piece.order_item,
        "product": product,
        "thickness_mm": piece.size.thickness_um / UM_PER_MM,
        "width_mm": piece.size.width_um / UM_PER_MM,
        "mass_kg": piece.mass.g / G_PER_KG,
    }
