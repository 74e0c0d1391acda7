"""What a passport says, and its bytes: version, kind, key id, signature, then the body, compressed.

The signature is over the compressed body with its type (DSSE's pre-authentication encoding), so it is checked before
one byte is unpacked. The body is MessagePack, fields by their place; each is bounded, and a reader passes over fields
behind those that it knows. docs/transfers.md has the format.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.keys import SigningKey, pae

VERSION = 1
PIECE, LOAD = 1, 2
TYPES = {
    PIECE: "application/vnd.strandline.passport.piece",
    LOAD: "application/vnd.strandline.passport.load",
}
KEY_BYTES, SIGNATURE_BYTES, HEAD_BYTES = 8, 64, 74
WIRE_BYTES_MAX = 960
"""With its text of 1,446 characters it fits a QR code of version 25 with error correction M (1,451 characters)."""
BODY_BYTES_MAX = 4_096
"""Unpacked: a small passport that unpacks into a large one is none of ours."""
PIECES_MAX = 500
"""On one load: more than a train carries."""

Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
Short = Annotated[str, Meta(max_length=24)]
Line = Annotated[str, Meta(max_length=40)]
Node = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{1,11}$")]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Millis = Annotated[int, Meta(ge=0, le=1 << 47)]
Ppm = Annotated[int, Meta(ge=0, le=1_000_000)]
Element = Annotated[str, Meta(min_length=1, max_length=8)]


class Shipped(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The departure, and where the plant's journal stood: epoch and number of the entry that tells of it."""

    sender: Node
    addressee: Node
    shipment_id: Bytes16
    number: Line
    lane: Line
    mode: Short
    vehicle: Line
    departed_ms: Millis
    issued_ms: Millis
    expires_ms: Millis
    epoch: Bytes16
    seq: Count


class Member(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One piece of a pack: what a plant must know of it that takes the pack apart; grams, micrometres, ms."""

    material_id: Bytes16
    kind: Short
    scheme: Line
    number: Line
    mass_g: Count
    mass_basis: Short
    scale: Line
    weighed_ms: Millis
    size: tuple[Count, Count, Count]
    grade: Line
    order_item: Line
    heat: Line
    chemistry: Annotated[tuple[tuple[Element, Count], ...], Meta(max_length=40)]
    attributes: Annotated[tuple[tuple[Short, Annotated[str, Meta(max_length=64)]], ...], Meta(max_length=12)]


class PieceBody(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One piece. Masses in grams, sizes in micrometres, chemistry in 1e-6 mass fraction, shares in ppm.

    genealogy  of the digest that docs/transfers.md describes, the first 16 bytes; route: operations, the latest first
    """

    shipped: Shipped
    custody_no: Annotated[int, Meta(ge=1, le=1 << 31)]
    material_id: Bytes16
    kind: Short
    number: Line
    aliases: Annotated[tuple[tuple[Line, Line], ...], Meta(max_length=12)]
    """(issuer and scheme, value)"""
    grade: Line
    order_item: Line
    size: tuple[Count, Count, Count]
    mass_g: Count
    mass_basis: Short
    scale: Line
    weighed_ms: Millis
    chemistry: Annotated[tuple[tuple[Element, Count], ...], Meta(max_length=40)]
    heats: Annotated[tuple[tuple[Line, Ppm], ...], Meta(max_length=12)]
    quality: Literal["free", "held", "restricted"]
    holds: Annotated[tuple[Bytes16, ...], Meta(max_length=20)]
    status_ms: Millis
    """As of when quality and holds are told."""
    attributes: Annotated[tuple[tuple[Short, Annotated[str, Meta(max_length=64)]], ...], Meta(max_length=12)]
    genealogy: Bytes16
    route: Annotated[tuple[Short, ...], Meta(max_length=12)]
    members: Annotated[tuple[Member, ...], Meta(max_length=200)] = ()
    """Of a pack: its packing list; empty where it does not fit. A reader of before passes over it."""


class LoadBody(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A load: how many of its pieces have a passport, and the SHA-256 over the digests of its pieces' passports."""

    shipped: Shipped
    pieces: Annotated[int, Meta(ge=0, le=PIECES_MAX)]
    documents: Digest


@dataclass(frozen=True)
class Wire:
    """A passport's parts before anything of them is believed."""

    kind: int
    key_id: str
    signature: bytes
    body: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        return pae(TYPES[self.kind], self.body)


def seal(kind: int, body: PieceBody | LoadBody, key: SigningKey) -> bytes:
    """The bytes of a passport under the plant's key. ValueError when they are more than a code takes."""
    raw = msgspec.msgpack.encode(body)
    if len(raw) > BODY_BYTES_MAX:
        raise ValueError(f"it says {len(raw)} bytes, a reader unpacks {BODY_BYTES_MAX}")
    packed = _pack(raw)
    signature = base64.b64decode(key.sign(TYPES[kind], packed).sig)
    wire = bytes((VERSION, kind)) + bytes.fromhex(key.id) + signature + packed
    if len(wire) > WIRE_BYTES_MAX:
        raise ValueError(f"it has {len(wire)} bytes, a code takes {WIRE_BYTES_MAX}")
    return wire


def split(wire: bytes) -> Wire:
    """A passport's parts. ValueError for what has not its shape."""
    if not HEAD_BYTES < len(wire) <= WIRE_BYTES_MAX:
        raise ValueError(f"it has {len(wire)} bytes")
    if wire[0] != VERSION:
        raise ValueError(f"it is of version {wire[0]}, this release reads {VERSION}")
    if wire[1] not in TYPES:
        raise ValueError(f"it is of an unknown kind {wire[1]}")
    at = 2 + KEY_BYTES
    return Wire(wire[1], wire[2:at].hex(), wire[at:HEAD_BYTES], wire[HEAD_BYTES:])


def open_body(wire: Wire) -> PieceBody | LoadBody:
    """What it says; only of one whose signature holds. ValueError when it cannot be read."""
    raw = _unpack(wire.body)
    try:
        if wire.kind == PIECE:
            return msgspec.msgpack.decode(raw, type=PieceBody)
        return msgspec.msgpack.decode(raw, type=LoadBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def digest(wire: bytes) -> str:
    """A passport's SHA-256 as 64 hex digits: its name in facts."""
    return hashlib.sha256(wire).hexdigest()


def digest_all(digests: Iterable[str]) -> bytes:
    """The SHA-256 over the digests of a load's pieces, sorted: the same for the same pieces."""
    return hashlib.sha256(b"".join(sorted(bytes.fromhex(one) for one in digests))).digest()


def _pack(raw: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(raw) + packer.flush()


def _unpack(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(-15)
    try:
        raw = unpacker.decompress(packed, BODY_BYTES_MAX)
    except zlib.error as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
    if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"it unpacks into more than {BODY_BYTES_MAX} bytes, or is cut off")
    return raw
