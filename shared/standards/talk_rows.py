"""Words about standards become rows; each is written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.standards import talk_facts as facts
from shared.standards import talk_tables as tables


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of these."""
    appliers.add(facts.ImprovementProposed, apply_proposed)
    appliers.add(facts.ProposalAnswered, apply_answered)
    appliers.add(facts.StandardCommented, apply_commented)


def apply_proposed(conn: Connection, group: Sequence[AppliedFact[facts.ImprovementProposed]]) -> None:
    """A plant's proposal."""
    upsert(conn, tables.proposal, [{**_plain(f), "proposed_ms": f.recorded_at_ms} for f in group])


def apply_answered(conn: Connection, group: Sequence[AppliedFact[facts.ProposalAnswered]]) -> None:
    """The office's last word on it."""
    rows = [{**_plain(f), "answered_ms": f.recorded_at_ms} for f in group]
    upsert(conn, tables.proposal_answer, rows, update=("answer", "version", "reason", "answered_ms"))


def apply_commented(conn: Connection, group: Sequence[AppliedFact[facts.StandardCommented]]) -> None:
    """Something said."""
    rows = [
        {
            **_plain(f),
            "mentions": f" {' '.join(f.payload.mentions)} " if f.payload.mentions else "",
            "said_by": f.actor,
            "said_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    upsert(conn, tables.comment, rows)


def _plain(f: AppliedFact[Any]) -> dict[str, Any]:
    return {"author": f.author, **msgspec.structs.asdict(f.payload)}
