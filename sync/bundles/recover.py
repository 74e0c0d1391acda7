"""A restored node takes its own history back from files: the same recovery as over a line, with the peer's answers
looked up in what was carried.

Everything is checked before anything is done. The files say what the peer held when they were written; where it holds
more by now, the next contact shows it, and the same is done again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.db.engine import read
from shared.errors import BadSetup, Refused
from shared.node import Node
from sync.bundles.file import COPY_AGAIN, HISTORY, NOTHING, Cut, Head, read_batches
from sync.bundles.take import open_head
from sync.caller import Caller, Session
from sync.errors import Unreachable
from sync.incoming import unpack
from sync.messages import Seal
from sync.outgoing import states
from sync.pack import split
from sync.peers import Peer
from sync.seal import parse, payload_of, read_envelope


@dataclass(frozen=True)
class Lying:
    """Where in a file a batch lies, and which entries it holds."""

    first: int
    last: int
    file: Path
    start: int
    size: int


@dataclass(frozen=True)
class Carried:
    """What files of one answer hold: the batches of each epoch in order."""

    peer: Peer
    head: Head
    batches: dict[str, list[Lying]]

    def find(self, epoch: str, place: int) -> bytes:
        """The batch with this entry. Refused where it was not carried."""
        found = self.batches.get(epoch, [])
        at = bisect_right(found, place, key=lambda batch: batch.first) - 1
        if at < 0 or found[at].last < place:
            raise Refused(
                "bundle.not_carried",
                f"Entry {place} of epoch {epoch} is not in the files.",
                kept=NOTHING,
                todo=f"Have {self.peer.code} write all of it: sync history --whole.",
            )
        with found[at].file.open("rb") as source:
            source.seek(found[at].start)
            return source.read(found[at].size)


class NoLine:
    """The way to a peer that nobody can call."""

    def send(self, _door: str, _body: bytes) -> bytes:
        """Unreachable, always."""
        raise Unreachable("bundle.no_line", "What was carried holds all that the peer says.")


@dataclass(frozen=True, kw_only=True)
class CarriedCaller(Caller):
    """A caller whose peer is a set of files."""

    carried: Carried = field()

    def session(self) -> Session:
        """What a hello would have brought."""
        with read(self.engine) as conn:
            said = states(conn, self.code)
        head = self.carried.head
        return Session(head.bundle, head.incarnation, said, head.copies, ("history",), head.counters, ())

    def probe(self, session: Session, epoch: str, places: Sequence[int]) -> tuple[str, ...]:
        """The peer's copy of our chain at these places. Refused."""
        return tuple(self._hash(epoch, place) for place in places)

    def history(self, session: Session, epoch: str, after: int, stream: str = "") -> bytes:
        """The batch that follows a place. Refused."""
        return self.carried.find(epoch, after + 1)

    def _hash(self, epoch: str, place: int) -> str:
        envelope, frame = split(self.carried.find(epoch, place))
        batch = unpack(parse(payload_of(read_envelope(envelope)), Seal), envelope, frame)
        return batch.entries[place - batch.seal.first].hash


def recover(
    node: Node, files: Sequence[Path], settle: Callable[[CarriedCaller, Session], bool]
) -> tuple[Carried, bool]:
    """Take back what the files hold of this node's own history; whether that changed anything.

    settle  the recovery of a node that nobody else works on. Cut, Malformed, BadSeal, Refused, Unproven:
            nothing was changed.
    """
    carried = open_carried(node, files)
    caller = CarriedCaller(
        node.code,
        carried.peer,
        node.engine,
        node.clock,
        node.key,
        NoLine(),
        lambda: None,
        node.settings.sync.batch_bytes_max,
        carried=carried,
    )
    return carried, settle(caller, caller.session())


def open_carried(node: Node, files: Sequence[Path]) -> Carried:
    """Check every byte of the files of one answer. Cut, Malformed, BadSeal, Refused."""
    read_ones = [_read(node, file) for file in files]
    heads = sorted((one.head for one in read_ones), key=lambda head: head.number)
    numbers = [head.number for head in heads]
    if len({head.bundle for head in heads}) != 1 or numbers != list(range(1, len(heads) + 1)) or heads[-1].more:
        raise Refused(
            "bundle.incomplete",
            "These are not the files of one answer from its first to its last.",
            kept=NOTHING,
            todo="Name all files that sync history wrote, and no other.",
        )
    batches: dict[str, list[Lying]] = {}
    for one in sorted(read_ones, key=lambda one: one.head.number):
        for epoch, found in one.batches.items():
            batches.setdefault(epoch, []).extend(found)
    return Carried(read_ones[0].peer, heads[0], batches)


def _read(node: Node, file: Path) -> Carried:
    try:
        with file.open("rb") as source:
            peer, head = open_head(node, source, HISTORY)
            batches, at, count = dict[str, list[Lying]](), source.tell(), 0
            for part, body in read_batches(source, head):
                batches.setdefault(part.epoch, []).append(Lying(part.first, part.last, file, at, part.size))
                at, count = at + len(body), count + 1
    except OSError as error:
        raise BadSetup(
            "bundle.unreadable", f"{file} cannot be read: {error.strerror}.", todo="Name the file on the stick."
        ) from error
    if count < len(head.parts):
        what = f"{file} ends early: {count} of {len(head.parts)} batches are whole."
        raise Cut("bundle.cut", what, kept=NOTHING, todo=COPY_AGAIN)
    return Carried(peer, head, batches)
