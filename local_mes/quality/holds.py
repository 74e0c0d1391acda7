"""Holds: placed by a rule or a person, carried on to what is made of the steel, told to the machines that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from local_mes.level2 import outbox
from local_mes.quality.checks import Decision, ask_all
from local_mes.quality.deed import Deed
from local_mes.standards.service import find_rule
from shared.material.queries import find_material
from shared.quality.facts import HoldPlaced
from shared.quality.queries import find_cast_pieces, list_holds, open_holds
from shared.rules.evaluate import Stored

HOLDS_OF_A_PIECE = 100
"""More open holds than this on one piece say nothing new."""
FLAG = "CC2030"


def judge(deed: Deed, event: str, material_id: str, inputs: Mapping[str, Stored]) -> list[Decision]:
    """Ask every rule of an event; a broken one whose consequence is a hold holds the piece. Returns all answers."""
    decisions = ask_all(deed, event, material_id, inputs)
    for decision in decisions:
        if decision.outcome == "hold":
            _hold(deed, material_id, decision)
    return decisions


def _hold(deed: Deed, material_id: str, decision: Decision) -> None:
    """Hold a piece under a rule, unless that rule holds it already; the reason names the rule's note and workflow."""
    if any(held.rule_id == decision.rule_id for held in open_holds(deed.conn, material_id)):
        return
    rule = decision.otherwise
    parts = [f"{decision.rule_id}: {decision.explanation.rstrip('.')}."]
    if rule is not None:
        parts += [text for text in (rule.note, f"Workflow {rule.workflow}." if rule.workflow else "") if text]
    place(deed, material_id, " ".join(parts), decision.rule_id, decision.decision_id)


def pass_on_holds(deed: Deed, parent_ids: Sequence[str], child_id: str) -> None:
    """A child of a held piece is born held, each hold under the one it comes from."""
    for held in [h for parent in parent_ids for h in open_holds(deed.conn, parent)]:
        place(deed, child_id, held.reason, held.rule_id, held.decision_id, above=held.hold_id)


def place(deed: Deed, material_id: str, reason: str, rule_id: str = "", decision_id: str = "", above: str = "") -> str:
    """Place one hold and return its id; a heat's hold reaches at once the slabs that have enough of it."""
    hold_id = deed.mint()
    fact = HoldPlaced(
        hold_id=hold_id,
        material_id=material_id,
        reason=reason,
        rule_id=rule_id,
        decision_id=decision_id,
        inherited_from=above,
    )
    deed.record(fact, (material_id, hold_id))
    if deed.plant.model.link:
        outbox.recheck_jobs(deed.conn, key=f"recheck:{hold_id}")
    row = find_material(deed.conn, deed.plant.code, material_id)
    if row is not None and row.kind == "heat":
        _reach_slabs(deed, material_id, hold_id, reason, rule_id, decision_id)
    elif row is not None and row.kind == "slab":
        send_flag(deed, row.number, held=True, key=hold_id)
    return hold_id


def _reach_slabs(deed: Deed, heat_id: str, hold_id: str, reason: str, rule_id: str, decision_id: str) -> None:
    for slab_id, _share in find_cast_pieces(deed.conn, heat_id, threshold_ppm(deed, rule_id)):
        slab = find_material(deed.conn, deed.plant.code, slab_id)
        if slab is not None and slab.state != "scrapped":
            place(deed, slab_id, reason, rule_id, decision_id, above=hold_id)


def inherit_from_heats(deed: Deed, slab_id: str, shares_ppm: Mapping[str, int]) -> list[str]:
    """A slab is born held where it has enough of a held heat; returns the ids of its holds."""
    placed = []
    for heat_id in sorted(shares_ppm):
        for held in list_holds(deed.conn, deed.plant.code, "open", [heat_id], limit=HOLDS_OF_A_PIECE):
            if shares_ppm[heat_id] >= threshold_ppm(deed, held.rule_id):
                placed.append(place(deed, slab_id, held.reason, held.rule_id, held.decision_id, above=held.hold_id))
    return placed


def threshold_ppm(deed: Deed, rule_id: str) -> int:
    """From which share of a held heat on a slab is held: as the rule in force says; by hand: any share."""
    rule = find_rule(deed.conn, rule_id) if rule_id else None
    return (rule.rule.otherwise.share_threshold_ppm if rule else None) or 1


def send_flag(deed: Deed, number: str, *, held: bool, key: str) -> None:
    """Tell the caster's Level 2 that a slab is held or free, where the plant has a caster with a link."""
    for unit in deed.plant.model.units_of("slab_caster"):
        if unit.link:
            flag = "H" if held else "F"
            fields = {"slab": number, "flag": flag}
            outbox.tell(deed.conn, unit.link, FLAG, fields, key=f"{FLAG}:{flag}:{key}")


def reaches(deed: Deed, material_id: str, hold_id: str) -> bool:
    """Whether this hold is among those that hold the piece now."""
    return any(held.hold_id == hold_id for held in open_holds(deed.conn, material_id))


def label(row: Row[Any] | None) -> str:
    """A piece's number for a sentence."""
    return row.number if row is not None else "the piece"
