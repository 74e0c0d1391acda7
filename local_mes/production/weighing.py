"""A product on the scale of its line: its mass, the balance of the step, and the measures that count it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Work
from local_mes.performance.tolerances import PARAMETER, tolerance_ppm
from local_mes.production.counting import count
from local_mes.production.pieces import deviate, process_parameter, route_of
from shared.material.facts import Mass, MaterialWeighed
from shared.material.queries import find_operation, find_weighed_g
from shared.quality.queries import is_held


def weigh_product(work: Work, piece: Row[Any], made: Row[Any], mass_g: int, scale: str) -> None:
    """Record the weighed mass as the step's output; beyond the step's tolerance also a deviation.

    The line's first weighing counts the piece as good (prime unless held); a later one counts the difference. A weighing
    in the yard counts nothing, so it is none of the line's.
    """
    reason = f"after {made.operation}"
    counted_g = find_weighed_g(work.conn, work.plant.code, piece.material_id, ("", reason))
    mass = Mass(mass_g, "weighed", scale, work.message.occurred.at_ms)
    work.record(
        MaterialWeighed(material_id=piece.material_id, mass=mass, reason=reason, operation_id=made.operation_id),
        [piece.material_id],
    )
    unit = work.plant.model.get_unit(made.unit)
    usual = process_parameter(work, unit, PARAMETER, route_of(work, piece), tolerance_ppm(unit))
    _check_balance(work, piece, made.operation_id, usual)
    more_g = mass_g - (counted_g or 0)
    measures = {"good_g": more_g, "good_weighed_g": more_g, "pieces": 1 if counted_g is None else 0}
    if not is_held(work.conn, piece.material_id):
        measures["prime_g"] = more_g
    count(work, made.unit, measures)


def _check_balance(work: Work, piece: Row[Any], operation_id: str, balance_ppm: int) -> None:
    found = find_operation(work.conn, work.plant.code, operation_id)
    if found is None or abs(found.unexplained_g) * 1_000_000 <= balance_ppm * found.charged_g:
        return
    share = 100 * found.unexplained_g / found.charged_g if found.charged_g else 0.0
    deviate(
        work,
        piece,
        "mass_balance",
        f"{piece.number}: {found.unexplained_g / 1000:,.0f} kg ({share:+.2f} %) of "
        f"{found.operation} at {found.unit} are unexplained; {balance_ppm / 10_000:.2f} % are usual.",
    )
