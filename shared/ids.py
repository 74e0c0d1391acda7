"""The one door for identities and randomness.

Ids are 128 bits as 32 lowercase hex digits: 48 bits of milliseconds, then 80 bits that are random, or derived by
hash where the same cause must always give the same id (Level-2 messages, commands). They sort by time, need no
network and carry no meaning.
"""

from __future__ import annotations

import hashlib
import os
import secrets

from shared.clock import Clock

_TIME_BITS = 48
_TIME_MASK = (1 << _TIME_BITS) - 1


def _compose(ms: int, tail: bytes) -> str:
    return f"{ms & _TIME_MASK:012x}{tail[:10].hex()}"


def new_id(clock: Clock) -> str:
    """A new id, unique in the group by 80 random bits a millisecond."""
    return _compose(clock.now_ms(), secrets.token_bytes(10))


def derived_id(ms: int, *parts: str | int) -> str:
    """The id that these parts always give; ms is the time it sorts by (of the cause, not of the call)."""
    text = "\x1f".join(str(part) for part in parts)
    return _compose(ms, hashlib.sha256(text.encode()).digest())


def random_key() -> str:
    """128 random bits as hex, for epochs, sessions and instances: unordered on purpose."""
    return secrets.token_hex(16)


def secret_token() -> str:
    """A token for a person or a peer to show: 192 bits, safe in a URL."""
    return secrets.token_urlsafe(24)


def process_id() -> int:
    """This process, for leases and logs."""
    return os.getpid()


def jitter() -> float:
    """A number in [0, 1) for back-off, so that peers do not return together."""
    return secrets.randbelow(1 << 30) / (1 << 30)
