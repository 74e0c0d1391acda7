"""What the hub's pages of transfers show, read in one picture each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from central_hub.transfers import cases
from central_hub.transfers.balance import LaneBalance, read_balance, start_of_day
from central_hub.transfers.proposals import propose
from central_hub.transfers.settling import find_line_of, find_settled
from shared.journal.archived import bodies_of
from shared.journal.fact import decode_envelope
from shared.journal.tables import fact
from shared.material.queries import find_by_number
from shared.transfers.case_queries import count_open_cases, find_case, find_cases, find_episodes
from shared.transfers.lines import LineFilter, find_lines, find_lines_in_state
from shared.transfers.queries import find_receipt
from shared.transfers.showing import case_row, line_row
from shared.web.context import node, reading
from shared.web.paging import Page, Paging, cut


@dataclass(frozen=True)
class Evidence:
    """One fact a case rests on, as its author recorded it. Times in ms."""

    fact_id: str
    type: str
    author: str
    actor: str
    occurred_ms: int
    recorded_ms: int


def read_lines(paging: Paging) -> Page[Any]:
    """Lines of all lanes, the youngest load first."""
    sender, _, receiver = paging.wants("lane").partition("-")
    wanted = LineFilter(sender=sender, receiver=receiver, q=paging.wants("q"))
    with reading() as conn:
        if paging.wants("state"):
            lines = find_lines_in_state(conn, wanted, paging.wants("state"), after=paging.after, limit=paging.limit + 1)
        else:
            lines = find_lines(conn, wanted, after=paging.after, limit=paging.limit + 1)
    return cut([line_row(line) for line in lines], paging, "key")


def read_today(conn: Connection) -> list[LaneBalance]:
    """The balance of the day so far."""
    now_ms = node().clock.now_ms()
    return read_balance(conn, start_of_day(now_ms), now_ms)


def read_desk(conn: Connection) -> dict[str, Any]:
    """Counts of the desk, and who is waited for."""
    return {"counts": count_open_cases(conn), "waiting": find_episodes(conn, closed=False)}


def read_cases(paging: Paging) -> Page[Any]:
    """Cases, the youngest first; the open ones unless the filter says otherwise."""
    with reading() as conn:
        rows = find_cases(
            conn,
            state="" if paging.wants("state") == "all" else paging.wants("state") or "open",
            kind=paging.wants("kind"),
            plant=paging.wants("plant"),
            q=paging.wants("q"),
            after=paging.after,
            limit=paging.limit + 1,
        )
        shown = [case_row(row) | {"settled": find_settled(conn, row) if row.state == "open" else ""} for row in rows]
    return cut(shown, paging, "case_id")


def read_case(conn: Connection, case_id: str) -> dict[str, Any]:
    """A case with both sides' facts; NotFound when there is none."""
    row = find_case(conn, case_id)
    if row is None:
        raise cases.unknown_case(case_id)
    receipt = find_receipt(conn, row.receipt_id) if row.receipt_id else None
    line = find_line_of(conn, row, receipt)
    return {
        "case": case_row(row),
        "line": line,
        "receipt": receipt or _receipt_of(conn, line),
        "at_sender": _piece(conn, row.piece_number, row.from_plant),
        "settled": find_settled(conn, row),
        "proposals": propose(conn, row) if row.state == "open" else [],
        "evidence": read_evidence(conn, msgspec.json.decode(row.evidence, type=list[str])),
        "resolutions": list(cases.resolutions(row.kind).items()),
        "ended": cases.resolutions(row.kind).get(row.resolution, row.resolution),
    }


def read_evidence(conn: Connection, ids: list[str]) -> list[Evidence]:
    """The facts a case rests on, oldest first."""
    columns = (fact.c.fact_id, fact.c.type, fact.c.author, fact.c.recorded_at_ms)
    rows = conn.execute(select(*columns).where(fact.c.fact_id.in_(ids)).order_by(fact.c.recorded_at_ms)).all()
    bodies = bodies_of(conn, ids)
    found = []
    for row in rows:
        envelope = decode_envelope(bodies[row.fact_id])
        at_ms = envelope.occurred.at_ms
        found.append(Evidence(row.fact_id, row.type, row.author, envelope.actor, at_ms, row.recorded_at_ms))
    return found


def _receipt_of(conn: Connection, line: Any) -> Row[Any] | None:
    return find_receipt(conn, line.receipt_id) if line is not None and line.receipt_id else None


def _piece(conn: Connection, number: str, plant: str) -> Row[Any] | None:
    """The piece as it stands in the sender's books: often the explanation."""
    return next(iter(find_by_number(conn, number, plant)), None) if number and plant else None
