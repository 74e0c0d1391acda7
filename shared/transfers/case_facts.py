"""What people do about a case: the hub hands it over with a deadline, both sides talk, each plant says that it heard the end;
the hub opens it again."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("CaseAssigned")
class CaseAssigned(Payload, frozen=True, kw_only=True):
    """The group's desk hands a case to a person of its own and says whose turn it is. The last one stands."""

    case_id: str
    owner: str
    """Opaque id of a person at the hub; empty: nobody yet."""
    party: str
    """Code of the node whose answer is awaited: the hub or a plant of the case."""
    deadline_ms: int
    note: str = ""


@fact("CaseSaid")
class CaseSaid(Payload, frozen=True, kw_only=True):
    """One word in the conversation about a case, by the hub or by a plant of it."""

    case_id: str
    text: str


@fact("CaseConfirmed")
class CaseConfirmed(Payload, frozen=True, kw_only=True):
    """A plant has read how its case ended, and agrees or objects. Its last word stands."""

    case_id: str
    resolution: str
    agrees: bool
    note: str = ""
    reopened: int = 0
    """Which end: how often the case had been opened again before it. A word on an earlier end counts no more."""


@fact("CaseReopened")
class CaseReopened(Payload, frozen=True, kw_only=True):
    """How a case ended does not hold: it is on the desk again, until a new deadline."""

    case_id: str
    note: str
    due_at_ms: int
    objection: str = ""
    """Fact id of the plant's word that it follows; empty where the group's desk found out for itself."""
