"""What a node knows of its peers and of its exchanges with them. All local: none of it is rebuilt from facts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String

from shared.db.types import Code, Id, Int, Words, local_table

Hash = String(64)

peer = local_table(
    "sync_peer",
    Column("peer", Code, primary_key=True),
    Column("key_id", Code, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    # active | held (for an operator) | revoked
    Column("state", Code, nullable=False),
    Column("since_ms", Int, nullable=False),
    # what the peer named at enrolment as the root of its standards; empty for a peer that names none
    Column("standards_root", Words, nullable=False),
)

position = local_table(
    # of a peer's stream: what we hold; of our own stream: what the peer said that it holds
    "sync_position",
    Column("peer", Code, primary_key=True),
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("durable", Int, nullable=False),
    Column("hash", Hash, nullable=False),
    Column("complete_through", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
)

seal = local_table(
    # the author's signature over each batch, kept by both sides as proof; a heartbeat's only until the next
    "sync_seal",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("last", Int, primary_key=True),
    Column("kind", Code, primary_key=True),
    Column("first", Int, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("at_ms", Int, nullable=False),
)

session = local_table(
    # the one open session of each peer that called; a new hello ends the older one
    "sync_session",
    Column("peer", Code, primary_key=True),
    Column("session", Id, nullable=False),
    Column("instance", Id, nullable=False),
    Column("opened_ms", Int, nullable=False),
    Column("last_contact_ms", Int, nullable=False),
    # by the database's own clock, which also runs when the node's time is played
    Column("contact_db_ms", Int, nullable=False),
    Column("offset_ms", Int, nullable=False),
    Column("backlog", Int, nullable=False),
    # the caller's process, until the session is first used: any of the processes of this node may be asked then
    Column("boot", Id, nullable=False, server_default=""),
)

link = local_table(
    # how the line to a peer that we call stands; online | away
    "sync_link",
    Column("peer", Code, primary_key=True),
    Column("state", Code, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("last_contact_ms", Int, nullable=False),
    Column("offset_ms", Int, nullable=False),
    Column("reason", Words, nullable=False),
    # the highest time that the peer signed: our own clock below it is wrong
    Column("floor_ms", Int, nullable=False, server_default="0"),
)

sight = local_table(
    # what a peer last said of its own side of the line (a signed message, kept as JSON)
    "sync_sight",
    Column("peer", Code, primary_key=True),
    Column("sent_ms", Int, nullable=False),
    Column("received_ms", Int, nullable=False),
    Column("body", Words, nullable=False),
)

figure = local_table(
    # how a line did in one minute (grain_s 60) or hour (3600); route '' is the line as a whole
    "sync_figure",
    Column("peer", Code, primary_key=True),
    Column("route", Code, primary_key=True),
    Column("grain_s", Int, primary_key=True),
    Column("from_ms", Int, primary_key=True),
    Column("watched_ms", Int, nullable=False),
    Column("up_ms", Int, nullable=False),
    Column("calls", Int, nullable=False),
    Column("failed", Int, nullable=False),
    Column("latency_sum_us", Int, nullable=False),
    Column("latency_count", Int, nullable=False),
    Column("latency_max_us", Int, nullable=False),
    Column("bytes_up", Int, nullable=False),
    Column("bytes_down", Int, nullable=False),
    # of batches large enough to show what the line carries
    Column("bulk_bytes", Int, nullable=False),
    Column("bulk_ms", Int, nullable=False),
    # the highest of the span
    Column("backlog", Int, nullable=False),
    Column("backlog_bytes", Int, nullable=False),
    Column("oldest_age_ms", Int, nullable=False),
    # the least of the span; 0 when it was not looked at
    Column("disk_free_bytes", Int, nullable=False),
    Index("ix_sync_figure_grain_s", "grain_s", "from_ms"),
)

damage = local_table(
    # entries of copies whose bytes the disk changed, until their author has sent them again
    "sync_damage",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("seq", Int, primary_key=True),
    Column("found_ms", Int, nullable=False),
)

nightly = local_table(
    # when each nightly job last ran and what it came to; day counts from 1970 (UTC)
    "sync_nightly",
    Column("job", Code, primary_key=True),
    Column("day", Int, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("well", Boolean, nullable=False),
    Column("outcome", Words, nullable=False),
)

lease = local_table(
    "sync_lease",
    Column("name", Code, primary_key=True),
    Column("holder", Code, nullable=False),
    Column("until_db_ms", Int, nullable=False),
)

incident = local_table(
    "sync_incident",
    Column("incident_id", Id, primary_key=True),
    Column("at_ms", Int, nullable=False),
    Column("peer", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("what", Words, nullable=False),
    # info | attention | alarm
    Column("level", Code, nullable=False, server_default="alarm"),
    # what shows it: figures, hashes, messages, as text
    Column("evidence", Words, nullable=False, server_default=""),
    # a state that passed by itself ended then; None while it lasts, and for what happened once
    Column("ended_ms", Int),
    Column("acknowledged_ms", Int),
    Column("acknowledged_by", Code),
    Column("note", Words),
    Index("ix_sync_incident_at_ms", "at_ms"),
)

staged = local_table(
    # batches of our own history that the peer gave back, verified, until one transaction takes them all
    "sync_staged",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("first", Int, primary_key=True),
    Column("last", Int, nullable=False),
    Column("head", Hash, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at_ms", Int, nullable=False),
)

mark = local_table(
    # the highest numbers that a peer said it gave out: told to it again when it comes back without them
    "sync_mark",
    Column("peer", Code, primary_key=True),
    Column("name", Code, primary_key=True),
    Column("value", Int, nullable=False),
    Column("at_ms", Int, nullable=False),
)

node_key = local_table(
    # every key that a node, this one too, was ever known by: old seals are verified under old keys
    "sync_key",
    Column("node", Code, primary_key=True),
    Column("key_id", Code, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("since_ms", Int, nullable=False),
    # from this entry of its node's stream on it does not count; revoked_ms 0: it does
    Column("revoked_epoch", Code, nullable=False, server_default=""),
    Column("revoked_seq", Int, nullable=False, server_default="0"),
    Column("revoked_ms", Int, nullable=False, server_default="0"),
)

visit = local_table(
    # hellos of a peer that came from another process or life of it than the one before (sync/clones.py)
    "sync_visit",
    Column("peer", Code, primary_key=True),
    Column("number", Int, primary_key=True, autoincrement=False),
    Column("boot", Id, nullable=False),
    Column("instance", Id, nullable=False),
    Column("at_ms", Int, nullable=False),
)

accepted = local_table(
    # history of ours that an operator takes over although its seals do not verify, up to this hash
    "sync_accepted",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("hash", Hash, nullable=False),
    Column("at_ms", Int, nullable=False),
)

lost = local_table(
    # places of our own streams that existed and were not here after a restore; held_by is a peer that has them, or ''
    "sync_lost",
    Column("stream", Code, primary_key=True),
    Column("epoch", Id, primary_key=True),
    Column("first", Int, primary_key=True, autoincrement=False),
    Column("last", Int, nullable=False),
    Column("held_by", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
)

own_key_proposal = local_table(
    # a key of which one person said that it was ours, before our keys were lost; a second one has not yet
    "sync_own_key_proposal",
    Column("key_id", Code, primary_key=True),
    Column("proposed_by", Code, nullable=False),
    Column("proposed_at_ms", Int, nullable=False),
)
