"""Which line of which load an outside party means by a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, select

from shared.outside.tables import party_word
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import departure_in_force, find_candidates


class Unclear(Exception):
    """What was said cannot be recorded without a person; the text says why."""


def find_line(conn: Connection, here: str, party: str, number: str, load: str = "") -> TransferLine:
    """The piece's last departure to this party; Unclear when there is none, or several pieces bear the number."""
    ids = {c.material_id for c in find_candidates(conn, [number], party) if c.sender == here}
    ids |= _called(conn, here, party, number) | {number}
    found = [
        line
        for material_id in sorted(ids)
        for line in find_lines(conn, LineFilter(sender=here, receiver=party, material_id=material_id))[:1]
        if not line.withdrawn and load in ("", line.shipment_number, line.shipment_id)
    ]
    if not found:
        where = f"load {load}" if load else f"any load to {party}"
        raise Unclear(f"{number} is not on {where}")
    if len(found) > 1:
        loads = ", ".join(sorted(line.shipment_number for line in found))
        raise Unclear(f"{number} may be several pieces (loads {loads})")
    return found[0]


def check_once(lines: Iterable[TransferLine]) -> None:
    """Unclear where a piece is meant twice, if under two of its names."""
    times = Counter((line.material_id, line.number) for line in lines)
    twice = sorted(number for (_, number), count in times.items() if count > 1)
    if twice:
        raise Unclear(f"it names {', '.join(twice)} more than once")


def check_there(conn: Connection, line: TransferLine) -> None:
    """Unclear where the piece is not at the party, nor on its way to it, by what is known here."""
    if line.returned_at_ms is not None:
        raise Unclear(f"{line.number} came back here already")
    if departure_in_force(conn, line.material_id) > line.custody_no:
        raise Unclear(f"{line.number} left again since, under another custody number")


def _called(conn: Connection, here: str, party: str, number: str) -> set[str]:
    """Pieces that the party called by this number of its own when it took them in."""
    c = party_word.c
    query = select(c.material_id).where(c.author == here, c.party == party, c.own_number == number)
    return set(conn.execute(query).scalars())
