"""Writing bundles: what a peer lacks of our stream to it as far as we know, and what we hold of its streams.

What the peer lacks is counted from its last receipt, whichever way that came. So an export can be repeated at any
time: until a receipt comes back, the next one starts at the same place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from shared.db.engine import read, write
from shared.errors import NotFound, Refused
from shared.ids import random_key
from shared.journal.highest import NoValues, Values
from shared.journal.life import Identity, get_identity
from shared.node import Node
from sync import marks
from sync.anchoring import cover_beside
from sync.bundles.book import enter
from sync.bundles.file import PARTS_MAX, Head, Part, make_part, write_file
from sync.errors import PeerHeld
from sync.limits import PROTOCOL
from sync.messages import EpochState
from sync.outgoing import Addressed, Limit, Run, Sealed, empty_run, promise, read_run, seal_run, states
from sync.peers import ACTIVE, find_peer, list_peers
from sync.positions import Span, missing
from sync.understanding import fact_versions


@dataclass(frozen=True)
class Road:
    """From this node to a peer: our stream that the peer reads, what bounds the promise of completeness, and the
    business numbers given out by now."""

    node: Node
    peer: str
    stream: str
    limit: Limit
    numbers: Values = field(default_factory=NoValues)

    @property
    def streams_back(self) -> tuple[str, str]:
        """The peer's streams that this node may hold."""
        return self.peer, f"{self.peer}>{self.node.code}"


@dataclass(frozen=True)
class Written:
    """One file of an export."""

    file: Path
    head: Head
    size: int


@dataclass
class _Left:
    """What is still to be written in this export: the heads as they were at its start, less what was written."""

    heads: tuple[EpochState, ...]
    held: dict[tuple[str, str], EpochState]

    def spans(self) -> tuple[Span, ...]:
        return missing(self.heads, self.held.values())

    def written(self, run: Run) -> None:
        self.held[run.stream, run.epoch] = EpochState(run.stream, run.epoch, run.last, run.head)


def road_up(node: Node, limit: Limit, numbers: Values | None = None) -> Road:
    """From a plant to its hub. Refused before it was enrolled."""
    with read(node.engine) as conn:
        peers = list_peers(conn)
    if not peers:
        raise Refused("bundle.not_enrolled", f"{node.code} is not enrolled.", todo="Enrol it first.")
    return Road(node, peers[0].code, node.code, limit, numbers or NoValues())


def road_down(node: Node, code: str) -> Road:
    """From the hub to one of its plants. NotFound for a stranger, PeerHeld for one that may not speak."""
    with read(node.engine) as conn:
        peer = find_peer(conn, code)
    if peer is None:
        raise NotFound("bundle.no_peer", f"No plant {code} is enrolled here.", todo="Check the code.")
    if peer.state != ACTIVE:
        raise PeerHeld("sync.peer_held", f"{code} is {peer.state} here.", todo="Release it first.")
    return Road(node, code, f"{node.code}>{code}", lambda: None)


def export(road: Road, target: Path) -> list[Written]:
    """Write as many files as it takes: target, target-2, ... each within sync.bundle_bytes_max.

    At least one: without news it carries the watermark and our receipts. BadSetup where it cannot be written.
    """
    with read(road.node.engine) as conn:
        held = marks.list_holdings(conn, road.peer, [road.stream])
        left = _Left(states(conn, road.stream), {(state.stream, state.epoch): state for state in held})
    files: list[Written] = []
    while not files or left.spans():
        number = len(files) + 1
        name = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
        files.append(_write_one(road, name, number, left))
    return files


def _write_one(road: Road, target: Path, number: int, left: _Left) -> Written:
    node, session = road.node, random_key()
    with read(node.engine) as conn:
        identity = _identity(conn, node.code)
        epochs, copies = states(conn, road.stream), marks.list_holdings(conn, road.peer, road.streams_back)
    to = Addressed(node.code, road.peer, identity.incarnation, session, node.key)
    with tempfile.TemporaryFile() as batches:
        parts = tuple(_fill(road, to, left, batches))
        head = Head(
            proto=PROTOCOL,
            node=node.code,
            audience=road.peer,
            sent_ms=node.clock.now_ms(),
            bundle=session,
            instance=identity.instance,
            incarnation=identity.incarnation,
            epochs=epochs,
            copies=copies,
            facts=fact_versions(),
            parts=parts,
            number=number,
            more=bool(left.spans()),
        )
        size = write_file(target, node.key, head, batches)
    with write(node.engine) as conn:
        enter(conn, head, "out", road.peer, node.clock.now_ms(), 0, size, "whole")
    return Written(target, head, size)


def _identity(conn: Connection, code: str) -> Identity:
    """Only a start begins a life; a command beside it must not."""
    try:
        return get_identity(conn)
    except KeyError as error:
        raise Refused(
            "bundle.never_started", f"{code} was never started: it has nothing to say yet.", todo="Run it once."
        ) from error


def _fill(road: Road, to: Addressed, left: _Left, batches: IO[bytes]) -> Iterator[Part]:
    """Seal batch after batch until all is in or the file is full; a heartbeat alone when there is nothing."""
    bytes_max, count = road.node.settings.sync.bundle_bytes_max, 0
    while not count or (left.spans() and count < PARTS_MAX and batches.tell() < bytes_max):
        sealed = _seal_next(road, to, left)
        batches.write(sealed.body)
        mine, count = sealed.seal, count + 1
        yield make_part(mine.stream, mine.epoch, mine.first, mine.last, sealed.body)


def _seal_next(road: Road, to: Addressed, left: _Left) -> Sealed:
    """The next batch; the transactions are short, so that exporting does not hold up whoever records."""
    node, spans = road.node, left.spans()
    sync, now = node.settings.sync, node.clock.now_ms()
    with read(node.engine) as conn:
        run = read_run(conn, spans[0], sync.batch_entries_max, sync.batch_bytes_max) if spans else None
    with write(node.engine) as conn:
        found = run or empty_run(conn, road.stream)
        through = promise(conn, found, now, road.limit)
        counters = road.numbers.read(conn)
    sealed = seal_run(found, through, to, now, counters)
    cover_beside(node, sealed.seal)
    if run is not None:
        with write(node.engine) as conn:
            marks.keep_own_seal(conn, sealed, now)
        left.written(run)
    return sealed
