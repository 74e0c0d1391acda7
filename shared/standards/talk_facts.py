"""Words about standards: what a plant proposes, what the office answers, what people say of a version."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("ImprovementProposed")
class ImprovementProposed(Payload, frozen=True, kw_only=True):
    """A plant proposes its own value of a parameter to the group. parameter: "UNIT.name"; proposed_by: a person's name.

    parameter and value empty: a standard of the plant's own is proposed as a whole.
    """

    proposal_id: str
    standard_id: str
    version: int
    parameter: str
    value: str
    since_ms: int
    reason: str
    proposed_by: str


@fact("ProposalAnswered")
class ProposalAnswered(Payload, frozen=True, kw_only=True):
    """The office made a draft of it (version: which), or declined it with a reason."""

    proposal_id: str
    plant: str
    answer: str
    version: int
    reason: str


@fact("StandardCommented")
class StandardCommented(Payload, frozen=True, kw_only=True):
    """Somebody said something of a version; mentions: person ids of those who are to read it."""

    comment_id: str
    standard_id: str
    version: int
    text: str
    mentions: tuple[str, ...] = ()
