"""The called side of a comparison: the author's digests against those of the rows that we made of its stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from flask import Blueprint, Flask, Response, current_app
from sqlalchemy import Connection

from shared.db.engine import picture, read
from shared.journal.digest import bucket_digests, rows_in, shape
from shared.journal.position import applied_to
from shared.journal.quarantine import count_by_state
from shared.journal.reading import hash_at, lives
from shared.node import Node
from sync.compare_messages import COMPARE, COMPARED, MEND, ROWS_MAX, Compare, Compared, Mend, RowSaid
from sync.endpoint import OCTETS, read_body
from sync.errors import BadSeal, Busy
from sync.limits import HELLO_BYTES_MAX, PROTOCOL
from sync.messages import EpochState
from sync.peers import Peer, get_by_keys
from sync.refetching import take_bytes
from sync.seal import open_signed, read_envelope, sign
from sync.transport import PATH
from sync.wanting import wanted

EXTENSION = "strandline.comparing"
LOOK_S = 0.2
RETRY_S = 20.0
"""One comparison at a time; another one waits about as long as one takes."""

door = Blueprint("compare", __name__, url_prefix=PATH.rstrip("/"))


@dataclass(frozen=True)
class CompareDesk:
    """Answers comparisons; `differs` is told the author whose rows are not the same."""

    node: Node
    differs: Callable[[str], None]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, raw: bytes) -> bytes:
        """Compare, once we stand where the author stands. BadSeal, PeerHeld, Malformed, Busy."""
        envelope = read_envelope(raw)
        with read(self.node.engine) as conn:
            peer = get_by_keys(conn, [s.keyid for s in envelope.signatures])
        if envelope.payloadType == MEND:
            return self._take(raw, peer)
        asked = open_signed(raw, COMPARE, Compare, peer.trusted, self.node.code)
        if asked.node != peer.code or asked.stream != peer.code:
            raise BadSeal("sync.not_its_stream", f"{peer.code} compares stream {asked.stream} as {asked.node}.")
        if not self.lock.acquire(blocking=False):
            error = Busy("sync.comparing", "Another comparison is under way.")
            error.after_s = RETRY_S
            raise error
        try:
            found = self._compare(asked)
        finally:
            self.lock.release()
        if found.answer == "different":
            self.differs(peer.code)
        return sign(self.node.key, COMPARED, found)

    def _take(self, raw: bytes, peer: Peer) -> bytes:
        """Bytes of an entry that are damaged here: of the peer's own stream, or of ours to it."""
        sent = open_signed(raw, MEND, Mend, peer.trusted, self.node.code)
        if sent.node != peer.code:
            raise BadSeal("sync.wrong_author", f"{peer.code} signed as {sent.node}.")
        stream = sent.stream or peer.code
        if stream not in (peer.code, f"{self.node.code}>{peer.code}"):
            raise BadSeal("sync.not_its_stream", f"{peer.code} sends entries of stream {stream}.")
        taken = take_bytes(self.node, stream, sent.place.epoch, sent.place.seq, sent.fact)
        return sign(self.node.key, COMPARED, self._say(sent, answer="taken" if taken else "not_needed"))

    def _compare(self, asked: Compare) -> Compared:
        if asked.shape != shape():
            return self._say(asked, answer="other_shape")
        end = time.monotonic() + asked.wait_ms / 1000
        while True:
            with picture(self.node.engine) as conn:
                if is_level(conn, asked.epochs):
                    return self._judge(conn, asked)
            if time.monotonic() > end:
                return self._say(asked, answer="not_level")
            time.sleep(LOOK_S)

    def _judge(self, conn: Connection, asked: Compare) -> Compared:
        if sum(count_by_state(conn, asked.stream).values()):
            return self._say(asked, answer="set_aside")
        ours = bucket_digests(conn, asked.stream)
        differing = tuple(at for at, (mine, its) in enumerate(zip(ours, asked.buckets, strict=True)) if mine != its)
        rows: list[RowSaid] = []
        for row in rows_in(conn, asked.stream, set(asked.want)) if asked.want else ():
            rows.append(RowSaid(row.table, row.key, row.digest))
            if len(rows) > ROWS_MAX:
                break
        return self._say(
            asked,
            answer="different" if differing else "same",
            differing=differing,
            rows=tuple(rows[:ROWS_MAX]),
            cut=len(rows) > ROWS_MAX,
        )

    def _say(self, asked: Compare | Mend, **words: object) -> Compared:
        with read(self.node.engine) as conn:
            damaged, down = wanted(conn, asked.node), wanted(conn, f"{self.node.code}>{asked.node}")
        return Compared(
            proto=PROTOCOL,
            node=self.node.code,
            audience=asked.node,
            sent_ms=self.node.clock.now_ms(),
            nonce=asked.nonce,
            damaged=damaged,
            down=down,
            **words,  # type: ignore[arg-type]
        )


def is_level(conn: Connection, epochs: tuple[EpochState, ...]) -> bool:
    """Whether exactly these entries of a stream are held and applied here, epoch by epoch, with these hashes."""
    if not epochs:
        return False
    stream = epochs[0].stream
    known = {life.epoch for life in lives(conn, stream)}
    said = {state.epoch: state for state in epochs}
    if any(applied_to(conn, stream, epoch) for epoch in known - said.keys()):
        return False
    return all(
        applied_to(conn, stream, state.epoch) == state.seq
        and hash_at(conn, stream, state.epoch, state.seq) == state.hash
        for state in epochs
    )


def install_comparing(app: Flask, node: Node, differs: Callable[[str], None]) -> None:
    """Let this application answer comparisons for the node."""
    app.extensions[EXTENSION] = CompareDesk(node, differs)


@door.post("/compare")
def compare() -> Response:
    """One comparison."""
    desk = cast(CompareDesk, current_app.extensions[EXTENSION])
    return Response(desk.answer(read_body(HELLO_BYTES_MAX)), mimetype=OCTETS)
