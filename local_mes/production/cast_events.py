"""Events of a strand (mould level, speed, nozzle, width) and the marks they leave on slabs, whichever is told first."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, Message, NotYet, Work, operation
from local_mes.model.domain import Unit
from local_mes.production.cast_sequence import EVENT, CastSequence, check_strand, find_current
from local_mes.production.in_work import Told, all_told, tell
from local_mes.quality.service import Decision, ask_all, by_message
from shared.ids import derived_id
from shared.material.facts import MarkPlaced
from shared.material.queries import rows_of
from shared.material.trace import trace
from shared.units import UM_PER_MM

KINDS = {"ML": "mould level", "SP": "casting speed", "SN": "nozzle", "WC": "width change"}
MS_PER_MIN = 60_000


@operation("strand_event", takes="strand code:text from_mm to_mm value")
def strand_event(work: Work, message: Message) -> None:
    """Something happened in the mould: ask what it means, and mark the slabs that carry the place."""
    unit, fields = work.unit, message.fields
    strand, code = int(fields["strand"]), str(fields["code"])
    check_strand(unit, strand)
    from_um, to_um = int(fields["from_mm"]) * UM_PER_MM, int(fields["to_mm"]) * UM_PER_MM
    if to_um < from_um:
        raise BadMessage(
            f"The event ends at {fields['to_mm']} mm, before it begins at {fields['from_mm']} mm.", "to_mm"
        )
    sequence = find_current(work, unit, message.occurred.at_ms)
    if sequence is None:
        raise NotYet(f"No ladle was open on {unit.code} when this happened.")
    value = int(fields["value"])
    decisions = _ask(work, unit, sequence, code, value, to_um - from_um)
    told = tell(
        work.conn,
        unit.code,
        f"{EVENT}{work.new_id()}",
        message.occurred.at_ms,
        when_ms=message.occurred.at_ms,
        event_id=work.new_id(),
        sequence=sequence.key,
        strand=strand,
        code=code,
        from_um=from_um,
        to_um=to_um,
        value=value,
        marks=[[d.rule_id, d.explanation, d.otherwise.note if d.otherwise else ""] for d in decisions],
    )
    for slab, head_um in _slabs_of(work, sequence, strand):
        _mark(work, told, slab, head_um)


def _ask(work: Work, unit: Unit, sequence: CastSequence, code: str, value: int, length_um: int) -> list[Decision]:
    """The rules that say this place must be marked; asked about the heat in the mould, because no slab is cut yet."""
    heat_id = _in_mould(sequence, work.message.occurred.at_ms)
    speed_um_min = unit.whole("casting_speed_mm_min") * UM_PER_MM
    inputs = {
        "code": code,
        "level": value * UM_PER_MM if code == "ML" else None,
        "length": length_um,
        "duration": length_um * MS_PER_MIN // speed_um_min,
    }
    return [d for d in ask_all(by_message(work), "mark", heat_id, inputs) if d.outcome == "mark"]


def _in_mould(sequence: CastSequence, at_ms: int) -> str:
    before = [ladle for ladle in sequence.ladles if ladle.opened_ms <= at_ms]
    return (before or [sequence.ladles[0]])[-1].heat_id


def mark_slab(work: Work, sequence: CastSequence, strand: int, slab: Row[Any], head_um: int) -> None:
    """A slab was cut: carry the marks of its piece of strand."""
    for told in all_told(work.conn, sequence.unit.code, EVENT).values():
        if (told["sequence"], told["strand"]) == (sequence.key, strand):
            _mark(work, told, slab, head_um)


def _mark(work: Work, told: Told, slab: Row[Any], head_um: int) -> None:
    """Place the event's marks on the part of the slab that carries them, in um from its head."""
    from_um, to_um = max(0, told["from_um"] - head_um), min(slab.length_um, told["to_um"] - head_um)
    if from_um >= to_um:
        return
    for rule, explanation, note in told["marks"]:
        mark_id = derived_id(told["when_ms"], told["event_id"], slab.material_id, rule)
        text = f"{KINDS[told['code']]}: {explanation}. {note}".strip()
        mark = MarkPlaced(
            mark_id=mark_id,
            material_id=slab.material_id,
            kind=KINDS[told["code"]].replace(" ", "_"),
            from_um=from_um,
            to_um=to_um,
            right_um=slab.width_um,
            value=told["value"],
            text=text,
            rule=rule,
        )
        work.record(mark, [slab.material_id, mark_id])


def _slabs_of(work: Work, sequence: CastSequence, strand: int) -> list[tuple[Row[Any], int]]:
    """Slabs of a strand that are cut already, with the strand position of their heads."""
    heads: dict[str, int] = {}
    for ladle in sequence.ladles:
        for edge in trace(work.conn, ladle.heat_id, "forward", 1).edges:
            heads[edge.child_id] = edge.parent_from_um
    rows = [row for row in rows_of(work.conn, list(heads)) if row.author == work.plant.code] if heads else []
    return [(row, heads[row.material_id]) for row in rows if row.kind == "slab" and strand_of(row) == strand]


def strand_of(slab: Row[Any]) -> int:
    """The strand a slab was cut from, as its attributes say."""
    return int(msgspec.json.decode(slab.attributes, type=dict[str, str]).get("strand", 0))
