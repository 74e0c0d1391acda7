"""A mass that was wrong: the piece, the step that was balanced on it, and the figures that counted it follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from local_mes.production import errors
from local_mes.production.correction_domain import (
    COUNTED_AT_BIRTH,
    Asked,
    Counted,
    Decided,
    kg_words,
    restated,
    weighed_edges,
)
from local_mes.production.correction_reading import Step, birth_fact, blockers, get_step, read_fact
from local_mes.stock.domain import is_mass
from shared.material.correction_facts import Change, PieceNow, WeighedNow
from shared.material.correction_queries import standing_masses
from shared.material.facts import Mass
from shared.material.queries import find_making
from shared.quality.queries import is_held


def decide_mass(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    """A mass corrected, or a weighing withdrawn: then the one before it counts."""
    masses = list(standing_masses(conn, plant, piece.material_id))
    wrong = next((m for m in reversed(masses) if asked.fact in ("", m.fact_id)), None)
    if wrong is None:
        raise errors.fact_not_held(asked.fact or piece.last_fact)
    now = _right_mass(piece, masses, wrong, asked)
    if now.g == wrong.mass_g:
        raise errors.nothing_changes(piece.number, "mass")
    more = now.g - wrong.mass_g
    step, counted = step_of_weighing(conn, plant, piece, wrong)
    operation, measures = None, list[Counted]()
    if step is not None:
        edges, carried = weighed_edges(step.edges, piece.material_id, now.g)
        produced = step.row.produced_g + carried
        operation = restated(step.row.operation_id, step.parents, edges, step.losses, produced)
        measures += (
            [Counted(step.row.unit, wrong.at_ms, good_measures(conn, piece, more, wrong, step))] if counted else []
        )
    standing = msgspec.structs.replace(now, g=piece.mass_g + more) if wrong is masses[-1] else None
    return Decided(
        corrects=wrong.fact_id,
        type=read_fact(conn, wrong.fact_id).type,
        withdrawn=not asked.mass_g,
        changes=(Change(piece.material_id, "mass", kg_words(wrong.mass_g), kg_words(now.g)),),
        pieces=(PieceNow(material_id=piece.material_id, mass=standing),) if standing else (),
        weighed=(WeighedNow(piece.material_id, now, wrong.reason),) if asked.mass_g else (),
        operation=operation,
        counted=tuple(measures),
        blockers=tuple(blockers(conn, plant, [piece.material_id])),
    )


def _right_mass(piece: Row[Any], masses: Sequence[Row[Any]], wrong: Row[Any], asked: Asked) -> Mass:
    if asked.mass_g:
        if not is_mass(asked.mass_g):
            raise errors.bad_correction(f"{kg_words(asked.mass_g)} is no mass of a piece.", "Give grams.")
        return Mass(asked.mass_g, wrong.basis, asked.scale or wrong.scale, wrong.at_ms)
    before = masses[: list(masses).index(wrong)]
    if not before:
        raise errors.no_earlier_mass(piece.number)
    return Mass(before[-1].mass_g, before[-1].basis, before[-1].scale, before[-1].at_ms)


def step_of_weighing(conn: Connection, plant: str, piece: Row[Any], wrong: Row[Any]) -> tuple[Step | None, bool]:
    """The step whose output this weighing is, and whether it was counted as good then."""
    made = find_making(conn, plant, piece.material_id)
    if made is None:
        return None, False
    at_line, at_birth = wrong.reason == f"after {made.operation}", wrong.fact_id == birth_fact(conn, plant, piece)
    if not (at_line or at_birth):
        return None, False
    return get_step(conn, plant, piece), at_line or made.source == "manual" or made.operation in COUNTED_AT_BIRTH


def good_measures(conn: Connection, piece: Row[Any], more_g: int, wrong: Row[Any], step: Step) -> dict[str, int]:
    """What the step's unit counts of it: good, prime unless it is held, weighed where its scale said so."""
    found = {"good_g": more_g} | ({} if is_held(conn, piece.material_id) else {"prime_g": more_g})
    return found | ({"good_weighed_g": more_g} if wrong.reason == f"after {step.row.operation}" else {})
