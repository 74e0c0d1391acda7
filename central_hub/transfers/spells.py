"""Departures that were taken back before the piece was declared to have left after all.

A line's row tells of the last one only. Each was judged as of its own moment when the hub heard of it in time; so each is
judged also when the hub hears of all at once, and the cases are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from central_hub.transfers.domain import KnownLine
from shared.journal.archived import bodies_of
from shared.journal.fact import decode
from shared.transfers.facts import DepartureCorrected, MaterialShipped, ShipmentLine
from shared.transfers.tables import departure_correction, shipment

IDS_A_QUERY = 500


@dataclass(frozen=True)
class Said:
    """One fact that put a piece on a list or took it off, with its time of recording (ms)."""

    at_ms: int
    fact_id: str


def spells(advised: Said, lates: Sequence[Said], denials: Sequence[Said], withdrawn: bool) -> list[tuple[Said, Said]]:
    """(put on the list, taken off it) of every departure that was taken back, oldest first. Pure.

    advised is the load's own fact; whether it listed the piece follows from the others, which alternate: on, off, on.
    withdrawn: whether the piece is off the list now.
    """
    listed_at_first = len(denials) > len(lates) or (len(denials) == len(lates) and not withdrawn)
    starts = [*([advised] if listed_at_first else []), *sorted(lates, key=_age)]
    return list(zip(starts, sorted(denials, key=_age), strict=False))


def earlier_departures(conn: Connection, lines: Iterable[KnownLine]) -> list[KnownLine]:
    """Of these lines as they stand now, the departures before the last one, as they were declared then."""
    present = {(line.sender, line.shipment_id, line.material_id): line for line in lines}
    found: list[KnownLine] = []
    for key, said in _corrections(conn, present).items():
        line = present[key]
        advised = _advised(conn, line)
        pairs = spells(advised, said["late"], said["did_not_occur"], line.withdrawn_at_ms > 0)
        found += [
            _as_declared(conn, line, start, end)
            for start, end in pairs
            if start.fact_id != line.fact_id  # the last one is the row itself
        ]
    return found


def _corrections(
    conn: Connection, present: dict[tuple[str, str, str], KnownLine]
) -> dict[tuple[str, str, str], dict[str, list[Said]]]:
    c = departure_correction.c
    found: dict[tuple[str, str, str], dict[str, list[Said]]] = {}
    shipments = sorted({shipment_id for _, shipment_id, _ in present})
    for at in range(0, len(shipments), IDS_A_QUERY):
        query = select(departure_correction).where(c.shipment_id.in_(shipments[at : at + IDS_A_QUERY]))
        for row in conn.execute(query):
            key = (row.author, row.shipment_id, row.material_id)
            if key in present:
                kinds = found.setdefault(key, {"late": [], "did_not_occur": []})
                kinds[row.kind].append(Said(row.recorded_at_ms, row.fact_id))
    return found


def _advised(conn: Connection, line: KnownLine) -> Said:
    s = shipment.c
    query = select(s.recorded_at_ms, s.fact_id).where(s.author == line.sender, s.shipment_id == line.shipment_id)
    return Said(*tuple(conn.execute(query).one()))


def _as_declared(conn: Connection, line: KnownLine, start: Said, end: Said) -> KnownLine:
    """The line as the fact that listed it then says it."""
    value = decode(bodies_of(conn, [start.fact_id])[start.fact_id])
    listed, departed_ms = _listed(value.payload, line.material_id), value.occurred.at_ms
    if isinstance(value.payload, MaterialShipped):
        departed_ms = value.payload.departed_at_ms
    return replace(
        line,
        number=listed.piece.number,
        mass_g=listed.piece.mass.g,
        departed_at_ms=departed_ms,
        recorded_at_ms=start.at_ms,
        withdrawn_at_ms=end.at_ms,
        fact_id=start.fact_id,
    )


def _listed(said: MaterialShipped | DepartureCorrected, material_id: str) -> ShipmentLine:
    if isinstance(said, DepartureCorrected):
        return said.line
    return next(line for line in said.lines if line.piece.material_id == material_id)


def _age(said: Said) -> tuple[int, str]:
    return said.at_ms, said.fact_id
