"""The balance of a sequence: to the tundish = slabs + crops + kerf + tundish rest + what nobody can explain."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Work
from local_mes.production.cast_sequence import CastSequence, sequence_told
from local_mes.production.counting import count
from shared.material.facts import Consumed, Loss, MaterialTransformed
from shared.material.queries import find_material


def close_if_over(work: Work, sequence: CastSequence) -> None:
    """Consume what is left of the heats once the caster said that the sequence is over and all slabs are reported."""
    told = sequence_told(work, sequence)
    if "ended_ms" not in told or not _all_reported(work, sequence, told):
        return
    heats = [
        h for ladle in sequence.ladles if (h := find_material(work.conn, work.plant.code, ladle.heat_id)) is not None
    ]
    left = [heat for heat in heats if heat.state == "live"]
    if not left:
        return
    crops_g = max(0, told.get("crops_told_g", 0) - told.get("crops_g", 0))
    if crops_g:
        count(work, sequence.unit.code, {"crop_g": crops_g})
    _consume(work, sequence, left, crops_g, told.get("rest_g", 0))


def _all_reported(work: Work, sequence: CastSequence, told: dict[str, Any]) -> bool:
    """Where the caster tells a heat in one summary, the last one comes after the end of the sequence."""
    done = set(told.get("summaries", ()))
    if not done and work.plant.model.granularity.get(sequence.unit.code) != "heat":
        return True
    return done >= {ladle.heat_id for ladle in sequence.ladles}


def _consume(work: Work, sequence: CastSequence, heats: list[Row[Any]], crops_g: int, rest_g: int) -> None:
    operation_id, now = work.new_id(), work.message.occurred.at_ms
    losses = [Loss("tundish_rest", rest_g), Loss("crop", crops_g)]
    fact = MaterialTransformed(
        operation_id=operation_id,
        operation="cast",
        unit=sequence.unit.code,
        started_at_ms=sequence.ladles[0].opened_ms,
        ended_at_ms=now,
        parents=tuple(Consumed(heat.material_id, max(0, heat.mass_g)) for heat in heats),
        children=(),
        edges=(),
        losses=tuple(loss for loss in losses if loss.g > 0),
        notes=(f"end of sequence {sequence.ladles[0].sequence}",),
    )
    work.record(fact, [operation_id, *(heat.material_id for heat in heats)])
