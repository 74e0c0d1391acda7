"""Beyond what a node has facts of: the way of a piece from elsewhere, as its sender told it with the departure.

Only where nothing is known above a piece is its told way looked at; where the facts themselves are here (at the hub, at
the sender), they are all that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, select

from shared.db.prepared import Prepared, listed
from shared.material.facts import Edge, Mixture
from shared.material.mixture import is_whole
from shared.material.walk import DEPTH_MAX, Piece, Step
from shared.material.way_facts import Way, WayPiece, WayStep
from shared.transfers.tables import shipment_line

TOLD = "told"
"""State and origin of a piece that a node knows by the way of another alone."""
IDENTIFY = "identify"
"""A step that says that two identities are one piece."""


class Doing(NamedTuple):
    """An operation that was told: as much of a row of operations as the pictures need."""

    author: str
    operation_id: str
    operation: str
    unit: str
    ended_at_ms: int


@dataclass(frozen=True, slots=True)
class Beyond:
    """What was told: steps by distance from the piece that is looked at, pieces with all their numbers, operations, heats
    by interval."""

    steps: Sequence[Step] = ()
    pieces: Sequence[Piece] = ()
    numbers: Mapping[str, list[str]] = field(default_factory=dict)
    operations: Mapping[tuple[str, str], Doing] = field(default_factory=dict)
    mixtures: Mapping[str, Mixture] = field(default_factory=dict)


NOTHING = Beyond()


class _Said(msgspec.Struct):
    """Of what a departure says of a piece, this alone is read."""

    way: Way | UnsetType = UNSET


def find_beyond(conn: Connection, material_id: str, steps: Iterable[Step]) -> Beyond:
    """What senders told of how the pieces came about above which `steps` (a walk back from the piece) know nothing."""
    ends = _ends(material_id, steps)
    said = _SAID.rows(conn, ids=sorted(ends))
    # the departure under the highest custody number is the latest word; one of an older release has no way
    ways: dict[str, Way] = {}
    for piece, text in said:
        way = msgspec.json.decode(text, type=_Said).way
        if way is not UNSET:
            ways[piece] = way
    return _joined(ways, ends) if ways else NOTHING


_SAID = Prepared(
    lambda database: (
        select(shipment_line.c.material_id, shipment_line.c.piece)
        .where(listed(database, shipment_line.c.material_id, "ids"))
        .order_by(shipment_line.c.custody_no, shipment_line.c.author)
    )
)


def _ends(material_id: str, steps: Iterable[Step]) -> dict[str, int]:
    """Pieces above the piece (or itself) that no step made, each with its distance."""
    above: dict[str, list[str]] = {}
    for step in steps:
        above.setdefault(step.child_id, []).append(step.parent_id)
    depths, front = {material_id: 0}, [material_id]
    for depth in range(1, DEPTH_MAX + 1):
        front = [up for piece in front for up in above.get(piece, ()) if up not in depths]
        depths |= dict.fromkeys(front, depth)
    return {piece: depth for piece, depth in depths.items() if piece not in above}


def _joined(ways: Mapping[str, Way], depths: Mapping[str, int]) -> Beyond:
    steps: dict[tuple[str, str, int, str], Step] = {}
    for end, way in ways.items():
        for step in _steps(end, way, depths[end]):
            steps.setdefault((step.author, step.operation_id, step.ordinal, step.child_id), step)
    told = list(ways.values())
    pieces = {piece.material_id: piece for way in told for piece in way.pieces}
    done = [step for way in told for step in way.steps]
    return Beyond(
        sorted(steps.values(), key=lambda step: (step.depth, *step[:3])),
        [_as_piece(piece) for piece in pieces.values()],
        {piece.material_id: list(piece.numbers) for piece in pieces.values()},
        {(one.plant, one.operation_id): _as_doing(one) for one in done},
        {one.child_id: one for way in told for one in way.mixtures if is_whole(one)},
    )


def _steps(end: str, way: Way, depth: int) -> Iterable[Step]:
    """The edges of a way that lead to its piece, counted on from there."""
    made: dict[str, list[tuple[WayStep, int, Edge]]] = {}
    for step in way.steps:
        for n, edge in enumerate(step.edges):
            made.setdefault(edge.child_id, []).append((step, n, edge))
    front, seen = [end], {end}
    for at in range(depth + 1, DEPTH_MAX + 1):
        found = [one for piece in front for one in made.get(piece, ())]
        yield from (_as_step(step, n, edge, at) for step, n, edge in found)
        front = [up for up in dict.fromkeys(edge.parent_id for _, _, edge in found) if up not in seen]
        seen.update(front)


def _as_step(step: WayStep, ordinal: int, edge: Edge, depth: int) -> Step:
    return Step(
        author=step.plant,
        operation_id=step.operation_id,
        ordinal=ordinal,
        kind="identity" if step.operation == IDENTIFY else "transform",
        depth=depth,
        **msgspec.structs.asdict(edge),
    )


def _as_doing(step: WayStep) -> Doing:
    return Doing(step.plant, step.operation_id, step.operation, step.unit, step.ended_at_ms)


def _as_piece(told: WayPiece) -> Piece:
    return Piece(
        author=told.plant,
        material_id=told.material_id,
        kind=told.kind,
        number=told.numbers[0] if told.numbers else told.material_id,
        grade=told.grade,
        order_item="",
        state=TOLD,
        mass_g=told.mass_g,
        mass_basis="",
        mass_scale="",
        mass_at_ms=0,
        thickness_um=told.size.thickness_um,
        width_um=told.size.width_um,
        length_um=told.size.length_um,
        place="",
        origin=TOLD,
        heat_number="",
        chemistry="{}",
        attributes="{}",
        identified_as=None,
        born_at_ms=told.born_at_ms,
        ended_at_ms=None,
        last_fact="",
    )
