"""The plant's side of the way up: what the edge tells becomes the plant's own spool, as if it had been heard here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection

from local_mes.level2.edge.facts import Level2Heard, Level2OrderSettled, Level2Seen
from local_mes.level2.edge.giving import take_settled
from local_mes.level2.edge.links import take_seen
from local_mes.level2.edge.look_facts import Level2Answered
from local_mes.level2.edge.looking import take_answered
from local_mes.level2.spool import Incoming, append_all
from shared.journal.fact import AppliedFact


class Carried(Incoming, frozen=True, gc=False):
    """A message whose digest was made where it was heard: the body it is of stays there."""

    known: str = ""

    @property
    def digest(self) -> str:
        """As the edge made it."""
        return self.known


def take_in(told: list[str], conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
    """Have the effect of an edge's facts, in their order, in the spool's transaction. told: gets the orders they end."""
    for _, run in groupby(facts, key=_kind):
        some = [one.payload for one in run]
        if isinstance(some[0], Level2Heard):
            append_all(conn, [_incoming(one) for one in some])
            continue
        for one in some:
            if isinstance(one, Level2Seen):
                take_seen(conn, one)
            elif isinstance(one, Level2OrderSettled):
                take_settled(conn, one)
                told += [one.key] if one.answered_ms is not None else []
            elif isinstance(one, Level2Answered):
                take_answered(conn, one)


def _kind(one: AppliedFact[Any]) -> tuple[str, str]:
    """Messages of one link go together."""
    return one.type, one.payload.link if isinstance(one.payload, Level2Heard) else ""


def _incoming(heard: Level2Heard) -> Carried:
    """Times of a clock that is off are put right; what the link claims is the link's own."""
    return Carried(
        link=heard.link,
        message=heard.message,
        sequence=heard.sequence,
        claimed=heard.claimed,
        claimed_ms=heard.claimed_ms,
        received_ms=heard.received_ms + heard.shift_ms,
        offset_ms=heard.offset_ms + heard.shift_ms,
        zone_offset_min=heard.zone_offset_min,
        raw=heard.raw,
        body=b"",
        fields=msgspec.json.decode(heard.fields),
        problem=heard.problem,
        # without number and time nothing tells a repeat from another of the same; the edge has judged already
        always_new=not heard.claimed and heard.sequence == heard.ordinal,
        known=heard.digest,
    )
