"""The calling side of a comparison: are our rows and the hub's copy of them the same, and if not, which are wrong?

What an author recorded is applied by the same code at both sides, so at the same place of the stream the rows are the
same, or rows of one side are not what its own journal says (a bad disk, a hand in the database, a fault mended since).
Each side then makes the author's rows again beside the real ones and puts right what differs, naming every row in an
incident. If neither finds anything and they still differ, the two releases make different rows of the same facts.

Pushing pauses while digests are made and compared, or the hub would be past the place before it has looked; recording
goes on. Without the pause (from another process) a plant that records all the time may be asked to try again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.db.engine import picture, write
from shared.ids import random_key
from shared.journal.digest import bucket_digests, rows_in, shape
from shared.journal.rederive import Difference
from shared.node import Node
from sync import marks
from sync.compare_messages import BUCKETS_WANTED_MAX, COMPARE, COMPARED, MEND, Compare, Compared, Mend, Place
from sync.errors import OutOfStep, SyncError, Unreachable
from sync.limits import PROTOCOL
from sync.messages import EpochState
from sync.outgoing import states
from sync.pausing import PausableWay
from sync.peers import Peer, list_peers, open_incident
from sync.positions import waiting
from sync.put_right import NAMED_MAX, put_right_and_tell
from sync.refetching import find_sound
from sync.seal import open_signed, sign
from sync.transport import Transport

TRIES = 10
TRY_AGAIN_S = 2.0
WAIT_MS = 20_000
"""How long the hub may take to apply what it holds before it compares: below the read time-out of the call."""


@dataclass(frozen=True)
class Comparison:
    """What came of one comparison. rows: (table, key) that the two sides have differently, as far as they were named;
    mended: what was wrong here."""

    answer: str
    buckets: int = 0
    rows: tuple[tuple[str, str], ...] = ()
    mended: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        words = {
            "same": "The hub's rows of this plant are the same as here.",
            "not_level": "Not compared: facts are still on their way or being applied. Try again.",
            "other_shape": "Not compared: the hub's release makes other columns than this one.",
            "set_aside": "Not compared: the hub has set facts of this plant aside; mend those first.",
        }
        if self.answer in words:
            return words[self.answer]
        named = "".join(f"\n  {table} {key}" for table, key in self.rows)
        mended = "".join(f"\n  {item}" for item in self.mended)
        return (
            f"{self.buckets} of 256 buckets differ. Rows:{named or ' not named, facts were recorded meanwhile'}\n"
            f"Mended here from the journal:{mended or ' nothing, our rows are what the journal says'}\n"
            "The hub makes its rows again as well; compare once more in a minute."
        )


class Comparing:
    """Compares a node's own rows with its peer's copy."""

    def __init__(self, node: Node, way: Transport) -> None:
        self._node = node
        self._way = way if isinstance(way, PausableWay) else PausableWay(way)

    def compare(self) -> Comparison:
        """Compare, name the rows, and put right what is wrong here. SyncError when the peer does not answer."""
        with picture(self._node.engine) as conn:
            peers = list_peers(conn)
        if not peers:
            raise SyncError("sync.no_peer", f"{self._node.code} is enrolled nowhere.", todo="Enrol it first.")
        found = self._ask_until_level(peers[0])
        if found is not None:
            self._send_again(peers[0], found)
        if found is None or found.answer != "different":
            return Comparison(found.answer if found else "not_level")
        rows = self._name_rows(peers[0], found)
        mended = put_right_and_tell(self._node, self._node.code)
        return Comparison(found.answer, len(found.differing), rows, tuple(mended))

    def nightly(self) -> str:
        """The same, as a job: OutOfStep when the rows are still not the same after both sides looked at their own."""
        found = self.compare()
        for _ in range(TRIES):
            if found.answer != "different":
                return str(found)
            time.sleep(TRY_AGAIN_S)
            found = self.compare()
        what = f"{found.buckets} buckets of {self._node.code} differ though each side holds what its journal says."
        with write(self._node.engine) as conn:
            open_incident(conn, self._node.clock, self._node.code, "digest", f"{what} {found.rows[:NAMED_MAX]}")
        raise OutOfStep("sync.rows_differ", what)

    def _ask_until_level(self, peer: Peer) -> Compared | None:
        for attempt in range(TRIES):
            if attempt:
                time.sleep(TRY_AGAIN_S)
            with self._way.paused():
                asked = self._digests(peer)
                if asked is None:
                    continue
                found = self._send(peer, asked)
            if found.answer != "not_level":
                return found
        return None

    def _digests(self, peer: Peer, want: tuple[int, ...] = ()) -> Compare | None:
        """Our digests where all that we recorded is held by the peer; None when something is still on its way."""
        node = self._node
        with picture(node.engine) as conn:
            epochs = states(conn, node.code)
            if not epochs or waiting(epochs, marks.list_holdings(conn, peer.code, [node.code])):
                return None
            return self._asking(conn, peer, epochs, want)

    def _asking(self, conn: Connection, peer: Peer, epochs: tuple[EpochState, ...], want: tuple[int, ...]) -> Compare:
        node = self._node
        return Compare(
            proto=PROTOCOL,
            node=node.code,
            audience=peer.code,
            sent_ms=node.clock.now_ms(),
            stream=node.code,
            epochs=epochs,
            shape=shape(),
            buckets=bucket_digests(conn, node.code),
            want=want,
            wait_ms=WAIT_MS,
            nonce=random_key(),
        )

    def _send_again(self, peer: Peer, found: Compared) -> None:
        """The bytes of entries that the peer's disk changed, of our stream and of its own to us, and of those that it
        names next, until there are no more."""
        for own, stream in ((True, self._node.code), (False, f"{peer.code}>{self._node.code}")):
            asked, places = set[Place](), found.damaged if own else found.down
            while fresh := [place for place in places if place not in asked]:
                asked.update(fresh)
                after = self._send_places(peer, stream, fresh)
                places = () if after is None else after.damaged if own else after.down

    def _send_places(self, peer: Peer, stream: str, places: Sequence[Place]) -> Compared | None:
        """Send what of it is sound here; returns the peer's last answer, which says what it wants after that."""
        node = self._node
        with picture(node.engine) as conn:
            sound = find_sound(conn, stream, places)
        answer: Compared | None = None
        for place, body in sound:
            again = Mend(
                proto=PROTOCOL,
                node=node.code,
                audience=peer.code,
                sent_ms=node.clock.now_ms(),
                place=place,
                stream="" if stream == node.code else stream,
                fact=body,
                nonce=random_key(),
            )
            answer = self._send(peer, again)
        return answer

    def _send(self, peer: Peer, asked: Compare | Mend) -> Compared:
        kind = COMPARE if isinstance(asked, Compare) else MEND
        answer = self._way.send("compare", sign(self._node.key, kind, asked))
        found = open_signed(answer, COMPARED, Compared, peer.trusted, self._node.code)
        if found.nonce != asked.nonce or found.node != peer.code:
            raise Unreachable("sync.foreign_answer", "The comparison answers another question.")
        return found

    def _name_rows(self, peer: Peer, found: Compared) -> tuple[tuple[str, str], ...]:
        """Which rows of the differing buckets are not the same, where both sides still stand at one place."""
        want = found.differing[:BUCKETS_WANTED_MAX]
        with self._way.paused():
            asked = self._digests(peer, want)
            its = self._send(peer, asked) if asked else None
        if asked is None or its is None or its.answer != "different":
            return ()
        with picture(self._node.engine) as conn:
            if states(conn, self._node.code) != asked.epochs:
                return ()
            ours = {(row.table, row.key): row.digest for row in rows_in(conn, self._node.code, set(want))}
        theirs = {(row.table, row.key): row.digest for row in its.rows}
        keys = ours.keys() & theirs.keys() if its.cut else ours.keys() | theirs.keys()
        return tuple(sorted(key for key in keys if ours.get(key) != theirs.get(key)))[:NAMED_MAX]
