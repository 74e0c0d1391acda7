"""A key that was this node's before its keys were lost: two people say so, and what it signed counts as ours again.

Readers show the key with what they give back; whoever stood beside the enrolment knows its fingerprint, and it stands in
each reader's own list of peers. The first person proposes it, a second one confirms it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from shared.db.engine import write
from shared.errors import NotFound, Refused
from shared.keys import fingerprint, key_id
from shared.node import Node
from sync.peers import keep_key, keys_of, open_incident
from sync.restoring import put_back, read_all_waiting
from sync.tables import own_key_proposal


@dataclass(frozen=True)
class Claim:
    """A key that signed what waits, and who says that it was ours: the readers that gave it back."""

    fingerprint: str
    public_key: bytes
    readers: tuple[str, ...]
    entries: int
    proposed_by: str

    def __str__(self) -> str:
        who = f", proposed by {self.proposed_by}" if self.proposed_by else ""
        return f"{self.fingerprint}: {self.entries} entries, given back by {', '.join(self.readers)}{who}"


def list_claims(conn: Connection, code: str) -> list[Claim]:
    """Keys that are not known to be ours and signed what readers gave back, by fingerprint."""
    c = own_key_proposal.c
    proposed = {row.key_id: row.proposed_by for row in conn.execute(select(c.key_id, c.proposed_by))}
    known, shown = keys_of(conn, code), dict[str, bytes]()
    readers: dict[str, set[str]] = {}
    entries: Counter[str] = Counter()
    for one in read_all_waiting(conn, code):
        shown |= one.shown
        for batch in one.batches:
            readers.setdefault(batch.seal.key, set()).add(one.stream.partition(">")[2])
            entries[batch.seal.key] += len(batch.entries)
    found = [
        Claim(fingerprint(shown[key]), shown[key], tuple(sorted(who)), entries[key], proposed.get(key, ""))
        for key, who in readers.items()
        if key not in known
    ]
    return sorted(found, key=lambda claim: claim.fingerprint)


def accept_key(node: Node, print_of: str, who: str) -> str:
    """Say that the key of this fingerprint was ours; the second person's word makes it so. Returns what came of it.

    NotFound for a key that signed nothing that waits, Refused for one person twice.
    """
    with write(node.engine) as conn:
        claim = next((one for one in list_claims(conn, node.code) if one.fingerprint == print_of), None)
        if claim is None:
            raise NotFound(
                "history.no_key", f"Nothing that waits was signed with {print_of}.", todo="See: history waiting."
            )
        name, now = key_id(claim.public_key), node.clock.now_ms()
        if not claim.proposed_by:
            conn.execute(insert(own_key_proposal).values(key_id=name, proposed_by=who, proposed_at_ms=now))
            return "Proposed. Nothing is taken over until a second person runs the same command."
        if claim.proposed_by == who:
            raise Refused(
                "history.same_person",
                "Who proposed a key cannot confirm it.",
                kept="The proposal stands.",
                todo="Ask a second person to run the same command.",
            )
        conn.execute(delete(own_key_proposal).where(own_key_proposal.c.key_id == name))
        keep_key(conn, node.code, claim.public_key, now)
        what = f"The key {print_of} counts as one of {node.code} again: {claim.proposed_by} and {who} said so."
        open_incident(conn, node.clock, node.code, "own_key", what, level="attention", evidence=str(claim))
        came = put_back(conn, node.code, node.clock, node.journal.appliers)
    node.journal.notify()
    return f"{print_of} counts as {node.code}'s. {came} facts of {node.code} came back."
