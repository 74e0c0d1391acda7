"""The called side takes back what it once sent to a reader and has lost since: its own entries, sealed by itself.

A batch counts when it was signed with a key that was this node's. It waits beside the journal until all of its epoch is
here; then one transaction puts the entries where they stood and gives this node's own facts among them a place in its
own stream again (restoring.py). Signed with a key that this node does not know (its keys were lost with its disk), the
batch waits until two people have said that the key was ours (sync/own_keys.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select

from shared.clock import Clock
from shared.db.engine import read, write
from shared.journal.apply import Appliers
from shared.journal.reading import hash_at, last_entry
from shared.keys import SigningKey, fingerprint
from sync.errors import BadSeal, Malformed
from sync.incoming import unpack
from sync.limits import PROTOCOL
from sync.pack import split
from sync.peers import get_by_keys, keys_of, open_incident
from sync.restoring import put_back
from sync.return_messages import RETURN, TAKEN, Return, Taken
from sync.seal import digest, open_seal, open_signed, read_envelope, sign
from sync.staging import clear
from sync.tables import staged


@dataclass(frozen=True)
class TakingBack:
    """Answers readers that have more of our stream to them than we do."""

    code: str
    engine: Engine
    clock: Clock
    key: SigningKey
    appliers: Appliers

    def take(self, raw: bytes) -> bytes:
        """Keep what is proved to be ours; says how far the epoch is here. BadSeal, PeerHeld, Malformed."""
        envelope, batch = split(raw)
        with read(self.engine) as conn:
            peer = get_by_keys(conn, [s.keyid for s in read_envelope(envelope).signatures])
        said = open_signed(envelope, RETURN, Return, peer.trusted, self.code)
        if said.node != peer.code or said.stream != f"{self.code}>{peer.code}":
            raise BadSeal("sync.not_its_stream", f"{peer.code} gave back stream {said.stream} as {said.node}.")
        if (digest(batch) if batch else None) != said.batch:
            raise Malformed("sync.tampered", "What came is not what was signed for.")
        with write(self.engine) as conn:
            if batch:
                self._keep(conn, said, raw, batch)
            upto = _have(conn, said.stream, said.epoch)
        return self._answer(said, upto)

    def _keep(self, conn: Connection, said: Return, raw: bytes, body: bytes) -> None:
        head, frame = split(body)
        known = keys_of(conn, self.code)
        seal = open_seal(head, {**said.known_by, **known}, said.node)
        if (seal.node, seal.stream, seal.epoch, seal.kind) != (self.code, said.stream, said.epoch, "batch"):
            raise BadSeal("sync.not_its_stream", f"A batch of {seal.stream} {seal.epoch} came for {said.epoch}.")
        place = _have(conn, said.stream, said.epoch)
        if not seal.first <= place + 1 <= seal.last:
            return  # it came twice, or something was lost: the answer says where to go on
        batch = unpack(seal, head, frame)
        before = seal.prev if place == seal.first - 1 else batch.entries[place - seal.first].hash
        if before != _hash_of(conn, said.stream, said.epoch, place):
            clear(conn, said.stream, said.epoch)  # our own entries are others by now: from the first one again
            return
        row = {"stream": said.stream, "epoch": said.epoch, "first": place + 1, "last": seal.last, "head": seal.head}
        conn.execute(insert(staged).values(**row, body=raw, at_ms=self.clock.now_ms()))
        if seal.last < said.upto:
            return
        if seal.key in known:
            put_back(conn, self.code, self.clock, self.appliers)
        else:
            self._tell_unknown(conn, said, seal.key)

    def _tell_unknown(self, conn: Connection, said: Return, key: str) -> None:
        print_of = fingerprint(said.known_by[key])
        what = (
            f"{said.node} holds {said.upto} entries that {self.code} once sent it and has lost, signed with a key that "
            f"is not known here. If {print_of} was the fingerprint of {self.code}, two people say so: "
            f"strandline hub history accept {print_of}"
        )
        open_incident(conn, self.clock, said.node, "own_history_waits", what, level="attention", evidence=key)

    def _answer(self, said: Return, upto: int) -> bytes:
        taken = Taken(
            proto=PROTOCOL,
            node=self.code,
            audience=said.node,
            sent_ms=self.clock.now_ms(),
            stream=said.stream,
            epoch=said.epoch,
            upto=upto,
            nonce=said.nonce,
        )
        return sign(self.key, TAKEN, taken)


def _have(conn: Connection, stream: str, epoch: str) -> int:
    """How far an epoch is here, in the journal or waiting."""
    c = staged.c
    waiting = select(c.last).where(c.stream == stream, c.epoch == epoch).order_by(c.last.desc()).limit(1)
    return max(last_entry(conn, stream, epoch)[0], conn.execute(waiting).scalar() or 0)


def _hash_of(conn: Connection, stream: str, epoch: str, place: int) -> str | None:
    c = staged.c
    waiting = select(c.head).where(c.stream == stream, c.epoch == epoch, c.last == place)
    return hash_at(conn, stream, epoch, place) or conn.execute(waiting).scalar()
