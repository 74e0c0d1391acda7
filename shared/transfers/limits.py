"""The lane's mass limits from the standard a receiver has adopted (QR-RCV-01), else the defaults of domain.py."""

from __future__ import annotations

from sqlalchemy import Connection

from shared.rules.document import PairTolerance, Tolerance
from shared.standards.documents import QualityRule
from shared.standards.queries import find_document, find_in_force
from shared.transfers.domain import MassLimits

RULE_ID = "QR-RCV-01"


def mass_limits(conn: Connection, receiver: str, lane: str, at_ms: int | None = None) -> MassLimits:
    """The limits in force at the receiver for a lane such as 'ALD-BRK': now, or at a time."""
    adopted = find_in_force(conn, receiver, RULE_ID, at_ms)
    document = find_document(conn, RULE_ID, adopted.version, adopted.sha256) if adopted else None
    if not isinstance(document, QualityRule) or not isinstance(document.rule.check, Tolerance):
        return MassLimits()
    check = document.rule.check
    return _limits((*check.lanes.get(lane, ()), *check.pairs))


def _limits(pairs: tuple[PairTolerance, ...]) -> MassLimits:
    default = MassLimits()
    theoretical = next((p for p in pairs if p.sender_basis == "theoretical"), None)
    weighed = next((p for p in pairs if p.sender_basis == p.receiver_basis == "weighed"), None)
    return MassLimits(
        theoretical.tolerance_ppm if theoretical else default.theoretical_ppm,
        weighed.tolerance_ppm if weighed else default.weighed_ppm,
        weighed.at_least_g if weighed else default.weighed_least_g,
    )
