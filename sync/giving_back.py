"""The calling side gives its peer back what that has lost of its own stream to us: the batches, as it once sealed them.

After a hello, when our copy of the peer's stream goes further than the peer itself. What comes of it there is the
peer's affair (sync/taking_back.py); a refusal is noted and holds up nothing of our own.
"""

from __future__ import annotations

from shared.db.engine import read
from shared.ids import random_key
from shared.journal.reading import lives
from shared.logs import get
from sync import marks
from sync.caller import Caller, Session
from sync.errors import SyncError, Unreachable
from sync.limits import BEFORE_MAX, PROTOCOL
from sync.messages import EpochState
from sync.pack import put_behind
from sync.peers import keys_of
from sync.positions import ahead
from sync.return_messages import CAN_TAKE_BACK, KEYS_MAX, RETURN, TAKEN, Return, Taken
from sync.returning import find_batch
from sync.seal import digest, open_signed, sign

log = get("giving back")


def give_back(caller: Caller, session: Session) -> int:
    """Send what the peer lacks of its own stream; returns how many batches went over."""
    if CAN_TAKE_BACK not in session.can:
        return 0
    with read(caller.engine) as conn:
        copies = marks.list_holdings(conn, caller.peer.code, [caller.stream_down])
    sent = 0
    for copy in ahead(session.theirs, copies):
        try:
            sent += _give_epoch(caller, copy)
        except SyncError as error:
            log.warning("the peer's own history was not given back", epoch=copy.epoch, reason=str(error)[:300])
    return sent


def _give_epoch(caller: Caller, copy: EpochState) -> int:
    place, sent = _ask(caller, copy, None), 0
    while place < copy.seq:
        with read(caller.engine) as conn:
            batch = find_batch(conn, copy.stream, copy.epoch, place)
        now = _ask(caller, copy, batch)
        if now <= place:
            break
        place, sent = now, sent + 1
    return sent


def _ask(caller: Caller, copy: EpochState, batch: bytes | None) -> int:
    """Hand one batch over, or only ask; returns how far the peer is then. SyncError."""
    with read(caller.engine) as conn:
        keys = tuple(key.hex() for key in keys_of(conn, caller.peer.code).values())
        order = [life.epoch for life in lives(conn, copy.stream)]
    said = Return(
        proto=PROTOCOL,
        node=caller.code,
        audience=caller.peer.code,
        sent_ms=caller.clock.now_ms(),
        stream=copy.stream,
        epoch=copy.epoch,
        upto=copy.seq,
        keys=keys[-KEYS_MAX:],
        batch=digest(batch) if batch is not None else None,
        before=tuple(order[: order.index(copy.epoch)][-BEFORE_MAX:]),
        nonce=random_key(),
    )
    answer = caller.transport.send("giveback", put_behind(sign(caller.key, RETURN, said), batch or b""))
    taken = open_signed(answer, TAKEN, Taken, caller.peer.trusted, caller.code)
    if taken.nonce != said.nonce:
        raise Unreachable("sync.foreign_answer", "The answer is to another batch.")
    return taken.upto
