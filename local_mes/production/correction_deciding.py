"""From what a person asks to the whole of a correction: which fact is wrong, what holds instead, what stands on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.production import errors
from local_mes.production.correction_domain import (
    COUNTED_AT_BIRTH,
    Asked,
    Counted,
    Decided,
    kg_words,
    loss_measures,
    losses_words,
    moved_interval,
    overlapping,
    restated,
    size_changes,
    stretched,
)
from local_mes.production.correction_mass import decide_mass
from local_mes.production.correction_reading import Step, birth_fact, blockers, get_step, read_fact
from local_mes.production.correction_withdrawing import withdraw_scrap, withdraw_step
from shared.material.correction_facts import Change, PieceNow
from shared.material.correction_queries import find_bearer
from shared.material.facts import Consumed, Mass, NewAlias, Size
from shared.material.queries import aliases_of, find_making, find_material, get_piece

LENGTH_MAX_UM = 10_000_000_000
"""Ten kilometres: no strip is longer."""


def decide(conn: Connection, plant: str, asked: Asked) -> Decided:
    """What the correction comes to; refused, by the rule's name, where it cannot be one."""
    if asked.what not in _DECIDERS:
        raise errors.bad_correction(f"{asked.what!r} cannot be corrected.", f"Use one of {', '.join(_DECIDERS)}.")
    if not asked.reason.strip():
        raise errors.bad_correction("A correction needs a reason.", "Say what was wrong, and how it is known.")
    return _DECIDERS[asked.what](conn, plant, get_piece(conn, asked.piece, plant), asked)


