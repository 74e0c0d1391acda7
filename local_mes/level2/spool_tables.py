"""The spool: a database of its own, so that it outlives and is never rolled back with the node's."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table

from shared.db.append_only import append_only
from shared.db.types import Code, Id, Int, Words

spool_metadata = MetaData()

identity = Table(
    "identity",
    spool_metadata,
    Column("key", Id, primary_key=True),
    Column("made_ms", Int, nullable=False),
)

pruned = Table(
    # of each link, up to where messages may be gone: the database lets none behind that go
    "pruned",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("ordinal", Int, nullable=False),
    # the latest time of receipt among those that are gone, and how many they are
    Column("received_ms", Int, nullable=False),
    Column("rows", Int, nullable=False),
    Column("at_ms", Int, nullable=False),
)

mark = Table(
    # each night: what was interpreted and waited for nothing then, and the journal's end that has all that came of it
    "mark",
    spool_metadata,
    Column("spool_id", Int, primary_key=True, autoincrement=False),
    Column("at_ms", Int, nullable=False),
    Column("epoch", Id, nullable=False),
    Column("seq", Int, nullable=False),
)

LETS_GO = "OLD.ordinal <= COALESCE((SELECT ordinal FROM pruned WHERE pruned.link = OLD.link), -1)"
"""Which rows of the spool may be deleted at all, for the database itself to hold to (SQL)."""

message = append_only(
    Table(
        "message",
        spool_metadata,
        Column("spool_id", Integer, primary_key=True, autoincrement=True),
        Column("link", Code, nullable=False),
        # running number of the link in this spool: the window for repeats is counted in it
        Column("ordinal", Int, nullable=False),
        Column("message", Code, nullable=False),
        Column("sequence", Int, nullable=False),
        Column("digest", Code, nullable=False),
        Column("claimed", Code, nullable=False),
        Column("claimed_ms", Int),
        Column("received_ms", Int, nullable=False),
        Column("offset_ms", Int, nullable=False),
        Column("zone_offset_min", Int, nullable=False),
        Column("raw", LargeBinary, nullable=False),
        Column("fields", Words, nullable=False),
        # why the content could not be read, where a peer's protocol has no way to refuse it
        Column("problem", Words, nullable=False),
        Index("ix_message_repeat", "link", "sequence", "digest"),
        Index("ix_message_ordinal", "link", "ordinal"),
        Index("ix_message_received", "link", "received_ms"),
        sqlite_autoincrement=True,
    ),
    lets_go=LETS_GO,
)

kept_capture = Table(
    # stretches of time that a person marked: their messages are not given up while they are listed
    "capture",
    spool_metadata,
    Column("capture_id", Integer, primary_key=True, autoincrement=True),
    Column("link", Code, nullable=False),
    Column("from_ms", Int, nullable=False),
    # None while it runs
    Column("to_ms", Int),
    Column("started_by", Code, nullable=False),
    sqlite_autoincrement=True,
)

refused = Table(
    # telegrams that the plant did not take, as they came, and what no telegram could be cut out of
    "refused",
    spool_metadata,
    Column("refused_id", Integer, primary_key=True, autoincrement=True),
    Column("link", Code, nullable=False),
    Column("digest", Code, nullable=False),
    Column("message", Code, nullable=False),
    Column("sequence", Int, nullable=False),
    Column("code", Int, nullable=False),
    Column("why", Words, nullable=False),
    Column("peer", Words, nullable=False),
    # at most REFUSED_BYTES_MAX of them, and how many they were
    Column("raw", LargeBinary, nullable=False),
    Column("bytes", Int, nullable=False),
    # the same again is one row
    Column("times", Int, nullable=False),
    Column("first_ms", Int, nullable=False),
    Column("last_ms", Int, nullable=False),
    Index("ix_refused_once", "link", "digest", unique=True),
    Index("ix_refused_first", "link", "first_ms"),
    sqlite_autoincrement=True,
)

refused_count = Table(
    # of each link: refused in all, not kept because too many came at once, kept and then pushed out by newer ones
    "refused_count",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("refused", Int, nullable=False),
    Column("not_kept", Int, nullable=False),
    Column("pushed_out", Int, nullable=False),
)

down = Table(
    "down",
    spool_metadata,
    Column("down_id", Integer, primary_key=True, autoincrement=True),
    # the cause that asked for it: the same cause is queued once
    Column("key", Code, nullable=False, unique=True),
    Column("link", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("message", Code, nullable=False),
    Column("fields", Words, nullable=False),
    Column("state", Code, nullable=False),
    Column("queued_ms", Int, nullable=False),
    # by the machine's clock, whatever the plant's says: an order that waits too long is late for people
    Column("queued_real_ms", Int),
    Column("sequence", Int),
    Column("sent_ms", Int),
    Column("tries", Int, nullable=False, default=0),
    Column("answered_ms", Int),
    Column("answer", Words, nullable=False, default=""),
    # of a set-point: the person, the piece it is for, and until when (by the machine's clock) it may be sent
    Column("asked_by", Code),
    Column("piece", Code),
    Column("valid_until_real_ms", Int),
    # the person who took it back; nothing where nobody did
    Column("settled_by", Code),
    Index("ix_down_open", "state", "link", "down_id"),
    sqlite_autoincrement=True,
)

overheard = Table(
    # what the old MES said to Level 2 on a link in shadow mode
    "overheard",
    spool_metadata,
    Column("ordinal", Integer, primary_key=True, autoincrement=True),
    Column("link", Code, nullable=False),
    Column("received_ms", Int, nullable=False),
    Column("message", Code, nullable=False),
    Column("sequence", Int, nullable=False),
    Column("fields", Words, nullable=False),
    Column("problem", Words, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("ix_overheard_link", "link", "ordinal"),
    sqlite_autoincrement=True,
)

link_state = Table(
    "link_state",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("address", Words, nullable=False),
    Column("state", Code, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("peer", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("last_message", Code, nullable=False),
    Column("last_message_ms", Int),
    Column("received", Int, nullable=False),
    Column("repeated", Int, nullable=False),
    Column("refused", Int, nullable=False),
    Column("gaps", Int, nullable=False),
    Column("offset_ms", Int, nullable=False),
    # the last differences received minus claimed, so that a restart does not unlearn the peer's clock
    Column("offsets", Words, nullable=False),
    # real time of the machine, whatever the plant's clock says: shows whether the collector lives
    Column("seen_real_ms", Int, nullable=False),
)

signal_state = Table(
    "signal_state",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("signal", Code, primary_key=True),
    # where the peer keeps it: a node id, a register
    Column("source", Words, nullable=False),
    # good, uncertain, no_data (it says itself that there is none), refused (the peer does not know it)
    Column("state", Code, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Column("value", Words, nullable=False),
    # the peer's time of the last stored change, and its digest: history is read from there after a gap
    Column("claimed", Code, nullable=False),
    Column("stored", Code, nullable=False),
)

peer_certificate = Table(
    "peer_certificate",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("role", Code, primary_key=True),
    Column("fingerprint", Code, nullable=False),
    Column("subject", Words, nullable=False),
    Column("not_after_ms", Int, nullable=False),
)

link_history = Table(
    "link_history",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("ordinal", Int, primary_key=True, autoincrement=False),
    Column("at_ms", Int, nullable=False),
    # a state the link came into; gap: messages missing; restart: the peer counts anew
    Column("kind", Code, nullable=False),
    Column("why", Words, nullable=False),
    # sequences that are missing
    Column("first", Int),
    Column("last", Int),
    Index("ix_link_history_at", "link", "at_ms"),
)

link_course = Table(
    # what a collector that is killed leaves for the next: when it was last there, how far the peer had counted
    "link_course",
    spool_metadata,
    Column("link", Code, primary_key=True),
    Column("seen_ms", Int, nullable=False),
    Column("entries", Int, nullable=False),
    # the last message whose number was looked at: those behind it are looked at by the next collector
    Column("spool_id", Int, nullable=False),
    Column("sequence", Int),
    # [[first, last], ...]
    Column("missing", Words, nullable=False),
)

server_look = Table(
    # what a page asks of a server and the process that has the connection answers; times by the machine's clock
    "server_look",
    spool_metadata,
    Column("look_id", Id, primary_key=True),
    Column("link", Code, nullable=False),
    Column("node", Words, nullable=False),
    Column("asked_real_ms", Int, nullable=False),
    # 1 when it went to an edge, or when what came of it went back from there
    Column("told", Int, nullable=False),
    # what was seen, as JSON, or why nothing was; neither while nobody has answered
    Column("answer", Words, nullable=False),
    Column("fault", Words, nullable=False),
)
