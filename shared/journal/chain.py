"""The hash chain of a stream (sync-protocol.md, 1.1)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

GENESIS = "0" * 64
_TAG = b"strandline-chain-1"
_PLACE = struct.Struct(">Q").pack


def next_hash(epoch: str, stream: str, seq: int, previous: str, body: bytes) -> str:
    """hash_n = SHA256(tag | epoch | stream | u64 n | hash_(n-1) | SHA256(bytes)), parts divided by 0x1f."""
    return chain(epoch, stream, seq, previous, (body,))[0]


def chain(epoch: str, stream: str, first: int, previous: str, bodies: Iterable[bytes]) -> list[str]:
    """next_hash of a run of facts that follow each other, from the first one's place on: one hash each."""
    start = b"\x1f".join((_TAG, epoch.encode(), stream.encode(), b""))
    before, sha256 = bytes.fromhex(previous), hashlib.sha256
    hashes = []
    for seq, body in enumerate(bodies, start=first):
        before = sha256(b"%b%b\x1f%b\x1f%b" % (start, _PLACE(seq), before, sha256(body).digest())).digest()
        hashes.append(before.hex())
    return hashes
