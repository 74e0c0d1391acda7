"""What becomes of a deviation after it was declared: it is renewed, and other people say yes or no to it."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("DeviationRenewed")
class DeviationRenewed(Payload, frozen=True, kw_only=True):
    """A deviation in force goes on until expires_ms; whoever said yes to its old term has not said so of this one."""

    deviation_id: str
    expires_ms: int
    reason: str


@fact("DeviationJudged")
class DeviationJudged(Payload, frozen=True, kw_only=True):
    """A person who did not ask for it says approved or objected of a plant's deviation, as long as it ends at expires_ms."""

    plant: str
    deviation_id: str
    expires_ms: int
    verdict: str
    reason: str = ""
