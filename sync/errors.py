"""What can go wrong between two nodes: one family, and the one table from HTTP status to its members."""

from __future__ import annotations

from shared.errors import StrandlineError


class SyncError(StrandlineError):
    """An exchange did not succeed. Nothing is lost by it: facts stay in their journal until a receipt names them.

    spoken  whether a node of ours answered so; False for silence, a proxy's page, a portal's
    """

    spoken = False

    def __init__(
        self, code: str, what: str, *, kept: str = "Every fact is kept in the journal.", todo: str = ""
    ) -> None:
        super().__init__(code, what, kept=kept, todo=todo)


class Unreachable(SyncError):
    """No answer, or none that this peer signed: the outcome is unknown and the same request may be sent again."""

    status = 503
    again = True


class NotConnected(Unreachable):
    """The peer was not reached at all: nothing was sent, so that the size of what was to be sent is not to blame."""


class EntryDamaged(SyncError):
    """An entry of ours is not what was chained when it was recorded: it and what follows it stay here until mended."""

    status = 500

    def __init__(self, stream: str, epoch: str, seq: int) -> None:
        super().__init__(
            "sync.entry_damaged",
            f"Entry {seq} of epoch {epoch} of {stream} was changed in the database; it is not sent, nor what follows.",
            kept="Recording goes on; everything before it is sent.",
            todo="Run `journal verify`, and restore the last good backup: what the peer holds comes back from it.",
        )
        self.stream = stream
        self.epoch = epoch
        self.seq = seq


class Malformed(SyncError):
    """The message cannot be read, or its parts contradict each other."""

    status = 400


class BadSeal(SyncError):
    """The signature does not verify under a key of the peer, or the message was meant for another node."""

    status = 401


class PeerHeld(SyncError):
    """The peer is revoked, or held for an operator."""

    status = 403


class Unproven(SyncError):
    """The peer holds history of ours that no key of ours signed: an operator must say whether it is taken over."""

    status = 409


class OutOfStep(SyncError):
    """Gap, fork or unknown parent: the two disagree about what the receiver holds; a new hello settles it.

    receipt  the receiver's signed position, where it has one
    """

    status = 409
    again = True

    def __init__(self, code: str, what: str, *, receipt: bytes = b"") -> None:
        super().__init__(code, what)
        self.receipt = receipt


class StaleSession(SyncError):
    """A newer hello, or a restart of the receiver, ended this session; a new hello opens the next."""

    status = 412
    again = True


class OverLimit(SyncError):
    """A message is larger than the receiver takes."""

    status = 413


class WrongProtocol(SyncError):
    """The two nodes share no protocol version."""

    status = 426


class Busy(SyncError):
    """The receiver asks to come back later; after_s is its own wish, 0 when it named none."""

    status = 429
    again = True
    after_s = 0.0


class StorageFull(Busy):
    """The receiver has no room; it keeps what it has and takes more when there is room again."""

    status = 507


class TooSlow(SyncError):
    """A request took longer to arrive than the receiver waits: a smaller one may get through."""

    status = 408
    again = True


BY_STATUS: dict[int, type[SyncError]] = {
    400: Malformed,
    401: BadSeal,
    403: PeerHeld,
    408: TooSlow,
    409: OutOfStep,
    412: StaleSession,
    413: OverLimit,
    426: WrongProtocol,
    429: Busy,
    503: Busy,
    507: StorageFull,
}


def from_status(status: int, code: str, what: str) -> SyncError:
    """The error that a peer's answer means; an answer outside the table is as good as none."""
    return BY_STATUS.get(status, Unreachable)(code, what)
