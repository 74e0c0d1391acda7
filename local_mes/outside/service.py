"""Use cases of outside parties: what they say is taken once, or put on the work-list; a person settles that; tokens.

A statement is taken in one transaction with the row that remembers its event id: sent again it changes nothing. What
cannot be recorded as it stands is kept with the reason until a person names the piece, or drops it with a note.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from local_mes.dispatch.service import get_party
from local_mes.outside import errors
from local_mes.outside.deciding import Heard, decide
from local_mes.outside.domain import Statement, renamed
from local_mes.outside.finding import Unclear
from local_mes.outside.queries import find_event, find_statement
from local_mes.outside.tables import party_event, party_token
from local_mes.plant import Plant
from shared.db.engine import write
from shared.ids import derived_id, new_id, secret_token
from shared.journal.journal import Work
from shared.outside.queries import find_party

_json = msgspec.json.Encoder(order="deterministic")

NOTHING = rb"\u0000"
"""A character that PostgreSQL keeps in no text."""


class Outcome(NamedTuple):
    """What became of one event. state: done | open (a person must look) | again (known) | refused (nothing was kept)."""

    event_id: str
    state: str
    reason: str = ""
    statement_id: str = ""


def take(plant: Plant, party: str, statement: Statement, way: str) -> Outcome:
    """Record what a party says, once for its event id. NotFound or Refused where nobody deals with the party."""
    key = hashlib.sha256(statement.event_id.encode()).hexdigest()
    said = _json.encode(statement)
    if NOTHING in said:
        return Outcome(statement.event_id, "refused", "it holds characters that no text has")
    digest = hashlib.sha256(said).hexdigest()
    with plant.journal.work() as tx:
        get_party(tx.conn, plant.code, party)
        known = find_event(tx.conn, party, key)
        if known is not None:
            return _known(known, digest, statement.event_id)
        statement_id = derived_id(tx.now_ms(), plant.code, party, key)
        reason = _record(tx, Heard(plant.code, party, statement, statement_id, way))
        row = {
            "party": party,
            "event_key": key,
            "event_id": statement.event_id,
            "statement_id": statement_id,
            "digest": digest,
            "way": way,
            "state": "open" if reason else "done",
            "kind": statement.kind,
            "reason": reason,
            "statement": said.decode(),
            "received_at_ms": tx.now_ms(),
            "settled_at_ms": None,
            "settled_by": "",
        }
        tx.conn.execute(insert(party_event).values(row))
        return Outcome(statement.event_id, str(row["state"]), reason, statement_id)


def settle(plant: Plant, statement_id: str, names: Mapping[str, str], *, actor: str) -> Outcome:
    """Try an open entry again, its pieces under the names that a person found. It stays open where it still is unclear."""
    with plant.journal.work() as tx:
        row = _get_open(tx.conn, statement_id)
        statement = renamed(msgspec.json.decode(row.statement, type=Statement), names)
        reason = _record(tx, Heard(plant.code, row.party, statement, statement_id, row.way))
        done = {"state": "done", "reason": "", "settled_at_ms": tx.now_ms(), "settled_by": actor}
        values = {"reason": reason} if reason else done
        said = _json.encode(statement).decode() if not reason else row.statement
        _change(tx.conn, statement_id, values | {"statement": said})
        return Outcome(row.event_id, "open" if reason else "done", reason, statement_id)


def drop(plant: Plant, statement_id: str, note: str, *, actor: str) -> None:
    """Set an open entry aside with a reason; it stays readable."""
    with plant.journal.work() as tx:
        _get_open(tx.conn, statement_id)
        values = {"state": "dropped", "reason": note, "settled_at_ms": tx.now_ms(), "settled_by": actor}
        _change(tx.conn, statement_id, values)


def give_token(plant: Plant, party: str, title: str, *, actor: str) -> str:
    """A token for a party's program; it is shown once and kept only as a hash."""
    with write(plant.node.engine) as conn:
        get_party(conn, plant.code, party)
        token_id, secret = new_id(plant.clock), secret_token()
        conn.execute(
            insert(party_token).values(
                token_id=token_id,
                party=party,
                title=title,
                secret_hash=_hash(secret),
                created_at_ms=plant.clock.now_ms(),
                created_by=actor,
                revoked_at_ms=None,
            )
        )
    return f"{token_id}.{secret}"


def revoke_token(plant: Plant, token_id: str) -> None:
    """From now on the token opens nothing."""
    c = party_token.c
    with write(plant.node.engine) as conn:
        query = update(party_token).where(c.token_id == token_id, c.revoked_at_ms.is_(None))
        conn.execute(query.values(revoked_at_ms=plant.clock.now_ms()))


def party_of_token(conn: Connection, here: str, token: str) -> str:
    """Whose token it is; Unauthenticated when nobody's, Denied when dealings with the party have ended."""
    token_id, _, secret = token.partition(".")
    c = party_token.c
    row = conn.execute(select(party_token).where(c.token_id == token_id, c.revoked_at_ms.is_(None))).first()
    if not hmac.compare_digest(row.secret_hash if row else _hash(""), _hash(secret)) or row is None:
        raise errors.no_token()
    party = find_party(conn, here, row.party)
    if party is None or party.ended:
        raise errors.party_ended(row.party)
    return str(row.party)


def _record(tx: Work, heard: Heard) -> str:
    """Record the facts; the reason why not where a person must look first, then nothing is recorded."""
    try:
        drafts = decide(tx.conn, heard)
    except Unclear as why:
        return str(why)
    for draft in drafts:
        tx.record(draft)
    return ""


def _known(row: Row[Any], digest: str, event_id: str) -> Outcome:
    if row.digest != digest:
        return Outcome(event_id, "refused", "an event of this id was sent before and said something else")
    return Outcome(event_id, "again", row.reason, row.statement_id)


def _get_open(conn: Connection, statement_id: str) -> Row[Any]:
    row = find_statement(conn, statement_id)
    if row is None:
        raise errors.unknown_statement(statement_id)
    if row.state != "open":
        raise errors.settled_already(row.state)
    return row


def _change(conn: Connection, statement_id: str, values: Mapping[str, Any]) -> None:
    conn.execute(update(party_event).where(party_event.c.statement_id == statement_id).values(**values))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
