"""Quality at the caster: what is asked about a slab when it is cut, and again when a result comes late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Work
from local_mes.quality.service import by_message, inherit_from_heats, inputs_of, judge
from shared.material.queries import find_making, find_material, values_of
from shared.quality.queries import find_cast_pieces, get_heat_shares, list_decisions
from shared.units import UM_PER_MM

DECISIONS_LOOKED_AT = 100


def judge_slab(work: Work, slab_id: str, shares_ppm: Mapping[str, int], mixed_um: int) -> bool:
    """Hold a new slab with its heats' holds, ask the rules about its own steel; returns whether it is free."""
    held = bool(inherit_from_heats(by_message(work), slab_id, shares_ppm))
    slab = find_material(work.conn, work.plant.code, slab_id)
    if slab is None:
        return not held
    return not (_ask(work, slab, shares_ppm, mixed_um) or held)


def _ask(work: Work, slab: Row[Any], shares_ppm: Mapping[str, int], mixed_um: int) -> bool:
    """Ask the rules of a cut slab; returns whether one of them holds it."""
    inputs = inputs_of(work.conn, slab) | {"mixed_length": mixed_um, "share_max": max(shares_ppm.values(), default=0)}
    return any(d.outcome == "hold" for d in judge(by_message(work), "slab_cut", slab.material_id, inputs))


def reconsider_slabs(work: Work, heat_id: str) -> None:
    """A final analysis came after slabs were cut: ask again about those that were waiting for it."""
    for slab_id, _share in find_cast_pieces(work.conn, heat_id):
        slab = find_material(work.conn, work.plant.code, slab_id)
        if slab is not None and slab.state == "live" and _awaits(work, slab_id):
            _ask(work, slab, get_heat_shares(work.conn, slab_id), _mixed_um(work, slab_id))


def _awaits(work: Work, slab_id: str) -> bool:
    """Whether the last word about the slab is that something is missing."""
    decisions = list_decisions(work.conn, work.plant.code, ids=[slab_id], limit=DECISIONS_LOOKED_AT)
    latest: dict[str, str] = {}
    for decision in decisions:
        latest.setdefault(decision.rule_id, decision.outcome)
    return "pending" in latest.values()


def _mixed_um(work: Work, slab_id: str) -> int:
    made = find_making(work.conn, work.plant.code, slab_id)
    values = values_of(work.conn, work.plant.code, made.operation_id) if made is not None else {}
    return values.get("mixed_mm", 0) * UM_PER_MM
