"""What follows a receipt at once: the masses compared by the rule in force, the sender's holds taken over."""

from __future__ import annotations

from local_mes.plant import Plant
from local_mes.standards.in_force import check
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import Mass
from shared.quality.facts import CheckDecided, HoldPlaced
from shared.quality.queries import find_hold
from shared.transfers.domain import MassComparison, compare_mass
from shared.transfers.facts import PieceData
from shared.transfers.limits import RULE_ID, mass_limits

ACTOR = "job:transfers"
DECISIONS = {"in_order": "pass", "violated": "case", "pending": "pending"}


def check_mass(
    plant: Plant, tx: Work, sender: str, material_id: str, told: Mass, found: Mass, at_ms: int
) -> MassComparison:
    """Compare the sender's mass with ours; the decision is recorded when the rule is in force here."""
    lane = f"{sender}-{plant.code}"
    compared = compare_mass(told.g, told.basis, found.g, found.basis, mass_limits(tx.conn, plant.code, lane))
    inputs: dict[str, int | float | str | bool | None] = {
        "lane": lane,
        "sender_basis": told.basis,
        "receiver_basis": found.basis,
        "sender_mass": told.g,
        "receiver_mass": found.g,
    }
    checked = check(tx.conn, RULE_ID, inputs)
    outcome = DECISIONS.get(checked.outcome.outcome)
    if checked.rule is None or outcome is None:
        return compared
    decision = CheckDecided(
        decision_id=derived_id(at_ms, plant.code, "mass", material_id, sender, found.g, at_ms),
        rule_id=checked.rule.rule_id,
        rule_version=checked.rule.version,
        rule_hash=checked.rule.hash,
        material_id=material_id,
        outcome=outcome,
        inputs=dict(checked.outcome.inputs),
        explanation=checked.outcome.reason or "; ".join(line.text for line in checked.outcome.explanation),
    )
    tx.record(Draft(decision, (material_id,), ACTOR, Occurred(at_ms, ACTOR), standard=checked.rule.ref))
    return compared


def inherit_holds(plant: Plant, tx: Work, material_id: str, piece: PieceData, receipt_id: str, at_ms: int) -> None:
    """A hold reaches a piece on its way: what the sender held is held here too, until this plant releases it."""
    if piece.quality != "held":
        return
    for hold_id in piece.holds or ("",):
        own_id = derived_id(at_ms, plant.code, "inherited", receipt_id, hold_id)
        if find_hold(tx.conn, own_id) is not None:
            continue
        hold = HoldPlaced(
            hold_id=own_id,
            material_id=material_id,
            reason="held by the sender",
            inherited_from=hold_id,
        )
        tx.record(Draft(hold, (material_id, hold.hold_id), ACTOR, Occurred(at_ms, ACTOR)))
