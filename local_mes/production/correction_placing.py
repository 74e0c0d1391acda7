"""Moves and marks that were told wrongly. Nothing is made of them, so that nothing can stand in their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.production.correction_domain import Asked
from local_mes.stock.service import check_place
from local_mes.stock.yard_domain import as_recorded
from shared.journal.subjects import find_heads
from shared.material.correction_facts import MarkCorrected, MoveCorrected
from shared.material.correction_queries import own_marks, standing_places
from shared.material.domain import check_inside
from shared.material.queries import get_piece

Placing = MoveCorrected | MarkCorrected


def decide_placing(conn: Connection, plant: Plant, asked: Asked) -> Placing:
    """The correcting fact; refused, by the rule's name, where it cannot be one."""
    if not asked.reason.strip():
        raise errors.bad_correction("A correction needs a reason.", "Say what was wrong, and how it is known.")
    return PLACINGS[asked.what](conn, plant, get_piece(conn, asked.piece, plant.code), asked)


def _move(conn: Connection, plant: Plant, piece: Row[Any], asked: Asked) -> MoveCorrected:
    places = list(standing_places(conn, plant.code, piece.material_id))
    at = next((n for n in reversed(range(len(places))) if asked.fact in ("", places[n].fact_id)), None)
    if at is None:
        raise errors.fact_not_held(asked.fact or piece.last_fact)
    wrong, place = places[at], ""
    if not asked.withdrawn:
        check_place(plant.model, asked.place)
        place = as_recorded(asked.place, plant.model.storage)
    elif not at:
        raise errors.bad_correction(
            f"{wrong.place} is where {piece.number} came into the books.", "Give the place where it was."
        )
    if place == wrong.place:
        raise errors.nothing_changes(piece.number, "place")
    # a piece that was moved since, or went on, lies where that says
    lies_there = at == len(places) - 1 and piece.state == "live" and piece.place == wrong.place
    return MoveCorrected(
        corrects=wrong.fact_id,
        material_id=piece.material_id,
        was=wrong.place,
        place=place,
        reason=asked.reason.strip(),
        withdrawn=asked.withdrawn,
        here=(place or places[at - 1].place) if lies_there else "",
    )


def _mark(conn: Connection, plant: Plant, piece: Row[Any], asked: Asked) -> MarkCorrected:
    wrong = next((m for m in own_marks(conn, plant.code, piece.material_id) if m.mark_id == asked.fact), None)
    if wrong is None:
        raise errors.bad_correction(f"{piece.number} has no such mark of this plant.", "Choose one of its marks.")
    text, was_along, was_across = wrong.text, (wrong.from_um, wrong.to_um), (wrong.left_um, wrong.right_um)
    along, across, now = was_along, was_across, "none"
    if not asked.withdrawn:
        text = asked.text.strip() or text
        along = _span((asked.from_um, asked.to_um), along, piece.length_um, "The mark", point=True)
        across = _span((asked.left_um, asked.right_um), across, piece.width_um, "The mark's width")
        if (along, across, text) == (was_along, was_across, wrong.text):
            raise errors.nothing_changes(piece.number, "mark")
        now = mark_words(wrong.kind, text, along, across)
    stated = find_heads(conn, {(plant.code, wrong.mark_id)}).get((plant.code, wrong.mark_id), wrong.mark_id)
    return MarkCorrected(
        corrects=stated,
        mark_id=wrong.mark_id,
        material_id=piece.material_id,
        was=mark_words(wrong.kind, wrong.text, was_along, was_across),
        now=now,
        reason=asked.reason.strip(),
        withdrawn=asked.withdrawn,
        kind=wrong.kind,
        from_um=along[0],
        to_um=along[1],
        left_um=across[0],
        right_um=across[1],
        text=text,
    )


def _span(
    said: tuple[int, int], was: tuple[int, int], whole: int, name: str, *, point: bool = False
) -> tuple[int, int]:
    """Where the mark is, along or across (um): as it was where nothing else is said."""
    if not any(said) or said == was:
        return was
    check_inside(said, whole, name, point=point)
    return said


def mark_words(kind: str, text: str, along: tuple[int, int], across: tuple[int, int]) -> str:
    """A mark as people read it: um in, metres and mm out."""
    what = f"{kind.replace('_', ' ')} {text}".strip()
    wide = f", {across[0] / 1e3:,.0f} to {across[1] / 1e3:,.0f} mm" if across[1] > across[0] else ""
    end = f" to {along[1] / 1e6:,.2f}" if along[1] > along[0] else ""
    return f"{what} at {along[0] / 1e6:,.2f}{end} m{wide}"


PLACINGS: dict[str, Callable[[Connection, Plant, Row[Any], Asked], Placing]] = {"move": _move, "mark": _mark}
"""What is asked for -> how it is decided."""
