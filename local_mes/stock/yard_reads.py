"""What lies where: a storage with its stacks, what is wrong with them, its clocks, and how often it was reshuffled."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.model.domain import Storage
from local_mes.plant import Plant
from local_mes.stock import yard_domain as yard
from local_mes.stock.yard_digging import dug_out
from local_mes.stock.yard_domain import Broken, Lying, Spot
from shared.material.facts import MADE_AT
from shared.quality.queries import held_ids
from shared.stock.queries import live_at, live_in, moves_between, since_of


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack from the ground up, and what is wrong with it."""

    spot: Spot
    pieces: Sequence[Lying]
    faults: Sequence[Broken]

    @property
    def mass_g(self) -> int:
        """All of it."""
        return sum(piece.mass_g for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Yard:
    """A storage as it is now. loose: here, but nobody has said in which stack."""

    rules: Storage
    stacks: Sequence[Stack]
    loose: Sequence[Lying]
    reshuffles: int
    dug_out: int = 0
    """Lifts that nobody told: what lay on pieces that were taken from under others."""

    @property
    def pieces(self) -> list[Lying]:
        """Everything that lies here."""
        return [*(piece for stack in self.stacks for piece in stack.pieces), *self.loose]

    def find_stack(self, row: int, stack: int) -> Stack | None:
        """The stack of a row and number, if anything lies there."""
        return next((one for one in self.stacks if (one.spot.row, one.spot.stack) == (row, stack)), None)


def as_lying(row: Row[Any], since_ms: int, held: bool) -> Lying:
    """A row of material as the yard sees it."""
    return Lying(
        material_id=row.material_id,
        number=row.number,
        kind=row.kind,
        mass_g=row.mass_g,
        width_um=row.width_um,
        length_um=row.length_um,
        place=row.place,
        since_ms=since_ms,
        made_ms=made_ms(row),
        held=held,
        grade=row.grade,
        order_item=row.order_item,
    )


def made_ms(row: Row[Any]) -> int | None:
    """When a piece was cast or rolled: made here, or as its papers say."""
    if row.origin == "made":
        return int(row.born_at_ms)
    said = str(json.loads(row.attributes or "{}").get(MADE_AT, ""))
    return int(said) if said.isdigit() else None


def lying_at(conn: Connection, author: str, code: str) -> list[Lying]:
    """Everything that lies in a storage."""
    return _lying(conn, author, live_at(conn, author, code))


def _lying(conn: Connection, author: str, rows: Sequence[Row[Any]]) -> list[Lying]:
    ids = [row.material_id for row in rows]
    since, held = since_of(conn, author, ids), held_ids(conn, ids)
    return [
        as_lying(row, since.get((row.material_id, row.place), row.born_at_ms), row.material_id in held) for row in rows
    ]


def read_yard(conn: Connection, plant: Plant, rules: Storage, now_ms: int, since_ms: int) -> Yard:
    """A storage as it is now; reshuffles are counted from since_ms on."""
    stacks: dict[Spot, list[Lying]] = defaultdict(list)
    loose = []
    pieces = lying_at(conn, plant.code, rules.code)
    for piece in pieces:
        spot = yard.find_spot(piece.place, [rules])
        if spot and spot.stack:
            stacks[spot].append(piece)
        else:
            loose.append(piece)
    built = [
        Stack(
            spot,
            yard.in_order(stack),
            yard.faults_of_stack(stack, spot, rules, now_ms, stacks.get(next_to(spot, 1), ())),
        )
        for spot, stack in sorted(stacks.items(), key=lambda item: (item[0].row, item[0].stack))
    ]
    moved = reshuffles(conn, plant, since_ms, now_ms + 1).get(rules.code, 0)
    dug = dug_out(conn, plant, rules.code, pieces, since_ms, now_ms)
    return Yard(rules, built, sorted(loose, key=lambda piece: (piece.place, piece.number)), moved, dug)


def reshuffles(conn: Connection, plant: Plant, from_ms: int, to_ms: int) -> dict[str, int]:
    """Storage -> moves of a time from one of its stacks to another: work that brought no piece in or out."""
    counted: dict[str, int] = defaultdict(int)
    for row in moves_between(conn, plant.code, from_ms, to_ms):
        was, now = (yard.find_spot(place or "", plant.model.storage) for place in (row.from_place, row.place))
        if was and now and was.storage == now.storage and was.stack and now.stack and was.text != now.text:
            counted[now.storage] += 1
    return dict(counted)


def would_break(conn: Connection, plant: Plant, piece: Row[Any], spot: Spot, now_ms: int) -> list[Broken]:
    """The rules of the yard that putting a piece at a spot breaks; none where the spot is in no storage."""
    rules = plant.model.find_storage(spot.storage)
    if rules is None:
        return []
    stack, beside = (_at(conn, plant, where, piece) for where in (spot, next_to(spot, 1)))
    on_top = on_top_of(conn, plant, piece)
    return yard.broken_rules(as_lying(piece, now_ms, False), spot, rules, stack, on_top, now_ms, beside)


def next_to(spot: Spot, by: int) -> Spot:
    """The stack so many further along the row; stack 0 is none."""
    return Spot(spot.storage, spot.row, spot.stack + by) if spot.stack else Spot(spot.storage, spot.row)


def _at(conn: Connection, plant: Plant, spot: Spot, without: Row[Any]) -> list[Lying]:
    """What lies in a stack beside the piece itself."""
    rows = live_in(conn, plant.code, Spot(spot.storage, spot.row, spot.stack).text) if spot.stack > 0 else []
    return _lying(conn, plant.code, [row for row in rows if row.material_id != without.material_id])


def on_top_of(conn: Connection, plant: Plant, piece: Row[Any]) -> list[Lying]:
    """What lies on a piece now, the top first."""
    spot = yard.find_spot(piece.place, plant.model.storage)
    if spot is None or not spot.stack:
        return []
    stack = _lying(conn, plant.code, live_in(conn, plant.code, piece.place))
    rules = plant.model.find_storage(spot.storage)
    if rules is None or not rules.between:
        return yard.above(piece.material_id, stack)
    return yard.resting(piece.material_id, stack, _at(conn, plant, next_to(spot, -1), piece))
