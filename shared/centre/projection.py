"""Facts of what the centre decides to rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from shared.centre.facts import (
    DISPOSITION,
    ORDER_RELEASE,
    DispositionSentDown,
    OrdersSentDown,
    OwnersTold,
    SentDownAnswered,
)
from shared.centre.tables import domain_owner, sent_down, sent_down_answer
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of these."""
    appliers.add(OwnersTold, apply_owners)
    appliers.add(OrdersSentDown, apply_orders)
    appliers.add(DispositionSentDown, apply_dispositions)
    appliers.add(SentDownAnswered, apply_answers)


def apply_owners(conn: Connection, group: Sequence[AppliedFact[OwnersTold]]) -> None:
    """The plant's last word on each domain."""
    for f in group:
        rows = [
            {"author": f.author, "domain": domain[:64], "owner": owner[:64], "since_ms": f.recorded_at_ms}
            for domain, owner in sorted(f.payload.owners.items())
        ]
        upsert(conn, domain_owner, rows, update=["owner", "since_ms"])


def apply_orders(conn: Connection, group: Sequence[AppliedFact[OrdersSentDown]]) -> None:
    """Order items for a plant."""
    upsert(conn, sent_down, [_row(f, ORDER_RELEASE) for f in group])


def apply_dispositions(conn: Connection, group: Sequence[AppliedFact[DispositionSentDown]]) -> None:
    """A decision on a plant's hold."""
    upsert(conn, sent_down, [_row(f, DISPOSITION) for f in group])


def apply_answers(conn: Connection, group: Sequence[AppliedFact[SentDownAnswered]]) -> None:
    """What the plant did; its first word stays."""
    rows = [
        {
            "author": f.author,
            "sent_id": f.payload.sent_id,
            "outcome": f.payload.outcome,
            "reason": f.payload.reason,
            "answered_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    upsert(conn, sent_down_answer, rows)


def _row(f: AppliedFact[OrdersSentDown] | AppliedFact[DispositionSentDown], domain: str) -> dict[str, object]:
    return {
        "author": f.author,
        "sent_id": f.payload.sent_id,
        "plant": f.payload.plant,
        "domain": domain,
        "body": msgspec.json.encode(f.payload, order="sorted").decode(),
        "sent_by": f.actor,
        "sent_ms": f.recorded_at_ms,
        "fact_id": f.fact_id,
    }
