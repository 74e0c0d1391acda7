"""A finishing step as a fact: edges with flips and intervals, the balance, the holds that its products are born with."""

from __future__ import annotations

from collections.abc import Sequence

from local_mes.level2.operations import Work
from local_mes.model.domain import Unit
from local_mes.production.counting import count, count_run
from local_mes.production.finishing_domain import Across, Outcome, Part
from local_mes.production.finishing_line import OPERATIONS, mark_used
from local_mes.production.in_work import find_told, forget
from local_mes.production.pieces import flips_of
from local_mes.quality.service import by_message, pass_on_holds
from local_mes.standards.service import standard_ref
from shared.material.domain import check_flips
from shared.material.facts import Consumed, Edge, Loss, MaterialTransformed, NewMaterial
from shared.material.trace import refuse_cycle
from shared.units import share_out


def edges_of(unit: Unit, parts: Sequence[Part], child: NewMaterial, where: Across, mass_g: int) -> list[Edge]:
    """One edge a parent; the child's length is shared among them by what each gave, in the order they ran."""
    length, width, face = flips_of(unit)
    check_flips(length, width, face)
    weights = [part.to_um - part.from_um for part in parts]
    lengths, masses = share_out(child.size.length_um, weights), share_out(mass_g, weights)
    edges, at = [], 0
    for part, child_um, part_g in zip(parts, lengths, masses, strict=True):
        start, stop = part.own_interval(length)
        edges.append(
            Edge(
                parent_id=part.parent_id,
                child_id=child.material_id,
                parent_from_um=start,
                parent_to_um=stop,
                child_from_um=at,
                child_to_um=at + child_um,
                parent_left_um=where.left_um,
                parent_right_um=where.right_um,
                child_left_um=0,
                child_right_um=child.size.width_um,
                mass_g=part_g,
                share_ppm=round(1_000_000 * child_um / child.size.length_um),
                flip_length=length,
                flip_width=width,
                flip_face=face,
            )
        )
        at += child_um
    return edges


def record_step(
    work: Work,
    unit: Unit,
    parts: Sequence[Part],
    children: Sequence[NewMaterial],
    edges: Sequence[Edge],
    outcome: Outcome,
    route: str,
) -> None:
    """The operation, its measures, the holds its products are born with; coils at their end leave the line."""
    now = work.message.occurred.at_ms
    told = [find_told(work.conn, unit.code, part.parent_id) or {} for part in parts]
    payload = MaterialTransformed(
        operation_id=work.new_id(),
        operation=OPERATIONS[unit.unit_class],
        unit=unit.code,
        started_at_ms=min([int(t.get("entered_ms", now)) for t in told]),
        ended_at_ms=now,
        parents=tuple(Consumed(part.parent_id, part.share_g, part.whole) for part in parts),
        children=tuple(children),
        edges=tuple(edges),
        losses=outcome.losses,
        notes=("losses computed from lengths and widths",),
    )
    standard = standard_ref(work.conn, route) if route else None
    made, used = [child.material_id for child in children], [part.parent_id for part in parts]
    refuse_cycle(work.conn, used, made)
    work.record(payload, [*made, *used], standard=standard)
    count(work, unit.code, {"charged_g": outcome.charged_g, **_lost(outcome.losses)})
    count_run(work, unit.code)
    for child in children:
        pass_on_holds(by_message(work), used, child.material_id)
    for part in parts:
        if part.whole:
            forget(work.conn, unit.code, part.parent_id)
        else:
            mark_used(work, unit, part.parent_id, part.stop_um, part.mass_g)


def _lost(losses: Sequence[Loss]) -> dict[str, int]:
    found: dict[str, int] = {}
    for loss in losses:
        name = "zinc_g" if loss.kind == "zinc" else f"{loss.kind}_g"
        found[name] = found.get(name, 0) + abs(loss.g)
    return found
