"""What was taken from under others: somebody lifted what lay on it and put it back, and nobody said so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.stock import yard_domain as yard
from local_mes.stock.yard_domain import Lying, Spot
from shared.stock.queries import loads_between, moves_between, since_of


@dataclass(frozen=True, slots=True)
class Stay:
    """A piece in a stack: since when, until when (None: it lies there); UTC ms."""

    material_id: str
    since_ms: int
    to_ms: int | None = None


def lifted(taken: Stay, stack: Iterable[Stay]) -> list[str]:
    """Pieces that lay on one when it was taken, and stayed: who came after it, and was there still."""
    if taken.to_ms is None:
        return []
    at = taken.to_ms
    return [
        other.material_id
        for other in stack
        if taken.since_ms < other.since_ms <= at and (other.to_ms is None or other.to_ms > at)
    ]


def dug_out(conn: Connection, plant: Plant, code: str, lying: Iterable[Lying], from_ms: int, now_ms: int) -> int:
    """Lifts in a storage since from_ms that nobody told: for each piece that a charge, a load or a move took from a stack,
    the pieces that lay on it by the books and went nowhere. lying: what lies in the storage now."""
    here: dict[str, list[Stay]] = defaultdict(list)
    for piece in lying:
        here[piece.place].append(Stay(piece.material_id, piece.since_ms))
    gone = _taken(conn, plant, from_ms, now_ms)
    return sum(
        len(lifted(one, [*stays, *here[spot.text]]))
        for spot, stays in gone.items()
        if spot.storage == code
        for one in stays
    )


def _taken(conn: Connection, plant: Plant, from_ms: int, now_ms: int) -> dict[Spot, Sequence[Stay]]:
    """What left a stack in the time."""
    storages, found = plant.model.storage, defaultdict[Spot, list[Stay]](list)
    for row in moves_between(conn, plant.code, from_ms, now_ms + 1):
        was, now = (yard.find_spot(place or "", storages) for place in (row.from_place, row.place))
        if was and was.stack and (now is None or now.text != was.text):
            found[was].append(Stay(row.material_id, row.from_ms, row.at_ms))
    loads = loads_between(conn, plant.code, from_ms, now_ms + 1)
    since = since_of(conn, plant.code, [row.material_id for row in loads])
    for row in loads:
        was = yard.find_spot(row.place, storages)
        if was and was.stack:
            found[was].append(Stay(row.material_id, since.get((row.material_id, was.text), 0), row.at_ms))
    return dict(found)
