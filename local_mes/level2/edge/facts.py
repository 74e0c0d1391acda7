"""What an edge and the plant that hosts its MES tell each other. These facts live in their two journals alone.

They never reach the plant's own journal or the hub: raw Level-2 input is no fact of a plant, it is carried as one
because the road is the same (docs/decisions/0015-an-edge-is-a-node.md).
"""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("Level2Heard")
class Level2Heard(Payload, frozen=True, kw_only=True):
    """One spooled message, as the edge's spool keeps it (local_mes/level2/spool_tables.py). Times by the edge's clock.

    shift_ms  what is to be added to the edge's times: its clock was off by so much when this was recorded
    """

    link: str
    message: str
    ordinal: int
    sequence: int
    digest: str
    claimed: str
    claimed_ms: int | None
    received_ms: int
    offset_ms: int
    zone_offset_min: int
    raw: bytes
    fields: str
    problem: str = ""
    shift_ms: int = 0


@fact("Level2Seen")
class Level2Seen(Payload, frozen=True, kw_only=True):
    """Rows of the links' tables that changed, as JSON: table -> rows."""

    tables: str


@fact("Level2OrderGiven")
class Level2OrderGiven(Payload, frozen=True, kw_only=True):
    """An order to Level 2 that the plant queued; key names it between the two, fields are JSON.

    until_real_ms  of a set-point: up to when, by the clock of the plant's machine, Level 2 must have answered
    """

    key: str
    link: str
    kind: str
    message: str
    fields: str
    queued_ms: int
    until_real_ms: int | None = None


@fact("Level2OrderWithdrawn")
class Level2OrderWithdrawn(Payload, frozen=True, kw_only=True):
    """The plant took an order back that it had given: a piece is held, a person said so, its time was over."""

    key: str
    why: str


@fact("Level2OrderSettled")
class Level2OrderSettled(Payload, frozen=True, kw_only=True):
    """How far an order has come at the edge: sent, confirmed, refused or withheld."""

    key: str
    state: str
    sequence: int | None = None
    tries: int = 0
    sent_ms: int | None = None
    answered_ms: int | None = None
    answer: str = ""
