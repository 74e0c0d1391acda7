"""What a peer understands: the protocol versions it speaks and the newest version of each fact it reads.

Said in every hello and its answer. A fact that the peer does not read yet is sent all the same and parked there: it
applies in its place after the peer's upgrade. Meanwhile people at this end see what cannot be installed, and which
release it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import Column, Connection, Engine, func, select

from shared.clock import Clock
from shared.db.engine import write
from shared.db.types import Code, Int, Words, local_table
from shared.db.upsert import upsert
from shared.journal.fact import registered, release_of
from shared.journal.tables import entry, fact
from sync.errors import WrongProtocol
from sync.limits import PROTOCOL, PROTOCOL_OLDEST
from sync.messages import Hello
from sync.peers import open_incident

understanding = local_table(
    "sync_understanding",
    Column("peer", Code, primary_key=True),
    Column("oldest_proto", Int, nullable=False),
    Column("proto", Int, nullable=False),
    Column("facts", Words, nullable=False),
    Column("at_ms", Int, nullable=False),
)


@dataclass(frozen=True)
class Lacking:
    """A fact type that this node writes in a version which the peer does not read.

    theirs  the newest version that the peer reads, 0 when it does not know the type
    sent    how many facts of it stand in the stream to the peer: what it cannot install
    """

    type: str
    version: int
    theirs: int
    release: str
    sent: int

    @property
    def says(self) -> str:
        """One sentence for people."""
        what = f"{self.type} v{self.version}"
        knows = f"reads v{self.theirs}" if self.theirs else "does not know it"
        count = f"{self.sent} sent" if self.sent else "none sent yet"
        return f"{what}: {knows}, {count}. Cannot install: needs release {self.release}."


def fact_versions() -> dict[str, int]:
    """The newest version of each fact type that this node reads."""
    newest: dict[str, int] = {}
    for name, version in registered():
        newest[name] = max(version, newest.get(name, 0))
    return newest


def agree(mine: tuple[int, int], theirs: tuple[int, int]) -> int | None:
    """The newest protocol version that both ranges (oldest, newest) hold, or None."""
    newest = min(mine[1], theirs[1])
    return newest if newest >= max(mine[0], theirs[0]) else None


def meet_protocol(engine: Engine, clock: Clock, peer: str, hello: Hello) -> int:
    """The protocol version to speak with a peer that says hello. WrongProtocol, with an incident, when there is none."""
    found = agree((PROTOCOL_OLDEST, PROTOCOL), (hello.oldest_proto, hello.proto))
    if found is not None:
        return found
    older = f"this node ({peer} is newer)" if hello.oldest_proto > PROTOCOL else peer
    what = f"{peer} speaks protocol {hello.oldest_proto}-{hello.proto}, this node {PROTOCOL_OLDEST}-{PROTOCOL}."
    with write(engine) as conn:
        open_incident(conn, clock, peer, "protocol", f"{what} Upgrade {older}; its facts wait where they are.")
    raise WrongProtocol("sync.protocol", what, todo=f"Upgrade {older}.")


def keep(conn: Connection, peer: str, protocols: tuple[int, int], facts: dict[str, int], now_ms: int) -> None:
    """Remember what a peer said of itself."""
    row = {
        "peer": peer,
        "oldest_proto": protocols[0],
        "proto": protocols[1],
        "facts": msgspec.json.encode(facts, order="sorted").decode(),
        "at_ms": now_ms,
    }
    upsert(conn, understanding, [row], update=["oldest_proto", "proto", "facts", "at_ms"])


def list_lacking(conn: Connection, peer: str, stream: str) -> list[Lacking]:
    """What of this node's vocabulary the peer does not read, what already stands in the stream to it first."""
    told = conn.execute(select(understanding.c.facts).where(understanding.c.peer == peer)).scalar()
    if told is None:
        return []
    reads = msgspec.json.decode(told, type=dict[str, int])
    newer = {(name, version) for name, version in fact_versions().items() if version > reads.get(name, 0)}
    sent = _count_sent(conn, stream, newer)
    found = [
        Lacking(name, version, reads.get(name, 0), release_of(name, version), sent.get((name, version), 0))
        for name, version in newer
    ]
    return sorted(found, key=lambda item: (-item.sent, item.type))


def has_told(conn: Connection, peer: str) -> bool:
    """Whether a peer ever said what it reads."""
    return conn.execute(select(understanding.c.peer).where(understanding.c.peer == peer)).first() is not None


def reads_fact(conn: Connection, peer: str, name: str) -> bool:
    """Whether a peer reads facts of a type, as far as it said; true of one that never said anything."""
    told = conn.execute(select(understanding.c.facts).where(understanding.c.peer == peer)).scalar()
    return told is None or name in msgspec.json.decode(told, type=dict[str, int])


def _count_sent(conn: Connection, stream: str, newer: set[tuple[str, int]]) -> dict[tuple[str, int], int]:
    if not newer:
        return {}
    query = (
        select(fact.c.type, fact.c.version, func.count())
        .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
        .where(entry.c.stream == stream, fact.c.type.in_(sorted({name for name, _ in newer})))
        .group_by(fact.c.type, fact.c.version)
    )
    return {(row[0], int(row[1])): int(row[2]) for row in conn.execute(query)}
