"""Samples of a heat: taken at a furnace, analysed in the laboratory; the final one decides about the heat."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Message, Work, operation
from local_mes.production.cast_checks import reconsider_slabs
from local_mes.production.heats import get_heat
from local_mes.production.in_work import find_told, forget, tell
from local_mes.quality.service import by_message, judge
from shared.ids import derived_id
from shared.quality.facts import ElementResult, SampleAnalysed
from shared.quality.queries import FINAL_PLACE, find_sample

LABORATORY = "LAB"
"""Where samples wait for their result (see in_work.py)."""
DIGITS_LEAST, DIGITS_SENT = 2, 5


@operation("heat_sample", takes="heat:text sample:text place:text")
def heat_sample(work: Work, message: Message) -> None:
    """A sample was taken; its result is awaited."""
    heat = get_heat(work, message.fields["heat"])
    number = str(message.fields["sample"])
    tell(
        work.conn,
        LABORATORY,
        number,
        message.occurred.at_ms,
        heat=heat.number,
        heat_id=heat.material_id,
        place=str(message.fields["place"]),
        unit=message.unit,
        taken_ms=message.occurred.at_ms,
    )


@operation("sample_result", takes="heat:text sample:text place:text results[element:text op?:text value_e5]")
def sample_result(work: Work, message: Message) -> None:
    """The laboratory's result. The final sample is asked about by every rule that wants it; what fails holds the heat."""
    number, place = str(message.fields["sample"]), str(message.fields["place"])
    results = tuple(result_of(row) for row in message.fields["results"])
    record_result(work, get_heat(work, message.fields["heat"]), number, place, results)


def record_result(work: Work, heat: Row[Any], number: str, place: str, results: tuple[ElementResult, ...]) -> None:
    """A sample of a heat was analysed, whoever says so."""
    # a repeated or corrected result of one sample replaces the earlier one
    sample_id = derived_id(heat.born_at_ms, work.plant.code, "sample", heat.material_id, number)
    fact = SampleAnalysed(
        sample_id=sample_id,
        sample_number=number,
        material_id=heat.material_id,
        place=place,
        taken_at_ms=_taken_ms(work, number, sample_id),
        results=results,
    )
    work.record(fact, [heat.material_id, sample_id])
    forget(work.conn, LABORATORY, number)
    if place == FINAL_PLACE:
        _judge(work, heat, place, {r.element: r.value_e6 for r in results})


def _taken_ms(work: Work, number: str, sample_id: str) -> int:
    """As told when it was taken, else as the sample's first result says, else the time of the result.

    A corrected result changes what was found, not when: else an older sample would pass for the latest one.
    """
    taken = find_told(work.conn, LABORATORY, number) or {}
    known = find_sample(work.conn, work.plant.code, sample_id)
    before = known.taken_at_ms if known is not None else work.message.occurred.at_ms
    return int(taken.get("taken_ms", before))


def result_of(row: dict[str, Any]) -> ElementResult:
    """One row of the laboratory: mass-% with five decimals as 1e-6 mass fraction, digits without trailing zeros."""
    value_e5 = int(row["value_e5"])
    digits = DIGITS_SENT
    while digits > DIGITS_LEAST and value_e5 % 10 ** (DIGITS_SENT - digits + 1) == 0:
        digits -= 1
    return ElementResult(str(row["element"]), (value_e5 + 5) // 10, str(row.get("op") or ""), digits)


def _judge(work: Work, heat: Row[Any], place: str, values_e6: dict[str, int]) -> None:
    judge(by_message(work), "sample_final", heat.material_id, {"grade": heat.grade, "place": place, **values_e6})
    reconsider_slabs(work, heat.material_id)
