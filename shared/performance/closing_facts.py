"""The mass balance of a production day: closed by figures or by a person's word, and imbalances that were explained."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


class BalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """All operations of one kind at one unit in the day, summed: charged + added = produced + loss + unexplained."""

    unit: str
    unit_class: str
    operation: str
    tolerance_ppm: int
    operations: int
    charged_g: int
    added_g: int
    produced_g: int
    loss_g: int


@fact("DayClosed")
class DayClosed(Payload, frozen=True, kw_only=True):
    """A production day is closed: inside the tolerance of each class of operation, or signed by a person with a reason.

    A day that was closed and changed since (by a late fact or a correction) is closed again by a further fact.
    """

    production_day: str
    from_ms: int
    to_ms: int
    lines: tuple[BalanceLine, ...]
    open_imbalances: int
    signed: bool
    reason: str = ""
    nth: int = 1
    """Which close of the day this is: a clock that was set back does not say which was last."""


@fact("ImbalanceSettled")
class ImbalanceSettled(Payload, frozen=True, kw_only=True):
    """A person explained an operation's open imbalance; it is open again when its figures change."""

    operation_id: str
    unexplained_g: int
    """What was unexplained then."""
    reason: str
