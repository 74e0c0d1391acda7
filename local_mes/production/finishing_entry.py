"""Finishing lines: a coil enters, is welded to the one before, and what Level 2 found on what was made."""

from __future__ import annotations

from local_mes.level2.operations import Message, Work, operation
from local_mes.production.counting import count_run, enter_run
from local_mes.production.finishing_domain import UM_PER_MM, WHOLE_SHARE_PPM
from local_mes.production.finishing_line import coating_of, coils_in, line_unit, send_primary_data
from local_mes.production.finishing_slits import close_open_sets
from local_mes.production.in_work import tell
from local_mes.production.pieces import find_live, get_live, get_made, has_its_data, is_free, move
from local_mes.production.weighing import weigh_product
from local_mes.quality.service import by_message, judge
from shared.material.domain import check_inside, part_of
from shared.material.facts import MarkPlaced
from shared.material.queries import get_material


@operation("strip_entry", takes="line?:text coil_in:text entry_m thickness_um width_um mass_kg?")
def strip_entry(work: Work, message: Message) -> None:
    """A coil is threaded. A held one is recorded all the same; primary data never goes down for it."""
    unit = line_unit(work)
    coil = get_live(work, message.fields["coil_in"], "coil_in")
    close_open_sets(work, unit, coil.material_id)
    enter_run(work, unit.code, not coils_in(work, unit))
    move(work, coil, unit.code)
    tell(
        work.conn,
        unit.code,
        coil.material_id,
        message.occurred.at_ms,
        entry_m=message.fields["entry_m"],
        entered_ms=message.occurred.at_ms,
        mass_g=coil.mass_g,
        thickness_um=message.fields["thickness_um"],
        width_um=message.fields["width_um"],
    )
    is_free(work, coil, unit.code)
    has_its_data(work, get_material(work.conn, work.plant.code, coil.material_id), unit.code)
    send_primary_data(work, unit, coil)


@operation("strip_weld", takes="line?:text coil_before:text coil_after:text metre_in_mm metre_out_mm?")
def strip_weld(work: Work, message: Message) -> None:
    """Two coils are one strip now; where a cut runs past the weld, its coil has two parents."""
    unit = line_unit(work)
    after = get_live(work, message.fields["coil_after"], "coil_after")
    before = find_live(work.conn, work.plant.code, message.fields["coil_before"])
    if before is not None:  # else it has run out already, and the weld joins nothing any more
        tell(
            work.conn,
            unit.code,
            before.material_id,
            message.occurred.at_ms,
            weld_at_mm=message.fields["metre_in_mm"],
            weld_after=after.material_id,
        )


@operation("strip_weight", takes="line?:text coil_out:text mass_kg")
def strip_weight(work: Work, message: Message) -> None:
    """The product on the line's scale; waits for its exit cut."""
    unit = line_unit(work)
    piece, made = get_made(work, message.fields["coil_out"], unit.code)
    weigh_product(work, piece, made, message.fields["mass_kg"] * 1000, f"{unit.code}W")
    count_run(work, unit.code)


@operation("strip_finding", takes="line?:text coil:text code:text from_mm to_mm left_um right_um severity?")
def strip_finding(work: Work, message: Message) -> None:
    """The surface camera saw something: a mark on the coil just made, from its first end and the operator side."""
    unit, f = line_unit(work), message.fields
    piece, _ = get_made(work, f["coil"], unit.code)
    left, right = f["left_um"], f["right_um"]
    start, stop = f["from_mm"] * UM_PER_MM, f["to_mm"] * UM_PER_MM
    room = part_of(piece.length_um, WHOLE_SHARE_PPM)
    check_inside((start, max(stop, start + 1)), piece.length_um + room if piece.length_um else 0, "The finding from")
    if unit.parameters.get("operator_side", "left") == "right":
        left, right = piece.width_um - right, piece.width_um - left
    mark = MarkPlaced(
        mark_id=work.new_id(),
        material_id=piece.material_id,
        kind=str(f["code"]),
        from_um=start,
        to_um=stop,
        left_um=left,
        right_um=right,
        value=int(f.get("severity") or 0),
        text=f"surface finding at {unit.code}",
    )
    work.record(mark, [piece.material_id])


@operation("coating", takes="line?:text coil:text spot1:g/m2 spot2:g/m2 spot3:g/m2 side:text")
def coating(work: Work, message: Message) -> None:
    """Three spots of zinc: the rule in force decides; a violated one holds the coil and names the workflow."""
    unit, f = line_unit(work), message.fields
    piece, _ = get_made(work, f["coil"], unit.code)
    spots = [int(f[name]) for name in ("spot1", "spot2", "spot3")]
    judge(
        by_message(work),
        "coating",
        piece.material_id,
        {
            "coating": coating_of(work, piece.order_item),
            "side": str(f["side"]),
            "triple": round(sum(spots) / 3),
            "single": min(spots),
        },
    )
