"""The bytes of a document, made in one way only, and their hash: what is signed, sent, compared and stamped."""

from __future__ import annotations

import hashlib
import json

from shared.standards.documents import AnyStandard


def canonical_bytes(value: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8, no floats.

    A float has no single spelling across languages, so it is refused: quantities are integers in stored units.
    """
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def body_of(document: AnyStandard) -> bytes:
    """A document's canonical bytes; fields at their default are written out, so the bytes stand for themselves.

    A field that came later than a kind's first schema is left out while it is empty: older bytes stay what they were.
    """
    written = document.model_dump(mode="json")
    if not written.get("cases", True):
        del written["cases"]
    return canonical_bytes(written)


def sha256(body: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(body).hexdigest()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r}: a document holds integers and texts only")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    if isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
