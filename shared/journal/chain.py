"""The hash chain of a stream (sync-protocol.md, 1.1)."""

from __future__ import annotations

import hashlib
import struct

GENESIS = "0" * 64
_TAG = b"strandline-chain-1"


def next_hash(epoch: str, stream: str, seq: int, previous: str, body: bytes) -> str:
    """hash_n = SHA256(tag | epoch | stream | u64 n | hash_(n-1) | SHA256(bytes)), parts divided by 0x1f."""
    parts = (
        _TAG,
        epoch.encode(),
        stream.encode(),
        struct.pack(">Q", seq),
        bytes.fromhex(previous),
        hashlib.sha256(body).digest(),
    )
    return hashlib.sha256(b"\x1f".join(parts)).hexdigest()
