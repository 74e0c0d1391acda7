"""What a receiver answers to a batch (sync-protocol.md, 1.4). Pure: positions and hashes in, an answer out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sync.messages import ZERO_HASH

Answer = Literal["stored", "gap", "fork", "superseded"]

HashAt = Callable[[int], str | None]


@dataclass(frozen=True)
class Offer:
    """Entries first..last of an epoch as a seal names them; prev is the hash before the first."""

    first: int
    last: int
    prev: str


@dataclass(frozen=True)
class Copy:
    """What the receiver holds of that epoch; branched when it knows a child of it, so that it ended there."""

    durable: int = 0
    hash: str = ZERO_HASH
    branched: bool = False


@dataclass(frozen=True)
class Verdict:
    """The answer; entries from `first_new` on are to be stored, none when it is after the last."""

    answer: Answer
    first_new: int


def judge(offer: Offer, copy: Copy | None, stored: HashAt, offered: HashAt) -> Verdict:
    """Answer a batch that is addressed to us in the open session and chains in itself.

    copy     None for an epoch not held yet (a parent that is not held is the caller's to refuse)
    stored   place -> the hash held there        offered   place -> the hash the batch has there
    """
    here = copy or Copy()
    if offer.first > here.durable + 1:
        return Verdict("gap", offer.first)
    if stored(offer.first - 1) != offer.prev:
        return Verdict("fork", offer.first)
    top = min(here.durable, offer.last)
    if top >= offer.first and stored(top) != offered(top):
        return Verdict("fork", offer.first)
    if offer.last > here.durable and here.branched:
        return Verdict("superseded", offer.first)
    return Verdict("stored", here.durable + 1)


@dataclass(frozen=True)
class Ticket:
    """A session as a message names it: the receiver's incarnation, and the session it opened."""

    incarnation: str
    session: str


def is_stale(named: Ticket, present: Ticket | None) -> bool:
    """Whether a message belongs to a session that a newer hello, or a new life of the receiver, has ended."""
    return named != present
