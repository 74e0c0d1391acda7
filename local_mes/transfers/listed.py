"""A line of a load by its number and the piece's, from either side of the lane, for what is said of it afterwards."""

from __future__ import annotations

from sqlalchemy import Connection

from local_mes.transfers import errors
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_candidates, find_receipt_citing, find_shipment
from shared.transfers.told import with_told


def get_sent_line(conn: Connection, here: str, shipment: str, piece: str) -> TransferLine:
    """A line of a load that left here, with what we were told of its receipt; NotFound with what to do."""
    load = find_shipment(conn, shipment, sender=here)
    if load is None:
        raise errors.unknown_departure(shipment, here)
    lines = with_told(conn, find_lines(conn, LineFilter(sender=here, shipment_id=load.shipment_id)))
    return _pick(lines, piece, load.number)


def get_announced_line(conn: Connection, here: str, shipment: str, piece: str) -> TransferLine:
    """A line of a load to this plant; the piece by any number that its sender told. NotFound with what to do."""
    load = find_shipment(conn, shipment, receiver=here)
    if load is None:
        raise errors.unknown_load(shipment, here)
    lines = find_lines(conn, LineFilter(receiver=here, shipment_id=load.shipment_id))
    known = {c.material_id for c in find_candidates(conn, [piece], here) if c.shipment_id == load.shipment_id}
    return _pick(lines, piece, load.number, known)


def check_not_taken(conn: Connection, here: str, line: TransferLine) -> None:
    """Refuse what is said of a line whose piece is here by its passport already, before the two are tied."""
    taken = find_receipt_citing(conn, here, line.material_id, line.custody_no)
    if taken is not None:
        raise errors.received_already(line.number, taken.own_number)


def _pick(
    lines: list[TransferLine], piece: str, number: str, known: frozenset[str] | set[str] = frozenset()
) -> TransferLine:
    for line in lines:
        if piece in (line.number, line.material_id) or line.material_id in known:
            return line
    raise errors.not_on_load(piece, number)
