"""What a recall starts from: heats and pieces, a place on one, a time at a unit, a finding; and its first page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from shared.errors import BadInput, NotFound
from shared.material.queries import find_piece, rows_of
from shared.material.spread import Area, area, spread
from shared.material.steel import parts_with, steel_over
from shared.material.tables import edge, mark, operation
from shared.recall.domain import Recall, Totals, Whereabouts, in_order
from shared.recall.starts import own_start, starts_of
from shared.recall.stream import stream, stream_parts

LINES_MAX = 2_000
"""Lines of a recall's page; all of them are in the stream and in the CSV."""
STARTS_MAX = 20_000
"""Pieces that a time at a unit may start from: more is no recall but a shipment report."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is recalled: one of these. Times in UTC ms, places in um."""

    numbers: tuple[str, ...] = ()
    from_um: int | None = None
    to_um: int | None = None
    left_um: int | None = None
    right_um: int | None = None
    least_share_ppm: int = 0
    """Of heats: only where at least this share of the steel is of one of them."""
    plant: str = ""
    unit: str = ""
    finding: str = ""
    """Id of a mark, or a kind of finding (a time with it)."""
    from_ms: int = 0
    to_ms: int = 0

    @property
    def is_of_parts(self) -> bool:
        """Whether parts of pieces are meant, not whole ones."""
        return self.from_um is not None or bool(self.finding) or bool(self.least_share_ppm)

    @property
    def words(self) -> str:
        """What is recalled, for a title and a file's name."""
        if self.numbers:
            return ", ".join(self.numbers)
        return self.unit or self.finding


def read_recall(conn: Connection, number: str, group: Collection[str] = ()) -> Recall:
    """Everything made of the piece a number means, itself included; NotFound when no plant knows the number."""
    return first_page(conn, Asked(numbers=(number,)), group=group)


def first_page(conn: Connection, asked: Asked, lines: int = LINES_MAX, group: Collection[str] = ()) -> Recall:
    """The totals of all, and so many lines of it, at large first."""
    totals, shown = Totals(), list[Whereabouts]()
    for pieces in recall(conn, asked, group):
        totals.add(pieces)
        shown = in_order([*shown, *pieces])[:lines]
    meant = {number: find_piece(conn, number) for number in asked.numbers}
    told = tuple(number for number, row in meant.items() if row is None)
    only = meant[asked.numbers[0]] if len(meant) == 1 else None
    name = only.number if only is not None else asked.words
    return Recall(name, shown, totals, totals.pieces - len(shown), told)


def recall(conn: Connection, asked: Asked, group: Collection[str] = ()) -> Iterator[list[Whereabouts]]:
    """The pieces, a thousand at a time; what is asked is checked before the first. BadInput, NotFound.

    group: plants beside those whose facts are here; whoever else a load goes to is a customer.
    """
    if asked.from_um is not None:
        return stream_parts(conn, spread(conn, {_only(conn, asked.numbers): [_area(asked)]}), group)
    if asked.numbers and asked.least_share_ppm:
        return stream_parts(conn, spread(conn, _rich(conn, asked)), group)
    if asked.numbers:
        return stream(conn, sorted({start for number in asked.numbers for start in starts_of(conn, number)}), group)
    if asked.unit:
        return stream(conn, _made_at(conn, asked), group)
    if asked.finding:
        return stream_parts(conn, spread(conn, _found(conn, asked)), group)
    raise BadInput("recall.nothing_asked", "Nothing is recalled.", todo="Name pieces, a unit and a time, or a finding.")


def _only(conn: Connection, numbers: Sequence[str]) -> str:
    if len(numbers) != 1:
        raise BadInput("recall.one_piece", "A place is on one piece.", todo="Name one piece with the place.")
    return own_start(conn, numbers[0])


def _rich(conn: Connection, asked: Asked) -> dict[str, list[Area]]:
    """Parts of slabs in which the recalled heats have at least the share that is asked for."""
    heats = sorted({own_start(conn, number) for number in asked.numbers})
    parts = parts_with(conn, heats, asked.least_share_ppm)
    if not parts:
        share = f"{asked.least_share_ppm / 10_000:g} %"
        raise NotFound("recall.no_share", f"No slab has {share} of it anywhere.", todo="Ask for a smaller share.")
    return parts


def steel_of_place(conn: Connection, asked: Asked) -> list[tuple[str, int]]:
    """Heats with their shares (ppm) at the place that is recalled, the largest first; none where no place is asked for."""
    if asked.from_um is None:
        return []
    to_um = asked.from_um if asked.to_um is None else asked.to_um
    shares = steel_over(conn, _only(conn, asked.numbers), asked.from_um, to_um)
    numbers = {row.material_id: row.number for row in rows_of(conn, list(shares))}
    return sorted(((numbers.get(heat, heat), ppm) for heat, ppm in shares.items()), key=lambda one: (-one[1], one[0]))


def _area(asked: Asked) -> Area:
    assert asked.from_um is not None
    return area(asked.from_um, asked.from_um if asked.to_um is None else asked.to_um, asked.left_um, asked.right_um)


def _made_at(conn: Connection, asked: Asked) -> list[str]:
    """What a unit made in operations that ran at any moment between two times."""
    if not asked.plant or not asked.from_ms or asked.to_ms < asked.from_ms:
        raise BadInput("recall.no_time", "A recall by unit takes its plant, a from and a to.", todo="Name all three.")
    c = operation.c
    same = and_(edge.c.author == c.author, edge.c.operation_id == c.operation_id)
    query = select(edge.c.child_id).distinct().join_from(operation, edge, same)
    query = query.where(c.author == asked.plant, c.unit == asked.unit, c.ended_at_ms >= asked.from_ms)
    return _some(conn, query.where(c.started_at_ms <= asked.to_ms), f"{asked.plant} {asked.unit}")


def _some(conn: Connection, query: Select[Any], what: str) -> list[str]:
    found = list(conn.execute(query.limit(STARTS_MAX + 1)).scalars())
    if not found:
        raise NotFound("recall.nothing_made", f"{what} made nothing in that time.", todo="Check the unit and the time.")
    if len(found) > STARTS_MAX:
        raise BadInput(
            "recall.too_wide", f"{what} made more than {STARTS_MAX:,} pieces in that time.", todo="Less time."
        )
    return found


def _found(conn: Connection, asked: Asked) -> dict[str, list[Area]]:
    """Parts of pieces that a finding covers: one mark, or all of a kind in a time."""
    wanted = mark.c.mark_id == asked.finding
    if asked.from_ms:
        to_ms = asked.to_ms or asked.from_ms
        wanted = and_(mark.c.kind == asked.finding, mark.c.placed_at_ms.between(asked.from_ms, to_ms))
    rows = conn.execute(select(mark).where(wanted).limit(STARTS_MAX + 1)).all()
    if not rows:
        raise NotFound("recall.no_finding", f"No finding {asked.finding!r} is known.", todo="Check its id or the time.")
    if len(rows) > STARTS_MAX:
        raise BadInput("recall.too_wide", f"More than {STARTS_MAX:,} findings.", todo="Name less time.")
    parts: dict[str, list[Area]] = {}
    for row in rows:
        parts.setdefault(row.material_id, []).append(_covered(row))
    return parts


def _covered(row: Row[Any]) -> Area:
    across = (row.left_um, row.right_um) if row.left_um != row.right_um else (None, None)
    return area(row.from_um, row.to_um, *across)
