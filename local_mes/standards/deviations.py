"""Deviating from a standard: a typed change of one parameter of one unit, with owner, reason and expiry, told to the hub."""

from __future__ import annotations

from local_mes.plant import Plant
from local_mes.standards.adopt import readopt
from shared.errors import BadInput, NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.standards import facts
from shared.standards.documents import AnyStandard, Parameter
from shared.standards.queries import find_document, find_in_force, list_deviations

LONGEST_MS = 366 * 86_400_000
"""A deviation that lasts longer than a year is a proposal for a new version."""


def declare(
    plant: Plant,
    standard_id: str,
    parameter: str,
    value: str,
    owner: str,
    reason: str,
    expires_ms: int,
    actor: str,
    command_id: str,
) -> str:
    """Declare a deviation and put it in force; parameter is "UNIT.name" as shown with the effective set. Returns its id."""
    with plant.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known)
        _check(tx, plant, standard_id, parameter, value, expires_ms)
        deviation_id = new_id(plant.clock)
        _record(
            tx,
            facts.DeviationDeclared(
                deviation_id=deviation_id,
                standard_id=standard_id,
                parameter=parameter,
                value=value,
                owner=owner,
                reason=reason,
                expires_ms=expires_ms,
            ),
            deviation_id,
            actor,
        )
        readopt(tx, plant, actor)
        tx.done(command_id, deviation_id)
    return deviation_id


def end(plant: Plant, deviation_id: str, reason: str, actor: str, command_id: str) -> None:
    """End a deviation before its time."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        active = {d.deviation_id for d in list_deviations(tx.conn, plant.code, active_at_ms=tx.now_ms())}
        if deviation_id not in active:
            raise NotFound("standards.no_deviation", "There is no such deviation in force.", todo="Look in the list.")
        _record(tx, facts.DeviationEnded(deviation_id=deviation_id, reason=reason), deviation_id, actor)
        readopt(tx, plant, actor)
        tx.done(command_id, True)


def _check(tx: Work, plant: Plant, standard_id: str, parameter: str, value: str, expires_ms: int) -> None:
    adopted = find_in_force(tx.conn, plant.code, standard_id)
    document = find_document(tx.conn, standard_id, adopted.version, adopted.sha256) if adopted else None
    if adopted is None or document is None:
        raise NotFound(
            "standards.not_in_force", f"{standard_id} is not in force here.", todo="Look in the list of standards."
        )
    if parameter not in adopted.values:
        raise NotFound(
            "standards.no_parameter",
            f"{standard_id} has no parameter {parameter} here.",
            todo=f"It has {', '.join(adopted.values) or 'none'}.",
        )
    _check_value(_parameter(document, parameter), parameter, value)
    now = tx.now_ms()
    if not now < expires_ms <= now + LONGEST_MS:
        raise BadInput("standards.expiry", "A deviation must end within a year from now.", todo="Give an earlier day.")
    if any(
        d.parameter == parameter and d.standard_id == standard_id
        for d in list_deviations(tx.conn, plant.code, active_at_ms=now)
    ):
        raise Refused("standards.deviates_already", f"{parameter} deviates already.", todo="End that deviation first.")


def _parameter(document: AnyStandard, parameter: str) -> Parameter:
    return next(p for p in document.parameters if p.name == parameter.rpartition(".")[2])


def _check_value(parameter: Parameter, name: str, value: str) -> None:
    if parameter.choices:
        return  # a deviation may name what the standard does not offer, but it stays a text
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise BadInput(
            "standards.value",
            f"{name} must be a whole number in {parameter.unit}, not {value!r}.",
            todo=f"The standard allows {parameter.range_text()}.",
        )


def _record(tx: Work, payload: Payload, deviation_id: str, actor: str) -> None:
    tx.record(Draft(payload=payload, subjects=(deviation_id,), actor=actor, occurred=Occurred(tx.now_ms(), "manual")))
