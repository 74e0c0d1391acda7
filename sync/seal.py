"""Signing and opening messages (sync-protocol.md, 3.6). Pure: bytes and keys in, a message or a named error out.

A signature is checked before one byte of the payload is parsed. What is signed says who it is for, so that a valid
message cannot be replayed to another node.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import NoReturn, TypeVar

import msgspec

from shared.errors import Unauthenticated
from shared.keys import Envelope, SigningKey, key_id, open_envelope
from sync.errors import BadSeal, Malformed, OverLimit
from sync.limits import HEAD_BYTES_MAX, HELLO_BYTES_MAX
from sync.messages import SEAL, Enrol, Enrolled, Message, Seal

M = TypeVar("M", bound=Message)
K = TypeVar("K", Enrol, Enrolled)

_ENCODER = msgspec.json.Encoder(order="deterministic")


def sign(key: SigningKey, payload_type: str, message: Message) -> bytes:
    """The message as a DSSE envelope in JSON."""
    return _ENCODER.encode(key.seal(payload_type, _ENCODER.encode(message)))


def read_envelope(raw: bytes, limit: int = HELLO_BYTES_MAX) -> Envelope:
    """The envelope, still unverified: good for nothing but its key ids. OverLimit, Malformed."""
    if len(raw) > limit:
        raise OverLimit("sync.head_too_large", f"A signed message of {len(raw)} bytes; the limit is {limit}.")
    try:
        return msgspec.json.decode(raw, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("sync.no_envelope", f"Not a signed envelope: {error}.") from error


def payload_of(envelope: Envelope) -> bytes:
    """The payload of an envelope, unverified: for one whose signature was checked before, or is checked next."""
    try:
        return base64.b64decode(envelope.payload, validate=True)
    except ValueError as error:
        raise Malformed("sync.no_envelope", "The envelope is not base64.") from error


def open_signed(
    raw: bytes,
    payload_type: str,
    kind: type[M],
    trusted: Mapping[str, bytes],
    audience: str,
    limit: int = HELLO_BYTES_MAX,
) -> M:
    """The message, if a trusted key (key id -> 32 raw bytes) signed it for this audience.

    Raises OverLimit, Malformed or BadSeal.
    """
    envelope = read_envelope(raw, limit)
    try:
        payload = open_envelope(envelope, payload_type, trusted)
    except Unauthenticated as error:
        raise BadSeal("sync.bad_signature", error.what) from error
    message = parse(payload, kind)
    if message.audience != audience:
        raise BadSeal("sync.wrong_audience", f"Signed for {message.audience!r}, but this node is {audience!r}.")
    return message


def open_self_signed(raw: bytes, payload_type: str, kind: type[K], audience: str, limit: int = HELLO_BYTES_MAX) -> K:
    """A message that brings its own key and is signed by it: proof of possession, not of identity.

    Only for enrolment, where people compare fingerprints. Raises OverLimit, Malformed or BadSeal.
    """
    envelope = read_envelope(raw, limit)
    claimed = parse(payload_of(envelope), kind)
    public = bytes.fromhex(claimed.public_key)
    return open_signed(raw, payload_type, kind, {key_id(public): public}, audience, limit)


def open_seal(raw: bytes, trusted: Mapping[str, bytes], audience: str) -> Seal:
    """A batch's seal, verified and free of contradictions in itself."""
    seal = open_signed(raw, SEAL, Seal, trusted, audience, HEAD_BYTES_MAX)
    check_seal(seal)
    return seal


def check_seal(seal: Seal) -> None:
    """Raise Malformed when the seal's own numbers contradict each other."""
    if seal.first < 1:
        raise Malformed("sync.bad_range", "Entries are numbered from 1.")
    if seal.kind == "heartbeat" and (seal.last != seal.first - 1 or seal.prev != seal.head):
        raise Malformed("sync.bad_range", "A heartbeat carries no entries and moves no hash.")
    if seal.kind == "batch" and seal.last < seal.first:
        raise Malformed("sync.bad_range", f"A batch from {seal.first} to {seal.last} runs backwards.")


def parse(payload: bytes, kind: type[M]) -> M:
    """The message in these bytes: a JSON object without repeated keys or numbers that are none."""
    try:
        json.loads(payload, object_pairs_hook=_no_repeats, parse_constant=_no_constant)
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Malformed("sync.unreadable", f"Not a {kind.__name__.lower()} message: {error}.") from error


def digest(raw: bytes) -> str:
    """SHA-256 as lowercase hex."""
    return hashlib.sha256(raw).hexdigest()


def _no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key is given twice")
    return keys


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
