"""What a case may come down to, proposed with a score and never done: a renamed piece, two swapped labels (rows 8, 9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.transfers.domain import compare_mass
from shared.transfers.limits import mass_limits
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_receipt
from shared.transfers.tables import receipt

ENOUGH = 70
"""Points of 100 from which likeness is worth a look: only what came with the same load and weighs the same gets there."""
PROPOSALS_MAX = 5


@dataclass(frozen=True)
class Proposal:
    """kind: match (this receipt is that line) | swap (these two lines were taken in for each other). score: of 100."""

    kind: str
    score: int
    numbers: tuple[str, str]
    """match: the sender's number and the one it came with; swap: both sender's numbers."""
    receipts: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Likeness:
    """What two sides say that can be compared."""

    same_load: bool
    same_grade: bool
    same_kind: bool
    is_mass_within: bool

    @property
    def score(self) -> int:
        """Points of 100: the load tells most, then the mass, then what the piece is."""
        return 40 * self.same_load + 35 * self.is_mass_within + 15 * self.same_kind + 10 * self.same_grade

    @property
    def why(self) -> str:
        """The same in words."""
        said = {
            "the same load": self.same_load,
            "the mass fits": self.is_mass_within,
            "the same kind of piece": self.same_kind,
            "the same grade": self.same_grade,
        }
        return ", ".join(words for words, holds in said.items() if holds)


def propose(conn: Connection, case: Row[Any]) -> list[Proposal]:
    """What a person may look at first, the likeliest first; empty for a case that likeness says nothing of."""
    if case.kind == "mass":
        return _swaps(conn, case)
    if case.kind == "unannounced" and case.receipt_id:
        return _matches(_unmatched(conn, case.to_plant), [find_receipt(conn, case.receipt_id)], conn)
    if case.kind == "short" and case.shipment_id:
        wanted = LineFilter(shipment_id=case.shipment_id, material_id=case.material_id)
        return _matches(find_lines(conn, wanted), _waiting(conn, case.to_plant), conn)
    return []


def _unmatched(conn: Connection, receiver: str) -> list[TransferLine]:
    return find_lines(conn, LineFilter(receiver=receiver, open_only=True), limit=500)


def _waiting(conn: Connection, receiver: str) -> list[Row[Any]]:
    c = receipt.c
    return list(conn.execute(select(receipt).where(c.author == receiver, c.provisional.is_(True)).limit(500)))


def _matches(lines: Iterable[TransferLine], receipts: Iterable[Row[Any] | None], conn: Connection) -> list[Proposal]:
    found = []
    came = [row for row in receipts if row is not None and row.provisional]
    for line in lines:
        for row in came:
            like = _compare(conn, line, row)
            if like.score >= ENOUGH and row.from_plant in ("", line.sender):
                numbers = (line.number, row.printed_number)
                found.append(Proposal("match", like.score, numbers, (row.receipt_id,), like.why))
    return sorted(found, key=lambda p: (-p.score, p.numbers))[:PROPOSALS_MAX]


def _compare(conn: Connection, line: TransferLine, row: Row[Any]) -> Likeness:
    limits = mass_limits(conn, line.receiver, f"{line.sender}-{line.receiver}")
    mass = compare_mass(line.sender_mass_g, line.sender_basis, row.mass_g, row.mass_basis, limits)
    return Likeness(
        same_load=row.shipment_number == line.shipment_number,
        same_grade=bool(row.grade) and row.grade == line.grade,
        same_kind=row.kind == line.kind,
        is_mass_within=mass.is_within,
    )


def _swaps(conn: Connection, case: Row[Any]) -> list[Proposal]:
    """Lines of the same load whose masses fit each other crosswise, and not straight."""
    lines = find_lines(conn, LineFilter(shipment_id=case.shipment_id))
    mine = next((line for line in lines if line.material_id == case.material_id and line.mass is not None), None)
    if mine is None:
        return []
    limits = mass_limits(conn, mine.receiver, f"{mine.sender}-{mine.receiver}")
    found = []
    for other in lines:
        if other.material_id == mine.material_id or other.mass is None or other.mass.is_within:
            continue
        crossed = [
            compare_mass(a.sender_mass_g, a.sender_basis, b.receiver_mass_g or 0, b.receiver_basis or "", limits)
            for a, b in ((mine, other), (other, mine))
        ]
        if all(mass.is_within for mass in crossed):
            receipts = tuple(i for i in (mine.receipt_id, other.receipt_id) if i)
            same = 10 * (mine.grade == other.grade) + 10 * (mine.kind == other.kind)
            why = f"each weighs what {mine.sender} says of the other one"
            found.append(Proposal("swap", 80 + same, (mine.number, other.number), receipts, why))
    return sorted(found, key=lambda p: (-p.score, p.numbers))[:PROPOSALS_MAX]
