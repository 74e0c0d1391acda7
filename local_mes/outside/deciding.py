"""From what a party says to the facts that this plant records for it; Unclear when a person must look first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.orders.service import find_order
from local_mes.outside.domain import Said, Statement, find_unfit
from local_mes.outside.finding import Unclear, check_once, check_there, find_line
from local_mes.outside.producing import decide_produced
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.material.facts import Mass, OrderAssigned
from shared.outside.facts import PartyMissed, PartyPiece, PartyReceived, PartyShipped
from shared.transfers.lines import TransferLine


@dataclass(frozen=True)
class Heard:
    """A statement with who says it, how it came, and what it is filed under."""

    here: str
    party: str
    statement: Statement
    statement_id: str
    way: str

    def draft(self, fact: Payload, *subjects: str, part: str = "", causes: tuple[str, ...] = ()) -> Draft[Payload]:
        """The fact in the party's name, under an id that follows from the statement."""
        at_ms = self.statement.at_ms
        fact_id = derived_id(at_ms, self.here, "outside", self.statement_id, type(fact).__name__, part)
        actor, occurred = f"party:{self.party}", Occurred(at_ms, f"outside:{self.way}")
        return Draft(fact, subjects, actor, occurred, fact_id=fact_id, causes=causes)


Decide = Callable[[Connection, Heard], list[Draft[Payload]]]


def decide(conn: Connection, heard: Heard) -> list[Draft[Payload]]:
    """The facts to record, none recorded yet. Unclear names everything that is."""
    statement = heard.statement
    if statement.unclear:
        raise Unclear(statement.unclear)
    if statement.kind not in _KINDS:
        raise Unclear(f"{statement.kind!r} says nothing that is known here")
    if not statement.pieces:
        raise Unclear("it names no piece")
    unfit = find_unfit(statement)
    if unfit:
        raise Unclear(unfit)
    return _KINDS[statement.kind](conn, heard)


def _lines(conn: Connection, heard: Heard) -> list[tuple[Said, TransferLine]]:
    """Each piece with its line; Unclear with all that are not known, not just the first."""
    found, unclear = [], []
    for said in heard.statement.pieces:
        try:
            line = find_line(conn, heard.here, heard.party, said.piece, heard.statement.load)
            check_there(conn, line)
            found.append((said, line))
        except Unclear as why:
            unclear.append(str(why))
    if unclear:
        raise Unclear("; ".join(unclear))
    check_once(line for _, line in found)
    return found


def _received(conn: Connection, heard: Heard) -> list[Draft[Payload]]:
    drafts: list[Draft[Payload]] = []
    for said, line in _lines(conn, heard):
        if line.receipt_id is not None:
            raise Unclear(f"{line.number} was received already, as {line.own_number}")
        fact = PartyReceived(
            statement_id=heard.statement_id,
            party=heard.party,
            shipment_id=line.shipment_id,
            material_id=line.material_id,
            custody_no=line.custody_no,
            printed_number=line.number,
            own_number=said.own_number,
            mass=mass_of(said, heard.statement.at_ms),
            damage=said.damage,
            way=heard.way,
        )
        subjects = (line.material_id, line.shipment_id)
        drafts.append(heard.draft(fact, *subjects, part=line.material_id, causes=(line.sent_fact,)))
    return drafts


def _missed(conn: Connection, heard: Heard) -> list[Draft[Payload]]:
    drafts: list[Draft[Payload]] = []
    for said, line in _lines(conn, heard):
        if line.receipt_id is not None:
            raise Unclear(f"{line.number} was received, and is said not to have come")
        fact = PartyMissed(
            statement_id=heard.statement_id,
            party=heard.party,
            shipment_id=line.shipment_id,
            material_id=line.material_id,
            custody_no=line.custody_no,
            printed_number=line.number,
            note=said.note,
            way=heard.way,
        )
        subjects = (line.material_id, line.shipment_id)
        drafts.append(heard.draft(fact, *subjects, part=line.material_id, causes=(line.sent_fact,)))
    return drafts


def _shipped(conn: Connection, heard: Heard) -> list[Draft[Payload]]:
    statement = heard.statement
    lines = _lines(conn, heard)
    fact = PartyShipped(
        statement_id=heard.statement_id,
        party=heard.party,
        number=statement.number,
        vehicle=statement.vehicle,
        pieces=tuple(
            PartyPiece(
                material_id=line.material_id,
                shipment_id=line.shipment_id,
                printed_number=line.number,
                mass=mass_of(said, statement.at_ms),
            )
            for said, line in lines
        ),
        way=heard.way,
    )
    return [heard.draft(fact, *(line.material_id for _, line in lines))]


def _produced(conn: Connection, heard: Heard) -> list[Draft[Payload]]:
    facts = decide_produced(conn, heard.here, heard.party, heard.statement, heard.statement_id, heard.way)
    return [heard.draft(fact, *subjects, part=str(at)) for at, (fact, subjects) in enumerate(facts)]


def _reapplied(conn: Connection, heard: Heard) -> list[Draft[Payload]]:
    item = heard.statement.order_item
    if find_order(conn, heard.here, item) is None:
        raise Unclear(f"order item {item or '(none)'} is not released here")
    reason = f"re-applied by {heard.party}"
    return [
        heard.draft(
            OrderAssigned(material_id=line.material_id, order_item=item, reason=reason),
            line.material_id,
            part=line.material_id,
        )
        for _, line in _lines(conn, heard)
    ]


def mass_of(said: Said, at_ms: int) -> Mass | None:
    """The mass that the party gives, None where it gives none."""
    return Mass(said.mass_g, said.mass_basis, "", at_ms) if said.mass_g else None


_KINDS: Mapping[str, Decide] = {
    "received": _received,
    "missed": _missed,
    "shipped": _shipped,
    "produced": _produced,
    "reapplied": _reapplied,
}
