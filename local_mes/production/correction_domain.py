"""What a correction is, decided: pure values and rules. A correction never takes the ground from under other pieces.

What a person asks for is one statement about one piece; what it comes to is stated whole, so that it needs no second
look when it is applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from shared.material.correction_facts import Blocker, Change, OperationNow, PieceNow, WeighedNow
from shared.material.domain import check_inside
from shared.material.facts import Consumed, Edge, Loss
from shared.units import share_out

WHAT = ("mass", "size", "interval", "consumption", "losses", "number", "move", "mark", "scrap", "step")
"""What can be corrected: a mass, a size, the interval of a parent, what was charged of one, an operation's losses, a
number, a move, a mark; scrapping and a whole step are withdrawn."""
COUNTED_AT_BIRTH = ("cast",)
"""Operations whose products count as good when they are made; others when their scale has spoken."""
_WORDS = {"thickness_um": "thickness", "width_um": "width", "length_um": "length"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One correction as a person asks for it; 0 and empty: not said. Lengths in um, masses in g."""

    what: str
    piece: str
    reason: str
    mass_g: int = 0
    """0 with what=mass: the weighing did not happen; the mass before it counts again."""
    scale: str = ""
    fact: str = ""
    """The weighing or move that was wrong, where it is not the last one; the mark."""
    thickness_um: int = 0
    width_um: int = 0
    length_um: int = 0
    parent: str = ""
    charged_g: int = 0
    whole: bool = True
    from_um: int = 0
    to_um: int = 0
    """Of a mark the same as from_um where it is one place; both 0: as it was. So across, where one place is none."""
    left_um: int = 0
    right_um: int = 0
    losses: tuple[Loss, ...] = ()
    number: str = ""
    place: str = ""
    text: str = ""
    withdrawn: bool = False
    """A move that did not happen, a mark that is none."""


@dataclass(frozen=True)
class Counted:
    """Base measures that the correction moves, at a unit, at the time they were counted for."""

    unit: str
    at_ms: int
    measures: Mapping[str, int]


@dataclass(frozen=True)
class Decided:
    """A correction, ready to be recorded, or to lie in a case where something stands in its way."""

    corrects: str
    type: str
    changes: tuple[Change, ...]
    withdrawn: bool = False
    pieces: tuple[PieceNow, ...] = ()
    weighed: tuple[WeighedNow, ...] = ()
    operation: OperationNow | None = None
    counted: tuple[Counted, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    touched: tuple[str, ...] = field(default=())
    """Pieces the correction speaks of beside those whose rows it changes."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every piece the facts name, the main one first."""
        named = [change.material_id for change in self.changes] + [piece.material_id for piece in self.pieces]
        return tuple(dict.fromkeys([*named, *self.touched]))


def kg_words(g: int) -> str:
    """A mass as people read it in a history."""
    return f"{g / 1000:,.0f} kg" if g % 1000 == 0 else f"{g / 1000:,.3f} kg"


def size_changes(material_id: str, was: Mapping[str, int], now: Mapping[str, int]) -> tuple[Change, ...]:
    """A change for each dimension that differs, in mm."""
    return tuple(
        Change(material_id, words, f"{was[name] / 1000:,.3f} mm", f"{now[name] / 1000:,.3f} mm")
        for name, words in _WORDS.items()
        if was[name] != now[name]
    )


def stretched(edges: Sequence[Edge], child_id: str, length: tuple[int, int], width: tuple[int, int]) -> list[Edge]:
    """The edges of an operation with one child's intervals scaled from its old to its new (length, width) in um."""
    return [_stretch(edge, length, width) if edge.child_id == child_id else edge for edge in edges]


def _stretch(edge: Edge, length: tuple[int, int], width: tuple[int, int]) -> Edge:
    def scaled(value: int, by: tuple[int, int]) -> int:
        return value * by[1] // by[0] if by[0] else value

    return msgspec.structs.replace(
        edge,
        child_from_um=scaled(edge.child_from_um, length),
        child_to_um=scaled(edge.child_to_um, length),
        child_left_um=scaled(edge.child_left_um, width),
        child_right_um=scaled(edge.child_right_um, width),
    )


def weighed_edges(edges: Sequence[Edge], child_id: str, mass_g: int) -> tuple[list[Edge], int]:
    """The edges with a child's new mass shared over those that made it, and by how many grams they carry more."""
    own = [i for i, edge in enumerate(edges) if edge.child_id == child_id]
    weights = [max(0, edges[i].mass_g) for i in own]
    parts = dict(zip(own, share_out(mass_g, weights if sum(weights) else [1] * len(own)), strict=True)) if own else {}
    moved = [msgspec.structs.replace(e, mass_g=parts[i]) if i in parts else e for i, e in enumerate(edges)]
    return moved, mass_g - sum(edges[i].mass_g for i in own) if own else 0


def moved_interval(
    edges: Sequence[Edge], child_id: str, parent_id: str, asked: Asked, size: tuple[int, int]
) -> list[Edge]:
    """The edges with another interval of the parent; refused outside the parent (length, width in um; 0: not known) and
    where another piece was made of the same part."""
    check_inside((asked.from_um, asked.to_um), size[0], "The interval")
    across = (asked.left_um, asked.right_um)
    if any(across):
        check_inside(across, size[1], "The strip")
    found = []
    for edge in edges:
        if (edge.child_id, edge.parent_id) == (child_id, parent_id):
            new = msgspec.structs.replace(edge, parent_from_um=asked.from_um, parent_to_um=asked.to_um)
            edge = (
                msgspec.structs.replace(new, parent_left_um=across[0], parent_right_um=across[1])
                if any(across)
                else new
            )
        found.append(edge)
    return found


def overlapping(edges: Sequence[Edge], child_id: str, parent_id: str) -> Edge | None:
    """An edge of another child to the same part of the parent, along and across, or None."""
    mine = [e for e in edges if (e.child_id, e.parent_id) == (child_id, parent_id)]
    others = [e for e in edges if e.parent_id == parent_id and e.child_id != child_id]
    return next((o for o in others for m in mine if _overlap(m, o)), None)


def _overlap(a: Edge, b: Edge) -> bool:
    along = a.parent_from_um < b.parent_to_um and b.parent_from_um < a.parent_to_um
    no_width = a.parent_left_um == a.parent_right_um or b.parent_left_um == b.parent_right_um
    return along and (no_width or (a.parent_left_um < b.parent_right_um and b.parent_left_um < a.parent_right_um))


def loss_measures(was: Sequence[Loss], now: Sequence[Loss]) -> dict[str, int]:
    """By how much each kind of loss counts more: the measures of the step's unit."""
    found: dict[str, int] = {}
    for sign, losses in ((-1, was), (1, now)):
        for loss in losses:
            name = f"{loss.kind}_g"
            found[name] = found.get(name, 0) + sign * abs(loss.g)
    return {name: g for name, g in found.items() if g}


def losses_words(losses: Sequence[Loss]) -> str:
    """Losses as people read them."""
    return ", ".join(f"{loss.kind} {kg_words(loss.g)}" for loss in losses) or "none"


def restated(
    operation_id: str, parents: Sequence[Consumed], edges: Sequence[Edge], losses: Sequence[Loss], produced_g: int
) -> OperationNow:
    """An operation, whole."""
    return OperationNow(
        operation_id=operation_id,
        parents=tuple(parents),
        edges=tuple(edges),
        losses=tuple(losses),
        produced_g=produced_g,
    )


def without(decided: Decided, blockers: Sequence[Blocker]) -> Decided:
    """The same with what stands in its way."""
    return replace(decided, blockers=tuple(blockers))
