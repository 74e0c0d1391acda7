"""The manual equivalent of a step: an operator books good mass, scrap and its reason in one action.

A booking is a command: it is checked, and refused by a named rule. It leaves the same facts as Level 2 does, marked as
manual. Losses that nobody weighs stay unexplained within the usual share of the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from local_mes.execution.next_step import missing_data, qualification_at
from local_mes.model.domain import Unit
from local_mes.model.numbers import get_scheme, next_number
from local_mes.orders import service as orders
from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.production.finishing_domain import across
from local_mes.production.pieces import flips_of
from local_mes.standards.service import standard_ref
from local_mes.transfers.service import route_followed
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.material.correction_queries import find_bearer
from shared.material.domain import check_flips, part_of, rolled_length_um
from shared.material.facts import (
    Consumed,
    Edge,
    Loss,
    Mass,
    MaterialScrapped,
    MaterialTransformed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.material.queries import get_piece
from shared.material.trace import refuse_cycle
from shared.orders.queries import Line, find_line
from shared.performance.facts import MeasureCounted
from shared.quality.queries import open_holds
from shared.tasks.queries import held_by
from shared.transfers.told import check_not_elsewhere


@dataclass(frozen=True)
class Step:
    """What a class of unit does, and how far the booked mass may be from the charged one (ppm of it)."""

    operation: str
    gain_ppm: int
    loss_ppm: int


STEPS = {
    "finishing_mill": Step("roll", 2_000, 40_000),
    "pickling": Step("pickle", 5_000, 50_000),
    "cold_mill": Step("cold_roll", 3_000, 30_000),
    "galvaniser": Step("galvanise", 80_000, 30_000),
}
"""Usual losses of domain.md 5, doubled; zinc on thin strip adds up to 8 %."""
ROLLING = ("roll", "cold_roll")


@dataclass(frozen=True)
class Booking:
    """One manual operation; grams. number and length_um only where the operator knows better than schedule and volume."""

    command_id: str
    actor: str
    unit: str
    piece: str
    good_mass_g: int
    scrap_g: int = 0
    reason: str = ""
    number: str = ""
    length_um: int = 0
    at_ms: int | None = None


def book(plant: Plant, booking: Booking) -> dict[str, Any]:
    """Book a step by hand, once for a command id. Refused when the piece is not here, held, or the mass cannot be."""
    unit = plant.model.get_unit(booking.unit)
    step = STEPS.get(unit.unit_class)
    if step is None:
        raise errors.no_booking(unit.code, unit.unit_class, sorted(STEPS))
    with plant.journal.work() as tx:
        if (earlier := tx.once(booking.command_id)) is not None:
            return dict(earlier)
        piece = get_piece(tx.conn, booking.piece, plant.code)
        check(tx, booking, piece, step)
        _check_route(plant, tx, booking, piece)
        made = _Booked(plant, tx, booking, unit, step, piece)
        result = made.record() if booking.good_mass_g else made.record_scrap()
        tx.done(booking.command_id, result)
    return result


def check(tx: Work, booking: Booking, piece: Row[Any], step: Step) -> None:
    """Raise the rule that forbids the booking, if one does."""
    if piece.state != "live":
        raise errors.not_here(piece.number, piece.state)
    check_not_elsewhere(tx.conn, piece.number, piece.material_id, piece.author)
    holds = open_holds(tx.conn, piece.material_id)
    if holds:
        raise errors.held(piece.number, holds[0].reason)
    if min(booking.good_mass_g, booking.scrap_g) < 0 or booking.good_mass_g + booking.scrap_g == 0:
        raise errors.no_mass()
    if booking.scrap_g and not booking.reason.strip():
        raise errors.no_reason()
    out, most = booking.good_mass_g + booking.scrap_g, piece.mass_g + part_of(piece.mass_g, step.gain_ppm)
    if out > most:
        raise errors.too_much(piece.number, out, piece.mass_g, most)
    missing, usual = piece.mass_g - out, part_of(piece.mass_g, step.loss_ppm)
    if missing > usual:
        raise errors.too_little(piece.number, missing, usual)


def _check_route(plant: Plant, tx: Work, booking: Booking, piece: Row[Any]) -> None:
    """Raise where the route in force asks for data first, or for somebody qualified."""
    missing = missing_data(tx.conn, plant, piece, booking.unit)
    if missing:
        raise errors.no_data(piece.number, missing)
    needed = qualification_at(tx.conn, plant, piece, booking.unit)
    if needed and needed not in held_by(tx.conn, plant.code, booking.actor, tx.now_ms()):
        raise errors.not_qualified(needed)


class _Booked:
    """One booking that was found to be in order, on its way to facts."""

    def __init__(self, plant: Plant, tx: Work, booking: Booking, unit: Unit, step: Step, piece: Row[Any]) -> None:
        self.plant, self.tx, self.booking, self.unit, self.step, self.piece = plant, tx, booking, unit, step, piece
        when = tx.now_ms() if booking.at_ms is None else booking.at_ms
        self.occurred = Occurred(when, "manual", plant.model.calendar.offset_min(when))
        self.plan: Line | None = find_line(tx.conn, plant.code, unit.code, piece.number)

    def record_scrap(self) -> dict[str, Any]:
        """Nothing good came of it: the piece is scrap."""
        scrapped = MaterialScrapped(
            material_id=self.piece.material_id,
            mass_g=self.piece.mass_g,
            reason=self.booking.reason.strip(),
            unit=self.unit.code,
        )
        self._record(scrapped, (self.piece.material_id,))
        self._count({"charged_g": self.piece.mass_g, "lost_g": self.piece.mass_g, "scrap_g": self.booking.scrap_g})
        self._close("dropped")
        return {"piece": self.piece.number, "number": None, "material_id": None, "scrap_g": self.booking.scrap_g}

    def record(self) -> dict[str, Any]:
        """The product, its edge, the scrap, the measures."""
        child = self._child()
        payload = MaterialTransformed(
            operation_id=self._id("operation"),
            operation=self.step.operation,
            unit=self.unit.code,
            started_at_ms=self.occurred.at_ms,
            ended_at_ms=self.occurred.at_ms,
            parents=(Consumed(self.piece.material_id, self.piece.mass_g),),
            children=(child,),
            edges=(self._edge(child),),
            losses=(Loss("scrap", self.booking.scrap_g, True),) if self.booking.scrap_g else (),
            notes=tuple(n for n in ("booked by hand", self.booking.reason.strip()) if n),
        )
        refuse_cycle(self.tx.conn, [self.piece.material_id], [child.material_id])
        self._record(payload, (child.material_id, self.piece.material_id))
        self._count(
            {
                "charged_g": self.piece.mass_g,
                "good_g": child.mass.g,
                "prime_g": child.mass.g,
                "scrap_g": self.booking.scrap_g,
                "pieces": 1,
            }
        )
        self._close("done")
        return {
            "piece": self.piece.number,
            "number": child.aliases[0].value,
            "material_id": child.material_id,
            "good_mass_g": child.mass.g,
            "scrap_g": self.booking.scrap_g,
        }

    def _child(self) -> NewMaterial:
        number = self._number()
        taken = find_bearer(self.tx.conn, self.plant.code, number)
        if taken is not None and taken.material_id != self.piece.material_id:
            raise errors.number_taken(number)
        thickness = self._aim("thickness_um") or self.piece.thickness_um
        width = min(self._aim("width_um") or self.piece.width_um, self.piece.width_um or self._aim("width_um"))
        length = self.booking.length_um or self._length_um(thickness, width)
        order = (self.plan.order_item if self.plan else "") or self.piece.order_item or orders.STOCK
        return NewMaterial(
            material_id=self._id("product"),
            kind="coil",
            aliases=(NewAlias(f"{self.plant.code}.coil", number),),
            mass=Mass(self.booking.good_mass_g, "weighed", "by hand", self.occurred.at_ms),
            size=Size(thickness, width, length),
            grade=self.piece.grade,
            order_item=order,
            place=self.unit.code,
        )

    def _length_um(self, thickness_um: int, width_um: int) -> int:
        """By volume where the step rolls, else as long as the piece was."""
        piece = self.piece
        if self.step.operation not in ROLLING or not thickness_um or not width_um:
            return int(piece.length_um)
        return rolled_length_um(piece.length_um, (piece.thickness_um, piece.width_um), (thickness_um, width_um))

    def _number(self) -> str:
        if self.booking.number or (self.plan and self.plan.number):
            return self.booking.number or (self.plan.number if self.plan else "")
        return next_number(self.tx, get_scheme(self.plant.model, f"{self.plant.code}.coil"))

    def _edge(self, child: NewMaterial) -> Edge:
        length, width, face = flips_of(self.unit)
        check_flips(length, width, face)
        where = across(self.piece.width_um, [min(child.size.width_um, self.piece.width_um)], width)[0]
        return Edge(
            parent_id=self.piece.material_id,
            child_id=child.material_id,
            parent_from_um=0,
            parent_to_um=self.piece.length_um,
            child_from_um=0,
            child_to_um=child.size.length_um,
            parent_left_um=where.left_um,
            parent_right_um=where.right_um,
            child_left_um=0,
            child_right_um=child.size.width_um,
            mass_g=child.mass.g,
            flip_length=length,
            flip_width=width,
            flip_face=face,
        )

    def _count(self, measures: dict[str, int]) -> None:
        shift = self.plant.model.calendar.at(self.occurred.at_ms)
        counted = MeasureCounted(
            unit=self.unit.code,
            production_day=shift.production_day,
            shift=shift.name,
            measures={n: v for n, v in measures.items() if v},
            collected="manual",
        )
        self._record(counted, (f"{self.plant.code}.{self.unit.code}",))

    def _close(self, result: str) -> None:
        if self.plan is not None:
            orders.close_line(
                self.tx,
                self.plan,
                result,
                actor=self.booking.actor,
                occurred=self.occurred,
                reason=self.booking.reason.strip(),
            )

    def _record(self, payload: Payload, subjects: tuple[str, ...]) -> None:
        route = route_followed(self.tx.conn, self.plant.code, self.piece)
        standard = standard_ref(self.tx.conn, route) if route else None
        self.tx.record(
            Draft(
                payload=payload, subjects=subjects, actor=self.booking.actor, occurred=self.occurred, standard=standard
            )
        )

    def _aim(self, name: str) -> int:
        return (self.plan.whole(name) if self.plan else None) or 0

    def _id(self, what: str) -> str:
        return derived_id(self.occurred.at_ms, self.plant.code, "manual", self.booking.command_id, what)
