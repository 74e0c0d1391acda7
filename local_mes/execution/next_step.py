"""What comes next for a piece: where it stands on its route, where it may go, what it aims at, what is still missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.execution.standing import Standing
from local_mes.plant import Plant
from local_mes.transfers.service import inherited_routes
from shared.execution.aims import Aim, Open, Value, practice_aims, settle, step_aims
from shared.execution.collecting import Due, Records, Visit, due_of, first_missing, read_records
from shared.execution.effect import EVENT_AT
from shared.execution.trails import read_trails
from shared.execution.units import Offer, offers
from shared.execution.versions import Moment
from shared.execution.way import Trail, Way, follow
from shared.orders.queries import Line, OrderItem, find_line
from shared.quality.domain import Held
from shared.quality.queries import held_of, open_holds
from shared.standards.documents import Routing
from shared.standards.queries import Adopted, list_documents_in_force
from shared.standards.route_steps import Step
from shared.standards.work_kinds import DataCollection

FIGURES = ("thickness_um", "width_um", "length_um", "mass_g")


@dataclass(frozen=True)
class Check:
    """A quality rule that is asked at a step; it holds, marks or opens a case."""

    rule_id: str
    version: int
    title: str
    action: str
    workflow: str


@dataclass(frozen=True)
class Next:
    """A piece and what comes. way None: it has no route here, `why` says so. why: all that speaks against going on."""

    row: Row[Any]
    order: OrderItem | None
    route: str
    moment: Moment
    adopted: Adopted | None
    routing: Routing | None
    way: Way | None
    offers: tuple[Offer, ...] = ()
    dues: tuple[Due, ...] = ()
    why: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it may be worked on now."""
        return self.way is not None and self.way.goal is not None and not self.why

    @property
    def step(self) -> Step | None:
        """The step that it goes to, or the one that it is in when none comes."""
        stage = self.way and (self.way.goal or self.way.here)
        return stage.step if stage else None


@dataclass(frozen=True)
class _Read:
    """What is read of many pieces at once. held: those, or what they were made of, with an open hold; routes: our own of
    what came from elsewhere, and of what is made of it."""

    trails: Mapping[str, Trail]
    records: Records
    held: Set[str]
    routes: Mapping[str, str]


def find_next(conn: Connection, plant: Plant, row: Row[Any]) -> Next:
    """One piece."""
    return read_next(Standing(conn, plant), [row])[0]


def read_next(standing: Standing, rows: Sequence[Row[Any]]) -> list[Next]:
    """Many pieces of this plant, in the order given."""
    trails = read_trails(standing.conn, rows, standing.class_of)
    line_ids = {one for trail in trails.values() for one in trail.line}
    records = read_records(standing.conn, standing.plant.code, line_ids)
    lines = {material_id: trail.line for material_id, trail in trails.items()}
    routes = inherited_routes(standing.conn, standing.plant.code, rows, lines)
    read = _Read(trails, records, held_of(standing.conn, line_ids), routes)
    return [_next(standing, row, read) for row in rows]


def moment_of(trail: Trail, row: Row[Any]) -> Moment:
    """When the piece's steel was begun, as far as this plant knows, and the step that it is in."""
    heat_ms = min([row.born_at_ms, *(one.at_ms for one in trail.seen)])
    return Moment(heat_ms, trail.since_ms)


def _next(standing: Standing, row: Row[Any], read: _Read) -> Next:
    trail, order = read.trails[row.material_id], standing.order(row.order_item)
    route = read.routes.get(row.material_id, "") or (order.route if order else "")
    moment = moment_of(trail, row)
    found = standing.routing(route, moment)
    if found is None:
        return Next(row, order, route, moment, None, None, None, why=_no_route(row, order, route))
    adopted, routing = found
    way = follow(routing.steps, trail, set(standing.classes.values()))
    dues = _dues(standing, row, trail, way, moment, read.records)
    figures = {name: getattr(row, name) for name in FIGURES}
    offered = offers(way.goal.step, way.left, standing.machines, figures) if way.goal else ()
    holds = open_holds(standing.conn, row.material_id) if trail.line & read.held else []
    why = _why_not(row, holds, way, dues)
    return Next(row, order, route, moment, adopted, routing, way, offered, dues, why)


def _no_route(row: Row[Any], order: OrderItem | None, route: str) -> str:
    if route:
        return f"Route {route} is not in force here."
    if order is not None:
        return f"Order {order.item} names no route."
    return (
        "It serves no order, so no route says what comes."
        if row.order_item in ("", "stock")
        else (f"Order {row.order_item} is not released here.")
    )


def _why_not(row: Row[Any], holds: Sequence[Held], way: Way, dues: Sequence[Due]) -> str:
    said = [] if row.state == "live" else [f"It is {row.state}."]
    said += [f"Held: {hold.reason}" for hold in holds[:1]]
    said += [text for text in (way.blocked, first_missing(dues)) if text]
    return " ".join(said)


