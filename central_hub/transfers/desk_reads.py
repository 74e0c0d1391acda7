"""What the case desk shows, read in one picture each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from central_hub.transfers import cases
from central_hub.transfers.deadlines import read_deadlines
from central_hub.transfers.proposals import propose
from central_hub.transfers.settling import Since, read_since
from shared.journal.archived import bodies_of
from shared.journal.fact import decode_envelope
from shared.journal.tables import fact
from shared.material.queries import find_by_number
from shared.transfers.case_desk import (
    NOBODY,
    DeskFilter,
    count_desk,
    cursor_of,
    find_desk,
    find_on_desk,
    owners,
    read_talk,
)
from shared.transfers.case_queries import count_open_cases, find_episodes
from shared.transfers.case_rules import automatic, plants_of, resolutions
from shared.transfers.queries import find_receipt
from shared.transfers.showing import CASE_CHOICES, case_row
from shared.web.accounts import names_of, people_with
from shared.web.context import actor, node, reading
from shared.web.paging import Page, Paging
from sync.peers import list_peers

MINE = "mine"


@dataclass(frozen=True)
class Evidence:
    """One fact a case rests on, as its author recorded it. Times in ms."""

    fact_id: str
    type: str
    author: str
    actor: str
    occurred_ms: int
    recorded_ms: int


def read_desk(conn: Connection) -> dict[str, Any]:
    """Counts of the desk, who looks after what, and who is waited for."""
    return {
        "counts": count_desk(conn, node().clock.now_ms(), actor()),
        "kinds": count_open_cases(conn),
        "plants": tuple((peer.code, peer.code) for peer in list_peers(conn)),
        "kind_words": CASE_CHOICES,
        "waiting": find_episodes(conn, closed=False),
        "owners": sorted(names_of(conn, owners(conn)).items(), key=lambda person: person[1]),
    }


def read_cases(paging: Paging) -> Page[Any]:
    """Cases, the youngest first or as sorted; the open ones unless the filter says otherwise."""
    sort = paging.sort or "since_ms"
    descending = paging.descending if paging.sort else True
    with reading() as conn:
        rows = find_desk(
            conn, _wanted(paging), sort=sort, descending=descending, after=paging.after, limit=paging.limit + 1
        )
        more = rows[paging.limit :]
        rows = rows[: paging.limit]
        since = read_since(conn, [row for row in rows if row.state == "open"])
        names = names_of(conn, {row.owner for row in rows})
    shown = [_desk_row(row, since, names) for row in rows]
    return Page(shown, cursor_of(rows[-1], sort) if more else None)


def read_case(conn: Connection, case_id: str) -> dict[str, Any]:
    """A case with both sides' facts, its conversation and its charge; NotFound when there is none."""
    row = find_on_desk(conn, case_id)
    if row is None:
        raise cases.unknown_case(case_id)
    since = read_since(conn, [row])[case_id]
    receipt = since.receipt
    if receipt is None and since.line is not None and since.line.receipt_id:
        receipt = find_receipt(conn, since.line.receipt_id)
    talk = read_talk(conn, row)
    known = {row.owner, row.resolved_by, *(word.said_by for word in talk.words)}
    return {
        "case": case_row(row),
        "line": since.line,
        "receipt": receipt,
        "at_sender": _piece(conn, row.piece_number, row.from_plant),
        "settled": since.settled,
        "proposals": propose(conn, row) if row.state == "open" else [],
        "evidence": read_evidence(conn, msgspec.json.decode(row.evidence, type=list[str])),
        "resolutions": list(resolutions(row.kind).items()),
        "ended": resolutions(row.kind).get(row.resolution, row.resolution),
        "plan": read_deadlines(conn, row.author, node().clock.now_ms()).plan(row.kind),
        "automatic": automatic(row.kind),
        "talk": talk,
        "names": names_of(conn, known),
        "people": people_with(conn, "logistics"),
        "parties": [(code, code) for code in (row.author, *plants_of(row.from_plant, row.to_plant))],
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


def _wanted(paging: Paging) -> DeskFilter:
    state, owner = paging.wants("state") or "open", paging.wants("owner")
    return DeskFilter(
        state="" if state in ("all", "overdue") else state,
        kind=paging.wants("kind"),
        plant=paging.wants("plant"),
        q=paging.wants("q"),
        owner=actor() if owner == MINE else owner,
        party=paging.wants("party"),
        overdue_at_ms=node().clock.now_ms() if state == "overdue" else 0,
    )


def _desk_row(row: Row[Any], since: Mapping[str, Since], names: Mapping[str, str]) -> dict[str, Any]:
    late = row.state == "open" and row.due_ms < node().clock.now_ms()
    settled = since[row.case_id].settled if row.case_id in since else ""
    return case_row(row) | {
        "told": f"{row.summary} Since then: {settled}" if settled else row.summary,
        "owner_name": names.get(row.owner, "") or NOBODY,
        "due": "overdue" if late else ("" if row.state == "open" else "ended"),
        "due_state": "alarm" if late else "done",
    }


def _piece(conn: Connection, number: str, plant: str) -> Row[Any] | None:
    """The piece as it stands in the sender's books: often the explanation."""
    return next(iter(find_by_number(conn, number, plant)), None) if number and plant else None
