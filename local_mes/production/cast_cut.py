"""What the caster tells of its cuts: one by one (CC1060), marked (CC1070), or a heat at a time (CC1110)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, Message, NotYet, Work, operation
from local_mes.model.domain import Unit
from local_mes.production.cast_close import close_if_over
from local_mes.production.cast_domain import ColdSize, born_interval, cold_um
from local_mes.production.cast_sequence import CastSequence, check_strand, get_sequence, sequence_told, tell_sequence
from local_mes.production.cast_slab import LOSSES, Cut, bear, book_loss
from local_mes.production.heats import get_heat
from local_mes.production.pieces import deviate, get_live, move
from shared.units import UM_PER_MM

ESTIMATED = "shares estimated: strand metres reckoned from the lengths of a heat summary"


@operation(
    "slab_cut",
    takes="heat:text strand cut head_mm tail_mm hot_length_mm thickness_mm width_head_mm "
    "width_tail_mm kerf_mm kind:text order?:text",
)
def slab_cut(work: Work, message: Message) -> None:
    """The torch cut a slab, a crop or a sample off a strand."""
    unit, heat = work.unit, get_heat(work, message.fields["heat"])
    sequence = get_sequence(work, unit, heat.material_id, heat.number)
    cut = _measured(unit, sequence, heat, message.fields)
    kind = str(message.fields["kind"])
    if kind in LOSSES:
        book_loss(work, cut, LOSSES[kind])
        return
    if cut.cut < 1:
        raise BadMessage(f"A slab of heat {heat.number} came as cut {cut.cut}; slabs count from 1.", "cut")
    bear(work, cut)


def _measured(unit: Unit, sequence: CastSequence, heat: Row[Any], fields: dict[str, Any]) -> Cut:
    """A cut with its hot sizes made cold, each by the shrinkage of the caster's parameters."""
    shrinkage = unit.whole("hot_shrinkage_ppm")
    strand = int(fields["strand"])
    check_strand(unit, strand)
    head_um, tail_um = int(fields["head_mm"]) * UM_PER_MM, int(fields["tail_mm"]) * UM_PER_MM
    if tail_um <= head_um:
        raise BadMessage(
            f"The tail at {fields['tail_mm']} mm is not behind the head at {fields['head_mm']} mm.", "tail_mm"
        )
    width_hot = (int(fields["width_head_mm"]) + int(fields["width_tail_mm"])) // 2
    size = ColdSize(
        cold_um(int(fields["thickness_mm"]), shrinkage),
        cold_um(width_hot, shrinkage),
        cold_um(int(fields["hot_length_mm"]), shrinkage),
    )
    kerf_um = int(fields["kerf_mm"]) * UM_PER_MM
    names = ("head_mm", "tail_mm", "hot_length_mm", "width_head_mm", "width_tail_mm", "thickness_mm")
    return Cut(
        sequence,
        heat,
        strand,
        int(fields["cut"]),
        born_interval(head_um, tail_um, size.length_um, kerf_um),
        size,
        kerf_um,
        str(fields.get("order") or ""),
        tuple((f"told_{name}", int(fields[name])) for name in names),
    )


@operation("slab_marked", takes="slab:text ok:text")
def slab_marked(work: Work, message: Message) -> None:
    """The marking machine has painted the number; one that cannot be read is said, because the next plant must read it."""
    slab = get_live(work, message.fields["slab"], "slab")
    if message.fields["ok"] != "Y":
        deviate(work, slab, "marking", f"The number painted on {slab.number} cannot be read.")
    markers = work.plant.model.units_of("marker")
    caster = work.unit
    if markers and slab.place == caster.code:  # a late telegram must not fetch a slab back from the yard
        move(work, slab, markers[0].code)


@operation("heat_summary", takes="heat:text slabs[strand cut cold_length_mm width_mm mass_kg]")
def heat_summary(work: Work, message: Message) -> None:
    """A caster that tells a heat at a time: its slabs are laid down behind those of the heat before, strand by strand."""
    unit, heat = work.unit, get_heat(work, message.fields["heat"])
    sequence = get_sequence(work, unit, heat.material_id, heat.number)
    told = sequence_told(work, sequence)
    done = list(told.get("summaries", ()))
    _check_turn(sequence, heat, done)
    ends = {int(strand): int(um) for strand, um in dict(told.get("laid_um", {})).items()}
    for row in sorted(message.fields["slabs"], key=lambda r: (r["cut"], r["strand"])):
        cut = _summed(unit, sequence, heat, row, ends)
        bear(work, cut)
        ends[cut.strand] = cut.interval_um[1] + cut.kerf_um
    tell_sequence(
        work,
        sequence,
        when_ms=message.occurred.at_ms,
        laid_um={str(s): um for s, um in sorted(ends.items())},
        summaries=[*done, heat.material_id],
    )
    close_if_over(work, sequence)


def _check_turn(sequence: CastSequence, heat: Row[Any], done: list[str]) -> None:
    if heat.material_id in done:
        raise BadMessage(f"The slabs of heat {heat.number} were reported already.", "heat")
    before = [ladle for ladle in sequence.ladles if ladle.position < sequence.get_ladle(heat.material_id).position]
    missing = [ladle.heat for ladle in before if ladle.heat_id not in done]
    if missing:
        raise NotYet(f"The summary of heat {missing[0]}, cast before {heat.number}, has not come.")


def _summed(unit: Unit, sequence: CastSequence, heat: Row[Any], row: dict[str, Any], ends: dict[int, int]) -> Cut:
    """A slab of a summary: cold length as told, strand metres reckoned behind the piece before it."""
    strand = int(row["strand"])
    check_strand(unit, strand)
    head_um = ends.get(strand, unit.whole("head_crop_mm") * UM_PER_MM)
    size = ColdSize(
        unit.whole("mould_thickness_mm") * UM_PER_MM,
        int(row["width_mm"]) * UM_PER_MM,
        int(row["cold_length_mm"]) * UM_PER_MM,
    )
    return Cut(
        sequence,
        heat,
        strand,
        int(row["cut"]),
        (head_um, head_um + size.length_um),
        size,
        unit.whole("kerf_mm") * UM_PER_MM,
        values=(("told_mass_kg", int(row["mass_kg"])),),
        notes=(ESTIMATED,),
    )
