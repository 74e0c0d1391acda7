"""Reading bundles. Everything is checked before anything is stored; then batch after batch, as if pushed.

A bundle has no live session: its batches are sealed in a session of their own, named by the signed head, that no desk
ever opened, so none of them passes for a push nor a push for one of them. How old the file is does not matter: the
chain decides what of it is new, and a gap or a fork stops where it is found (docs/decisions/0010).

A file that was cut short is taken as far as its batches are whole: each is sealed by itself, and what is here need
not travel again. A file that was changed is refused whole: whoever changed it may have had a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from shared.db.engine import read, write
from shared.errors import Refused
from shared.node import Node
from sync.bundles.book import believe, enter
from sync.bundles.file import BUNDLE, COPY_AGAIN, NOTHING, Cut, Head, Part, read_batches, read_head
from sync.errors import BadSeal, Malformed, OutOfStep, SyncError, WrongProtocol
from sync.incoming import Batch, Held, check_stream, store, unpack
from sync.limits import PROTOCOL, PROTOCOL_OLDEST
from sync.meeting import keep_marks
from sync.outgoing import states
from sync.pack import split
from sync.peers import Peer, get_by_keys, open_incident
from sync.positions import ahead
from sync.seal import open_seal, open_signed, read_envelope


@dataclass(frozen=True)
class Taken:
    """What a bundle came to.

    whole      batches that are whole in the file, of len(head.parts)
    good_bytes how far the file is good
    outcome    whole | cut | gap | fork | superseded; where the chain stopped it nothing further was stored
    stopped    the position where the chain stopped it, or None
    """

    head: Head
    whole: int
    good_bytes: int
    new_entries: int
    outcome: str
    stopped: Held | None


@dataclass(frozen=True)
class _Opened:
    """A bundle whose every byte was checked as far as the file goes."""

    peer: Peer
    head: Head
    start: int
    whole: int
    good_bytes: int


def take(node: Node, source: IO[bytes]) -> Taken:
    """Check a bundle and store what is new of it; `source` must be seekable. Any SyncError: nothing was done.

    Safe to repeat, in any order with others, beside a running node and after a crash in the middle.
    """
    opened = _check(node, source)
    head, peer = opened.head, opened.peer
    _believe(node, opened)
    source.seek(opened.start)
    new, stopped = 0, None
    for _, batch in _batches(node, opened.peer, head, source):
        held = _store(node, peer, batch)
        new += held.new_entries
        if held.answer != "stored":
            stopped = held
            break
    outcome = stopped.answer if stopped else "whole" if opened.whole == len(head.parts) else "cut"
    with write(node.engine) as conn:
        enter(conn, head, "in", peer.code, node.clock.now_ms(), new, opened.good_bytes, outcome)
    return Taken(head, opened.whole, opened.good_bytes, new, outcome, stopped)


def _check(node: Node, source: IO[bytes]) -> _Opened:
    """Verify head, batches, seals and chains up to the end of the file, storing nothing."""
    try:
        peer, head = open_head(node, source, BUNDLE)
        start = good = source.tell()
        whole = 0
        for part, _ in _batches(node, peer, head, source):
            whole, good = whole + 1, good + part.size
    except SyncError as error:
        error.kept = NOTHING
        raise
    return _Opened(peer, head, start, whole, good)


def open_head(node: Node, source: IO[bytes], kind: str) -> tuple[Peer, Head]:
    """The peer that signed a file of this kind, and its head; leaves the source at the first batch. Any SyncError."""
    envelope = read_head(source)
    with read(node.engine) as conn:
        peer = get_by_keys(conn, [s.keyid for s in read_envelope(envelope).signatures])
    head = open_signed(envelope, kind, Head, peer.trusted, node.code)
    _check_head(node, peer, head)
    return peer, head


def _check_head(node: Node, peer: Peer, head: Head) -> None:
    if head.node != peer.code:
        raise BadSeal("bundle.wrong_author", f"{peer.code} signed a bundle as {head.node}.")
    if not PROTOCOL_OLDEST <= head.proto <= PROTOCOL:
        raise WrongProtocol(
            "sync.protocol",
            f"The bundle speaks protocol {head.proto}, this node {PROTOCOL_OLDEST}-{PROTOCOL}.",
            todo="Upgrade the older of the two.",
        )
    theirs, ours = {peer.code, f"{peer.code}>{node.code}"}, {node.code, f"{node.code}>{peer.code}"}
    if {state.stream for state in head.epochs} - theirs or {state.stream for state in head.copies} - ours:
        raise BadSeal("bundle.not_its_stream", f"The bundle of {peer.code} speaks of streams that are not its own.")


def _batches(node: Node, peer: Peer, head: Head, source: IO[bytes]) -> Iterator[tuple[Part, Batch]]:
    for part, body in read_batches(source, head):
        envelope, frame = split(body)
        seal = open_seal(envelope, peer.trusted, node.code)
        check_stream(seal, peer.code, node.code)
        named = (part.stream, part.epoch, part.first, part.last, head.bundle, head.incarnation)
        if (seal.stream, seal.epoch, seal.first, seal.last, seal.session, seal.incarnation) != named:
            raise Malformed("bundle.foreign_batch", "A batch was sealed for another bundle.", todo=COPY_AGAIN)
        yield part, unpack(seal, envelope, frame)


def _believe(node: Node, opened: _Opened) -> None:
    head, peer, now = opened.head, opened.peer, node.clock.now_ms()
    streams = (node.code, f"{node.code}>{peer.code}")
    with write(node.engine) as conn:
        believe(conn, peer.code, streams, head, now)
        enter(conn, head, "in", peer.code, now, 0, opened.good_bytes, "cut")
        mine = tuple(state for stream in streams for state in states(conn, stream))
        for state in ahead(mine, head.copies):
            what = f"{peer.code} holds {state.stream} {state.epoch} up to {state.seq}, we do not."
            open_incident(conn, node.clock, peer.code, "behind", what)


def _store(node: Node, peer: Peer, batch: Batch) -> Held:
    seal = batch.seal
    try:
        with write(node.engine) as conn:
            held = store(conn, batch, node.clock.now_ms())
            keep_marks(conn, peer.code, seal.counters, node.clock.now_ms())
            for fact_id in held.taken:
                what = f"{fact_id} came with other bytes; the first stay"
                open_incident(conn, node.clock, peer.code, "same_id", what)
            if held.answer in ("fork", "superseded"):
                where = f"{seal.stream} {seal.epoch} at {seal.first}"
                open_incident(conn, node.clock, peer.code, held.answer, where)
    except OutOfStep:  # the epoch grew from entries that are not here: the file before this one has them
        return Held("gap", 0, "", 0)
    return held


def tell(taken: Taken) -> str:
    """What a bundle that was taken whole brought, in a sentence; for any other the error that says why and what to do.

    Raises Cut or Refused.
    """
    head = taken.head
    came = f"{taken.new_entries} new facts of {head.node} were taken."
    if taken.stopped is not None and taken.outcome == "superseded":
        raise Refused(
            "bundle.superseded",
            f"The bundle is from a life of {head.node} that ended before entry {taken.stopped.durable + 1}: "
            f"{head.node} was restored to an older state since.",
            kept=came,
            todo="Keep the file: it may hold the only copy of what was lost. An incident is open.",
        )
    if taken.stopped is not None and taken.outcome == "fork":
        raise Refused(
            "bundle.fork",
            f"The bundle contradicts what is held here of {head.node} after entry {taken.stopped.durable}.",
            kept=came,
            todo="An incident is open: one of the two was restored from a backup, or runs twice.",
        )
    if taken.stopped is not None:
        raise Refused(
            "bundle.gap",
            f"The bundle begins after entries that are missing here; {head.node} is held up to {taken.stopped.durable}.",
            kept=came,
            todo=f"Read the earlier file first, or carry a bundle of this node to {head.node} and export there again.",
        )
    if taken.outcome == "cut":
        raise Cut(
            "bundle.cut",
            f"The file ends early: {taken.whole} of {len(head.parts)} batches are whole, "
            f"good up to byte {taken.good_bytes}.",
            kept=came,
            todo=COPY_AGAIN,
        )
    return came
