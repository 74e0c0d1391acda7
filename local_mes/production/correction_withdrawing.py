"""What did not happen is withdrawn: a scrapping, or a whole step with everything it was said to have made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.production import errors
from local_mes.production.correction_domain import COUNTED_AT_BIRTH, Asked, Counted, Decided, kg_words, loss_measures
from local_mes.production.correction_mass import good_measures, step_of_weighing
from local_mes.production.correction_reading import Step, blockers, get_step, read_fact
from shared.errors import Refused
from shared.material.correction_facts import Change, OperationNow, PieceNow
from shared.material.correction_queries import standing_masses
from shared.material.facts import Mass, MaterialScrapped
from shared.material.queries import find_material


def withdraw_scrap(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    """A piece that is no scrap: it is here again."""
    if piece.state != "scrapped":
        raise errors.not_scrapped(piece.number, piece.state)
    said = read_fact(conn, piece.last_fact)
    if not isinstance(said.payload, MaterialScrapped):
        raise Refused(
            "correction.later_fact",
            f"The last fact about {piece.number} is no scrapping ({said.type}).",
            todo="Correct that one first.",
        )
    booked = (
        {"charged_g": -piece.mass_g, "lost_g": -piece.mass_g, "scrap_g": -said.payload.mass_g}
        if said.payload.unit
        else {}
    )
    return Decided(
        corrects=said.fact_id,
        type=said.type,
        withdrawn=True,
        changes=(Change(piece.material_id, "scrap", f"scrap: {said.payload.reason}", "here, it is no scrap"),),
        pieces=(PieceNow(material_id=piece.material_id, state="live"),),
        counted=(Counted(said.payload.unit, said.occurred.at_ms, booked),) if booked else (),
    )


def withdraw_step(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    """The whole step did not happen: its products never were, its parents are here again."""
    step = get_step(conn, plant, piece)
    said = f"{step.row.operation} at {step.row.unit}, {kg_words(step.row.charged_g)} charged"
    parents, stands = [], blockers(conn, plant, step.children, moved=True)
    for charged in step.parents:
        row = find_material(conn, plant, charged.material_id)
        if row is None or row.state not in ("consumed" if charged.whole else "live", "live"):
            stands += blockers(conn, plant, [charged.material_id])
            continue
        mass = (
            None
            if charged.whole
            else Mass(row.mass_g + charged.charged_g, row.mass_basis, row.mass_scale, row.mass_at_ms)
        )
        parents.append(PieceNow(material_id=row.material_id, state="live", mass=mass))
    changes = [
        Change(m, "step", said, "did not happen")
        for m in dict.fromkeys([*step.children, *(p.material_id for p in step.parents)])
    ]
    return Decided(
        corrects=step.row.fact_id,
        type=step.type,
        withdrawn=True,
        changes=tuple(changes),
        pieces=(*parents, *(PieceNow(material_id=child, state="withdrawn") for child in step.children)),
        operation=OperationNow(operation_id=step.row.operation_id, withdrawn=True),
        counted=tuple(_uncounted(conn, plant, step)),
        blockers=tuple(stands),
    )


def _uncounted(conn: Connection, plant: str, step: Step) -> list[Counted]:
    """The measures of the step, taken back at the times they were counted for."""
    found = [Counted(step.row.unit, step.row.ended_at_ms, loss_measures(step.losses, ()))]
    if step.row.operation not in COUNTED_AT_BIRTH:
        found.append(Counted(step.row.unit, step.row.ended_at_ms, {"charged_g": -step.row.charged_g}))
    for child in step.children:
        row = find_material(conn, plant, child)
        for weighed in reversed(standing_masses(conn, plant, child)):
            if row is not None and step_of_weighing(conn, plant, row, weighed)[1]:
                good = good_measures(conn, row, -weighed.mass_g, weighed, step)
                found.append(Counted(step.row.unit, weighed.at_ms, good | {"pieces": -1}))
                break
    return found