def _dues(
    standing: Standing, row: Row[Any], trail: Trail, way: Way, moment: Moment, records: Records
) -> tuple[Due, ...]:
    """Collections at the units that the piece, or what it was made of, was in since they are asked."""
    visits = {one.unit_class: Visit(one.unit, one.at_ms) for one in trail.seen}
    if trail.inside:
        visits[trail.inside] = Visit(row.place, trail.since_ms or row.born_at_ms, inside=True)
    if row.kind != "heat":
        named = {name for stage in way.stages for name in stage.step.all_classes}
        visits = {name: visit for name, visit in visits.items() if name in named}
    found = [
        due_of(document, row.kind, trail.line, visit, records)
        for unit_class, visit in visits.items()
        for document in standing.collections_at(unit_class, moment)
        if visit.at_ms >= standing.first_ms(document.id)
    ]
    return tuple(due for due in found if due is not None)


def checks_at(standing: Standing, step: Step) -> list[Check]:
    """The quality rules in force that are asked at a step."""
    events = {event for event, classes in EVENT_AT.items() if classes & step.all_classes}
    return [
        Check(rule.id, rule.version, rule.title, rule.rule.otherwise.action, rule.rule.otherwise.workflow or "")
        for rule in standing.rules()
        if events & set(rule.rule.when)
    ]


def aims_of(
    standing: Standing, found: Next, unit: str = "", told: Mapping[str, Value] | None = None
) -> tuple[list[Aim], list[Open]]:
    """What the step that comes aims at, or at one unit the step that it does; told: what Level 2 has said of the piece."""
    step = _step_at(standing, found, unit) if unit else found.step
    routing, adopted = found.routing, found.adopted
    if step is None or routing is None or adopted is None:
        return [], []
    units = [unit] if unit else [one.unit for one in standing.machines if one.unit_class in step.all_classes]
    scheduled = [aim for one in units for aim in _scheduled(standing, found.row, one)]
    tables: list[Aim] = []
    unsure: list[Open] = []
    for name in sorted(step.all_classes):
        for practice in standing.practices_at(name, found.moment):
            aims, why = practice_aims(practice, known_of(found, told or {}))
            tables += aims
            unsure += [why] if why else []
    bound = [aim for one in units for aim in _bound(adopted, routing, one)]
    return settle([scheduled, tables, step_aims(step, routing.id, adopted.version), bound]), unsure


def aims_at(
    conn: Connection, plant: Plant, row: Row[Any], unit: str, told: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """Aim by name for a piece at one unit, as what goes down to Level 2 says them; empty without a route in force."""
    standing = Standing(conn, plant)
    aims, _ = aims_of(standing, read_next(standing, [row])[0], unit, told)
    return {aim.name: aim.value for aim in aims}


def missing_data(conn: Connection, plant: Plant, row: Row[Any], unit: str) -> str:
    """Data without which the piece must not be worked on at a unit, in words; empty when it may.

    What the unit itself is to tell of a piece that is in it cannot be told before.
    """
    asked = list_documents_in_force(conn, plant.code, "data_collection")
    if not any(isinstance(d, DataCollection) and d.if_missing == "hold_step" for _, d in asked):
        return ""
    return first_missing([due for due in find_next(conn, plant, row).dues if not (due.inside and due.unit == unit)])


def qualification_at(conn: Connection, plant: Plant, row: Row[Any], unit: str) -> str:
    """What a person must hold who does the piece's step at a unit by hand; empty: nothing is asked."""
    standing = Standing(conn, plant)
    step = _step_at(standing, read_next(standing, [row])[0], unit)
    return step.qualification if step is not None else ""


def _step_at(standing: Standing, found: Next, unit: str) -> Step | None:
    """The step that a unit does with the piece: the one it is in, else the first to come."""
    unit_class = standing.classes.get(unit, "")
    ahead = [s for s in (found.way.stages if found.way else ()) if s.state in ("here", "next", "later")]
    return next((stage.step for stage in ahead if unit_class in stage.step.all_classes), None)


def known_of(found: Next, told: Mapping[str, Value]) -> dict[str, Value]:
    """What a practice may choose its row by: the piece, what it is to become, and what Level 2 said."""
    row, order = found.row, found.order
    known: dict[str, Value] = {"grade": row.grade, "kind": row.kind}
    known |= {name: getattr(row, name) for name in FIGURES if getattr(row, name)}
    if order is not None:
        known |= {"product": order.product, "order_thickness_um": order.thickness_um, "order_width_um": order.width_um}
    return known | dict(told)


def _scheduled(standing: Standing, row: Row[Any], unit: str) -> list[Aim]:
    line: Line | None = find_line(standing.conn, standing.plant.code, unit, row.number)
    aims = line.aims if line is not None and line.state == "open" else {}
    return [Aim(name, value, source=f"schedule of {unit}") for name, value in sorted(aims.items())]


def _bound(adopted: Adopted, routing: Routing, unit: str) -> list[Aim]:
    """Parameters as bound to a unit: the plant's own value, or the route's default."""
    found = []
    for name, value in adopted.values.items():
        at, _, parameter = name.partition(".")
        declared = routing.parameters_by_name.get(parameter)
        if at == unit and declared is not None:
            low, high = declared.min, declared.max
            found.append(Aim(parameter, value, declared.unit, low, high, f"{routing.id} at {unit}", adopted.version))
    return found
