"""What a version of a standard would mean for the work in progress of a plant, before it is released there.

Counted from live pieces by order and place, so that it is one question a plant, however much steel there is. The same
at the plant and at the hub, which knows of each plant what has arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sqlalchemy import Connection, func, select

from shared.material.tables import material
from shared.orders.tables import order_item
from shared.standards.documents import AnyStandard, QualityRule, Routing, Workflow
from shared.standards.product_kinds import Practice
from shared.standards.queries import find_in_force, list_documents_in_force
from shared.standards.work_kinds import DataCollection, Instruction

EVENT_AT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "sample_final": frozenset({"eaf", "bof", "ladle_furnace"}),
        "slab_cut": frozenset({"slab_caster"}),
        "mark": frozenset({"slab_caster"}),
        "coil_done": frozenset({"finishing_mill", "coiler"}),
        "coating": frozenset({"galvaniser"}),
        "receipt": frozenset({"transport"}),
    }
)
"""At which classes of equipment the events come about at which rules are asked."""
FOLLOWING = ("heat", "slab", "billet", "coil", "slit", "plate", "bundle")
Fate = Literal["changes", "keeps", "next"]


@dataclass(frozen=True)
class Touched:
    """Pieces that a version meets alike. fate: changes now, keeps the present version, or changes with its next step."""

    what: str
    fate: Fate
    meaning: str
    pieces: int
    mass_g: int
    orders: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What a version means for one plant's work. present: the version that runs there now, 0 for none; said: where it
    touches no steel, what it does instead."""

    plant: str
    present: int
    touched: tuple[Touched, ...]
    said: str = ""


@dataclass(frozen=True)
class _Group:
    item: str
    place: str
    kind: str
    grade: str
    pieces: int
    mass_g: int


def read_effect(conn: Connection, plant: str, document: AnyStandard, classes: Mapping[str, str]) -> Effect:
    """What the version means at a plant; classes: its units with their class."""
    adopted = find_in_force(conn, plant, document.id)
    present = adopted.version if adopted else 0
    if present == document.version:
        return Effect(plant, present, (), "This version runs here already.")
    at = classes_of(document)
    if not isinstance(document, Routing) and not at:
        return Effect(plant, present, (), _elsewhere(document))
    items = _items_of(conn, plant, _routes(conn, plant, document, at))
    groups = [group for group in _groups(conn, plant) if _is_meant(group, document, items)]
    named = _step_classes(document) | at
    inside = [group for group in groups if classes.get(group.place, "") in named]
    waiting = [group for group in groups if group not in inside]
    return Effect(plant, present, tuple(touched(document, inside, waiting, bool(present))))


def classes_of(document: AnyStandard) -> frozenset[str]:
    """The classes of equipment at which a document speaks of pieces; a route is known by its orders instead. Pure."""
    if isinstance(document, Practice | DataCollection | Instruction):
        return frozenset({document.at})
    if isinstance(document, QualityRule):
        return frozenset(name for event in document.rule.when for name in EVENT_AT.get(event, ()))
    return frozenset()


def touched(document: AnyStandard, inside: Sequence[_Group], waiting: Sequence[_Group], runs: bool) -> list[Touched]:
    """Pieces inside units and all others, by what the version's time to take hold means for them. Pure."""
    old = "the present version" if runs else "no version, as before"
    if document.takes_hold == "next_heat":
        meaning = f"go their whole way by {old}; steel of heats that begin later takes the new one"
        return [_touched("Pieces in work and waiting", "keeps", meaning, [*inside, *waiting])]
    if document.takes_hold == "next_step":
        ends = _touched("Pieces in a unit now", "keeps", f"end their step by {old}, the next one by the new", inside)
        goes = _touched("Pieces that wait", "next", "take the new version with their next step", waiting)
        return [ends, goes]
    now = _touched("Pieces in a unit now", "changes", "go on by the new version in the middle of their step", inside)
    return [now, _touched("Pieces that wait", "next", "take the new version from now on", waiting)]


def _touched(what: str, fate: Fate, meaning: str, groups: Sequence[_Group]) -> Touched:
    orders = sorted({group.item for group in groups if group.item not in ("", "stock")})
    return Touched(what, fate, meaning, sum(g.pieces for g in groups), sum(g.mass_g for g in groups), tuple(orders))


def _elsewhere(document: AnyStandard) -> str:
    if isinstance(document, Workflow):
        return "It counts for checks that fail from then on; tasks that were begun keep the version they began under."
    return "It touches no piece in work: figures, choices and papers made from then on follow it."


def _routes(conn: Connection, plant: str, document: AnyStandard, at: Collection[str]) -> set[str]:
    """Routes whose pieces the document meets: itself, or those in force with a step at its classes."""
    if isinstance(document, Routing):
        return {document.id}
    found = list_documents_in_force(conn, plant, "routing")
    return {adopted.standard_id for adopted, route in found if _step_classes(route) & set(at)}


def _items_of(conn: Connection, plant: str, routes: Collection[str]) -> set[str]:
    """Order items here that follow these routes."""
    c = order_item.c
    rows = conn.execute(select(c.item).where(c.author == plant, c.route.in_(sorted(routes))))
    return set(rows.scalars())


def _step_classes(document: AnyStandard) -> frozenset[str]:
    steps = document.steps if isinstance(document, Routing) else ()
    return frozenset(name for step in steps for name in step.all_classes)


def _is_meant(group: _Group, document: AnyStandard, items: Collection[str]) -> bool:
    return group.item in items and (not document.scope.grades or group.grade in document.scope.grades)


def _groups(conn: Connection, plant: str) -> Iterable[_Group]:
    c = material.c
    pieces, mass_g = func.count(), func.coalesce(func.sum(c.mass_g), 0)
    where = (c.author == plant, c.state == "live", c.kind.in_(FOLLOWING))
    query = select(c.order_item, c.place, c.kind, c.grade, pieces, mass_g).where(*where)
    for row in conn.execute(query.group_by(c.order_item, c.place, c.kind, c.grade)):
        yield _Group(*row)
