"""Facts of material as rows: total, in bulk, in the order of the author's facts.

A fact about a piece whose row this author never wrote changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection

from shared.db.bulk import update_each
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material import correction_marks, correction_rows, identity_rows, pack_rows
from shared.material import facts as f
from shared.material.books import (
    Birth,
    alias_row,
    change,
    ending,
    identify,
    mark_all_shipped,
    mark_back,
    mark_shipped,
    mass_row,
    take_back,
    take_in,
)
from shared.material.mixture import is_whole, row_of
from shared.material.operation_rows import Transformed, apply_material_transformed, apply_operation_weighings
from shared.material.tables import (
    alias,
    deviation_raised,
    mark,
    mass_history,
    material,
    mixture,
    piece_label,
    place_history,
)

__all__ = ["Birth", "mark_all_shipped", "mark_back", "mark_shipped", "register", "take_back", "take_in"]


def apply_material_created(conn: Connection, facts: Sequence[AppliedFact[f.MaterialCreated]]) -> None:
    """A piece without parents here."""
    take_in(
        conn, [Birth(x.author, x.fact_id, x.occurred.at_ms, _with_heat(x.payload), x.payload.origin) for x in facts]
    )


def _with_heat(payload: f.MaterialCreated) -> f.NewMaterial:
    new = payload.material
    return msgspec.structs.replace(
        new, heat_number=payload.heat_number or new.heat_number, chemistry_e6=payload.chemistry_e6 or new.chemistry_e6
    )


def _transformed(conn: Connection, facts: Sequence[AppliedFact[f.MaterialTransformed]]) -> None:
    for run in _runs(facts):
        take_in(conn, [Birth(*child) for child in apply_material_transformed(conn, run)])
        _charge(conn, run)
    told = [(x, one) for x in facts for one in x.payload.mixtures if is_whole(one)]
    upsert(conn, mixture, [row_of(x.author, x.payload.operation_id, one) for x, one in told])


def _runs(facts: Sequence[Transformed]) -> Iterator[list[Transformed]]:
    """Cut before a step that brings back what an earlier one used up: within a run all births come before all uses."""
    run: list[Transformed] = []
    used: set[tuple[str, str]] = set()
    for x in facts:
        if used & {(x.author, child.material_id) for child in x.payload.children}:
            yield run
            run, used = [], set()
        run.append(x)
        used |= {(x.author, p.material_id) for p in x.payload.parents}
    yield run


def _charge(conn: Connection, facts: Sequence[AppliedFact[f.MaterialTransformed]]) -> None:
    """Parents in the order of the facts: used up, or lighter by what was charged of them."""
    charges = [
        {
            "author": x.author,
            "material_id": p.material_id,
            "mass_g": 0 if p.whole else -p.charged_g,
            "state": "consumed" if p.whole else None,
            "ended_at_ms": x.payload.ended_at_ms if p.whole else None,
            "last_fact": x.fact_id,
        }
        for x in facts
        for p in x.payload.parents
    ]
    update_each(conn, material, ("author", "material_id"), charges, add=("mass_g",), keep=("state", "ended_at_ms"))


def apply_alias_given(conn: Connection, facts: Sequence[AppliedFact[f.AliasGiven]]) -> None:
    """A further number."""
    upsert(conn, alias, [alias_row(x.author, x.payload.material_id, x.payload.alias, x.occurred.at_ms) for x in facts])


def apply_material_moved(conn: Connection, facts: Sequence[AppliedFact[f.MaterialMoved]]) -> None:
    """A new place."""
    change(
        conn,
        [
            {"author": x.author, "material_id": x.payload.material_id, "place": x.payload.place, "last_fact": x.fact_id}
            for x in facts
        ],
    )
    upsert(
        conn,
        place_history,
        [
            {
                "author": x.author,
                "fact_id": x.fact_id,
                "material_id": x.payload.material_id,
                "place": x.payload.place,
                "at_ms": x.occurred.at_ms,
                "actor": x.actor,
            }
            for x in facts
        ],
    )


def apply_material_weighed(conn: Connection, facts: Sequence[AppliedFact[f.MaterialWeighed]]) -> None:
    """A new mass; the older ones stay in the history."""
    apply_operation_weighings(conn, facts)
    change(
        conn,
        [
            {
                "author": x.author,
                "material_id": x.payload.material_id,
                "mass_g": x.payload.mass.g,
                "mass_basis": x.payload.mass.basis,
                "mass_scale": x.payload.mass.scale,
                "mass_at_ms": x.payload.mass.at_ms or x.occurred.at_ms,
                "last_fact": x.fact_id,
            }
            for x in facts
        ],
    )
    upsert(
        conn,
        mass_history,
        [
            mass_row(x.author, x.fact_id, x.payload.material_id, x.payload.mass, x.occurred.at_ms, x.payload.reason)
            for x in facts
        ],
    )


def apply_material_scrapped(conn: Connection, facts: Sequence[AppliedFact[f.MaterialScrapped]]) -> None:
    """The end as scrap."""
    change(conn, [ending(x.author, x.fact_id, x.occurred.at_ms, x.payload.material_id, "scrapped") for x in facts])


def apply_material_identified(conn: Connection, facts: Sequence[AppliedFact[f.MaterialIdentified]]) -> None:
    """Two identities become one."""
    for x in facts:
        identify(conn, x.author, x.fact_id, x.occurred.at_ms, x.payload.provisional_id, x.payload.material_id)


def apply_order_assigned(conn: Connection, facts: Sequence[AppliedFact[f.OrderAssigned]]) -> None:
    """Another order item, and another grade where the fact names one."""
    for x in facts:
        grade = {"grade": x.payload.grade} if x.payload.grade else {}
        change(
            conn,
            [
                {
                    "author": x.author,
                    "material_id": x.payload.material_id,
                    "order_item": x.payload.order_item,
                    "last_fact": x.fact_id,
                    **grade,
                }
            ],
        )


def apply_mark_placed(conn: Connection, facts: Sequence[AppliedFact[f.MarkPlaced]]) -> None:
    """An interval to remember; a later mark with the same id replaces it."""
    names = ("mark_id", "material_id", "kind", "from_um", "to_um", "left_um", "right_um", "value", "text", "rule")
    rows = [
        {"author": x.author, "placed_at_ms": x.occurred.at_ms} | {n: getattr(x.payload, n) for n in names}
        for x in facts
    ]
    upsert(conn, mark, rows, update=[*names[1:], "placed_at_ms"])


def apply_deviation_raised(conn: Connection, facts: Sequence[AppliedFact[f.DeviationRaised]]) -> None:
    """What happened although a rule speaks against it."""
    upsert(
        conn,
        deviation_raised,
        [
            {
                "author": x.author,
                "deviation_id": x.payload.deviation_id,
                "rule": x.payload.rule,
                "text": x.payload.text,
                "material_id": x.payload.material_id,
                "at_ms": x.occurred.at_ms,
            }
            for x in facts
        ],
    )


def apply_piece_labelled(conn: Connection, facts: Sequence[AppliedFact[f.PieceLabelled]]) -> None:
    """A label or a marking; a later word on the same one replaces it."""
    names = ("label_id", "material_id", "means", "device", "text", "outcome", "read", "copies", "reason")
    rows = [{"author": x.author, "at_ms": x.occurred.at_ms} | {n: getattr(x.payload, n) for n in names} for x in facts]
    upsert(conn, piece_label, rows, update=[*names[1:], "at_ms"])


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of this subject."""
    appliers.add(f.MaterialCreated, apply_material_created)
    appliers.add(f.MaterialTransformed, _transformed)
    appliers.add(f.AliasGiven, apply_alias_given)
    appliers.add(f.MaterialMoved, apply_material_moved)
    appliers.add(f.MaterialWeighed, apply_material_weighed)
    appliers.add(f.MaterialScrapped, apply_material_scrapped)
    appliers.add(f.MaterialIdentified, apply_material_identified)
    appliers.add(f.OrderAssigned, apply_order_assigned)
    appliers.add(f.MarkPlaced, apply_mark_placed)
    appliers.add(f.DeviationRaised, apply_deviation_raised)
    appliers.add(f.PieceLabelled, apply_piece_labelled)
    correction_rows.register(appliers)
    correction_marks.register(appliers)
    pack_rows.register(appliers)
    identity_rows.register(appliers)
