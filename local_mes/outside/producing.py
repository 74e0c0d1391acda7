"""A processor's production: what it charged and what came out, which must balance; the products stay in its custody.

The step is recorded by the plant that answers, so that traces and recalls go through it; the products are then on a
load to the processor, which has received it: they come back like any piece.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.outside.domain import NAME_MAX, Area, Balance, Said, Statement
from local_mes.outside.finding import Unclear, check_once, check_there, find_line
from local_mes.outside.placing import read_areas, size_of
from local_mes.transfers.pieces import heat_shares
from shared.ids import derived_id
from shared.journal.fact import Payload
from shared.material.facts import Consumed, Edge, Loss, Mass, MaterialTransformed, NewAlias, NewMaterial, Size
from shared.material.queries import get_material
from shared.outside.facts import PartyReceived
from shared.transfers.domain import MassLimits
from shared.transfers.facts import MaterialShipped, PieceData, ShipmentLine
from shared.transfers.limits import mass_limits
from shared.transfers.lines import TransferLine
from shared.transfers.queries import find_shipment
from shared.units import share_out

Told = tuple[Payload, tuple[str, ...]]
"""A fact and its subjects."""
NOTE = "told by the processor: masses and numbers, no places within the piece"
NOTE_OF_PLACES = "told by the processor, with places within the piece"


def decide_produced(
    conn: Connection, here: str, party: str, statement: Statement, statement_id: str, way: str
) -> list[Told]:
    """The step, the load on which its products are, and their receipts; Unclear where masses or pieces do not fit."""
    lines = [_line(conn, here, party, said, statement.load) for said in statement.inputs]
    if not lines:
        raise Unclear("it names nothing that was charged")
    check_once(lines)
    parents = [_row(conn, here, line) for line in lines]
    limits = mass_limits(conn, here, f"{here}-{party}")
    charged = [_charged(said, row, limits) for said, row in zip(statement.inputs, parents, strict=True)]
    if any(said.mass_g <= 0 for said in statement.pieces):
        raise Unclear("a product has no mass")
    balance = Balance(sum(charged), sum(said.mass_g for said in statement.pieces), statement.scrap_g)
    if not balance.holds:
        raise Unclear(
            f"it does not balance: charged {balance.charged_g / 1000:,.0f} kg, products "
            f"{balance.produced_g / 1000:,.0f} kg, scrap {balance.scrap_g / 1000:,.0f} kg; open "
            f"{balance.open_g / 1000:+,.0f} kg, allowed {balance.allowed_g / 1000:,.0f} kg"
        )
    areas = read_areas(parents, statement.pieces)
    ids_of = (derived_id(statement.at_ms, here, statement_id, "product", at) for at in range(len(areas)))
    children = [
        _child(party, parents[0], said, size_of(said, area, parents[0]), material_id, statement.at_ms)
        for said, area, material_id in zip(statement.pieces, areas, ids_of, strict=True)
    ]
    step = _step(party, statement, statement_id, parents, charged, children, areas)
    load = _load(conn, here, party, statement, statement_id, parents[0], children)
    ids = tuple(child.material_id for child in children)
    parent_ids = tuple(row.material_id for row in parents)
    # what was charged had come, whether or not that was said before
    told: list[Told] = [
        (_came(party, line, statement_id, way), (line.material_id, line.shipment_id))
        for line in lines
        if line.receipt_id is None
    ]
    told += [(step, (*parent_ids, *ids)), (load, (load.shipment_id, *ids))]
    return told + [
        (_receipt(party, load, child, statement_id, way), (child.material_id, load.shipment_id)) for child in children
    ]


def _line(conn: Connection, here: str, party: str, said: Said, load: str) -> TransferLine:
    line = find_line(conn, here, party, said.piece, load)
    check_there(conn, line)
    return line


def _row(conn: Connection, here: str, line: TransferLine) -> Row[Any]:
    row = get_material(conn, here, line.material_id)
    if row.state != "shipped":
        raise Unclear(f"{line.number} is {row.state} in the books, and is said to have been charged")
    return row


def _charged(said: Said, row: Row[Any], limits: MassLimits) -> int:
    """Grams, as the party weighed it or else as the books have it. Unclear too far from the books: steel from nowhere."""
    in_books = int(row.mass_g)
    allowed_g = limits.allowed_g(in_books, row.mass_basis, said.mass_basis)
    if said.mass_g and abs(said.mass_g - in_books) > allowed_g:
        raise Unclear(
            f"{said.mass_g / 1000:,.0f} kg of {said.piece} are said to have been charged; the books say "
            f"{in_books / 1000:,.0f} kg, and {allowed_g / 1000:,.0f} kg of difference are allowed"
        )
    return said.mass_g or in_books


def _came(party: str, line: TransferLine, statement_id: str, way: str) -> PartyReceived:
    return PartyReceived(
        statement_id=statement_id,
        party=party,
        shipment_id=line.shipment_id,
        material_id=line.material_id,
        custody_no=line.custody_no,
        printed_number=line.number,
        way=way,
    )


def _child(party: str, parent: Row[Any], said: Said, size: Size, material_id: str, at_ms: int) -> NewMaterial:
    return NewMaterial(
        material_id=material_id,
        kind=said.kind or parent.kind,
        aliases=(NewAlias(f"{party}.product", said.own_number or said.piece),),
        mass=Mass(said.mass_g, said.mass_basis, "", at_ms),
        size=size,
        grade=parent.grade,
        order_item=parent.order_item,
        place=party,
        heat_number=parent.heat_number,
    )


def _step(
    party: str,
    statement: Statement,
    statement_id: str,
    parents: list[Row[Any]],
    charged: list[int],
    children: list[NewMaterial],
    areas: list[Area | None],
) -> MaterialTransformed:
    losses = (Loss("trim", statement.scrap_g, weighed=True),) if statement.scrap_g else ()
    return MaterialTransformed(
        operation_id=statement_id,
        operation=statement.operation or "process",
        unit=party,
        started_at_ms=statement.at_ms,
        ended_at_ms=statement.at_ms,
        parents=tuple(Consumed(row.material_id, grams) for row, grams in zip(parents, charged, strict=True)),
        children=tuple(children),
        edges=_edges(parents, charged, children, areas),
        losses=losses,
        notes=(NOTE_OF_PLACES if any(areas) else NOTE,),
    )


def _edges(
    parents: list[Row[Any]], charged: list[int], children: list[NewMaterial], areas: list[Area | None]
) -> tuple[Edge, ...]:
    """Each child of each parent, by mass: empty intervals where no place within was told."""
    edges = []
    for child, area in zip(children, areas, strict=True):
        at, size = area or Area(0, 0, 0, 0), child.size if area else Size()
        parts = share_out(child.mass.g, charged)
        shares = share_out(1_000_000, charged)
        for row, part, share in zip(parents, parts, shares, strict=True):
            edges.append(
                Edge(
                    parent_id=row.material_id,
                    child_id=child.material_id,
                    parent_from_um=at.from_um,
                    parent_to_um=at.to_um,
                    parent_left_um=at.left_um,
                    parent_right_um=at.right_um,
                    child_from_um=0,
                    child_to_um=size.length_um,
                    child_right_um=size.width_um,
                    mass_g=part,
                    share_ppm=share,
                )
            )
    return tuple(edges)


def _load(
    conn: Connection,
    here: str,
    party: str,
    statement: Statement,
    statement_id: str,
    parent: Row[Any],
    children: list[NewMaterial],
) -> MaterialShipped:
    """The products at the processor: as if they had been sent there, under the number of its report."""
    heats = heat_shares(conn, here, parent.material_id)
    lines = tuple(
        ShipmentLine(
            piece=PieceData(
                material_id=child.material_id,
                kind=child.kind,
                number=child.aliases[0].value,
                grade=child.grade,
                order_item=child.order_item,
                mass=child.mass,
                size=child.size,
                heats=heats,
            ),
            custody_no=1,
        )
        for child in children
    )
    return MaterialShipped(
        shipment_id=derived_id(statement.at_ms, here, statement_id, "products"),
        number=_number(conn, here, party, statement.number or statement_id[-12:]),
        to=party,
        lane=f"{here}-{party}",
        mode="internal",
        vehicle="",
        departed_at_ms=statement.at_ms,
        eta_ms=statement.at_ms,
        lines=lines,
    )


def _number(conn: Connection, here: str, party: str, report: str) -> str:
    """The load's number. Unclear where another load has it: pages and messages find a load by its number."""
    number = f"{party}-{report}"[:NAME_MAX]
    if find_shipment(conn, number, sender=here) is not None:
        raise Unclear(f"load {number} is there already: a report has a number of its own")
    return number


def _receipt(party: str, load: MaterialShipped, child: NewMaterial, statement_id: str, way: str) -> PartyReceived:
    return PartyReceived(
        statement_id=statement_id,
        party=party,
        shipment_id=load.shipment_id,
        material_id=child.material_id,
        custody_no=1,
        printed_number=child.aliases[0].value,
        mass=child.mass,
        way=way,
    )