def _size(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    names = ("thickness_um", "width_um", "length_um")
    was = {name: int(getattr(piece, name)) for name in names}
    now = {name: int(getattr(asked, name)) or was[name] for name in names}
    if not all(0 <= value <= LENGTH_MAX_UM for value in now.values()):
        raise errors.bad_correction("A size below nothing, or beyond any strip.", "Give micrometres.")
    changes = size_changes(piece.material_id, was, now)
    if not changes:
        raise errors.nothing_changes(piece.number, "size")
    operation, corrects = None, birth_fact(conn, plant, piece)
    if find_making(conn, plant, piece.material_id) is not None:
        step = get_step(conn, plant, piece)
        length, width = (was["length_um"], now["length_um"]), (was["width_um"], now["width_um"])
        edges = stretched(step.edges, piece.material_id, length, width)
        operation = restated(step.row.operation_id, step.parents, edges, step.losses, step.row.produced_g)
        corrects = step.row.fact_id
    return Decided(
        corrects=corrects,
        type=read_fact(conn, corrects).type,
        changes=changes,
        pieces=(PieceNow(material_id=piece.material_id, size=Size(**now)),),
        operation=operation,
        blockers=tuple(blockers(conn, plant, [piece.material_id])),
    )


def _interval(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    step, parent = _step_and_parent(conn, plant, piece, asked)
    # a heat has no length: its places are metres of the strand
    whole = (0, 0) if parent.kind == "heat" else (parent.length_um, parent.width_um)
    ids = piece.material_id, parent.material_id
    edges = moved_interval(step.edges, *ids, asked, whole)
    other = overlapping(edges, *ids)
    if other is not None:
        taken = find_material(conn, plant, other.child_id)
        raise errors.taken_part(taken.number if taken else other.child_id)
    was = next(e for e in step.edges if (e.child_id, e.parent_id) == ids)
    if edges == list(step.edges):
        raise errors.nothing_changes(piece.number, f"interval of {parent.number}")
    now = next(e for e in edges if (e.child_id, e.parent_id) == ids)
    said = [f"{e.parent_from_um / 1e6:,.3f} to {e.parent_to_um / 1e6:,.3f} m of {parent.number}" for e in (was, now)]
    return Decided(
        corrects=step.row.fact_id,
        type=step.type,
        changes=(Change(piece.material_id, "interval", *said),),
        operation=restated(step.row.operation_id, step.parents, edges, step.losses, step.row.produced_g),
        blockers=tuple(blockers(conn, plant, [piece.material_id])),
        touched=(parent.material_id,),
    )


def _step_and_parent(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> tuple[Step, Row[Any]]:
    step = get_step(conn, plant, piece)
    named = get_piece(conn, asked.parent, plant).material_id if asked.parent else step.parents[0].material_id
    parent = find_material(conn, plant, named)
    if parent is None or step.parent(named) is None:
        raise errors.no_such_parent(piece.number, asked.parent)
    return step, parent


def _consumption(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    step, parent = _step_and_parent(conn, plant, piece, asked)
    was = step.parent(parent.material_id)
    assert was is not None
    now = Consumed(parent.material_id, asked.charged_g, asked.whole)
    if now == was:
        raise errors.nothing_changes(piece.number, f"charge of {parent.number}")
    had_g = parent.mass_g if was.whole else parent.mass_g + was.charged_g
    if not 0 < asked.charged_g <= had_g:
        raise errors.bad_correction(
            f"{parent.number} weighed {kg_words(had_g)}; {kg_words(asked.charged_g)} cannot have been charged of it.",
            "Give what was charged, or correct the piece's own mass first.",
        )
    rest = PieceNow(
        material_id=parent.material_id,
        state="consumed" if now.whole else "live",
        mass=Mass(
            had_g if now.whole else had_g - now.charged_g, parent.mass_basis, parent.mass_scale, parent.mass_at_ms
        ),
    )
    parents = tuple(now if p.material_id == now.material_id else p for p in step.parents)
    # the rest of a parent that went on in the meantime cannot be weighed again
    ours = "consumed" if was.whole else "live"
    stands = [] if parent.state == ours else blockers(conn, plant, [parent.material_id])
    words = [
        f"{kg_words(c.charged_g)} of {parent.number}, {'all of it' if c.whole else 'a rest left'}" for c in (was, now)
    ]
    measures = {} if step.row.operation in COUNTED_AT_BIRTH else {"charged_g": now.charged_g - was.charged_g}
    return Decided(
        corrects=step.row.fact_id,
        type=step.type,
        changes=(Change(parent.material_id, "charge", *words), Change(piece.material_id, "charge", *words)),
        pieces=(rest,),
        operation=restated(step.row.operation_id, parents, step.edges, step.losses, step.row.produced_g),
        counted=(Counted(step.row.unit, step.row.ended_at_ms, measures),),
        blockers=tuple(stands),
    )


def _losses(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    step = get_step(conn, plant, piece)
    if asked.losses == step.losses:
        raise errors.nothing_changes(piece.number, "losses")
    if any(abs(loss.g) > step.row.charged_g for loss in asked.losses):
        raise errors.bad_correction("A loss is larger than what was charged.", "Give grams of each loss.")
    words = losses_words(step.losses), losses_words(asked.losses)
    return Decided(
        corrects=step.row.fact_id,
        type=step.type,
        changes=(Change(piece.material_id, "losses", *words),),
        operation=restated(step.row.operation_id, step.parents, step.edges, asked.losses, step.row.produced_g),
        counted=(Counted(step.row.unit, step.row.ended_at_ms, loss_measures(step.losses, asked.losses)),),
        touched=tuple(step.children),
    )


def _number(conn: Connection, plant: str, piece: Row[Any], asked: Asked) -> Decided:
    number = asked.number.strip()
    if not number or len(number) > 64:
        raise errors.bad_correction("The right number is missing.", "Give the number that the piece bears.")
    taken = find_bearer(conn, plant, number)
    if taken is not None and taken.material_id != piece.material_id:
        raise errors.number_taken(number)
    given = next(
        (a for a in aliases_of(conn, piece.material_id) if a.author == plant and a.value == piece.number), None
    )
    if given is None or number == piece.number:
        raise errors.nothing_changes(piece.number, "number")
    right = NewAlias(given.scheme, number)
    corrects = birth_fact(conn, plant, piece)
    return Decided(
        corrects=corrects,
        type=read_fact(conn, corrects).type,
        changes=(Change(piece.material_id, "number", piece.number, right.value),),
        pieces=(
            PieceNow(material_id=piece.material_id, number=right, number_was=NewAlias(given.scheme, piece.number)),
        ),
    )


_DECIDERS: dict[str, Callable[[Connection, str, Row[Any], Asked], Decided]] = {
    "mass": decide_mass,
    "size": _size,
    "interval": _interval,
    "consumption": _consumption,
    "losses": _losses,
    "number": _number,
    "scrap": withdraw_scrap,
    "step": withdraw_step,
}
