"""A fact: what happened, in bytes made once.

Bytes are deterministic JSON: fields in their order here, keys of maps sorted, integers for quantities, no NaN. Payload
types register themselves from their subject's facts.py under a name and a version, so the journal knows none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from shared.errors import BadInput
from shared.journal.upcast import lift, needs_upcast, steps

FACT_BYTES_MAX = 256 * 1024
"""A fact is one statement, not a file: larger things are blobs named by their hash (sync-protocol.md, 1.1)."""


class Subject(msgspec.Struct, frozen=True):
    """Something a fact speaks of, and the fact that last spoke of it as its author knew it."""

    id: str
    prev: str | None = None


class Occurred(msgspec.Struct, frozen=True):
    """When it is claimed to have happened (UTC ms), by which source ("l2:caster1", "manual"), in which zone offset."""

    at_ms: int
    source: str
    offset_min: int = 0


class StandardRef(msgspec.Struct, frozen=True):
    """The standard something was done under."""

    id: str
    version: int
    hash: str


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all fact payloads."""


P = TypeVar("P", bound=Payload)
P_co = TypeVar("P_co", bound=Payload, covariant=True)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope as it is stored and sent."""

    fact_id: str
    type: str
    version: int
    author: str
    actor: str
    subjects: tuple[Subject, ...]
    occurred: Occurred
    recorded_at_ms: int
    causes: tuple[str, ...] = ()
    standard: StandardRef | None = None
    payload: msgspec.Raw


@dataclass(frozen=True)
class Draft(Generic[P_co]):
    """What a service asks the journal to record.

    subjects  ids of everything the fact speaks of (material, shipment, case …), the main one first
    actor     opaque id of the person, device or job
    fact_id   given where the cause determines it (Level 2, commands); minted otherwise
    """

    payload: P_co
    subjects: tuple[str, ...]
    actor: str
    occurred: Occurred
    fact_id: str | None = None
    causes: tuple[str, ...] = ()
    standard: StandardRef | None = None


@dataclass(frozen=True)
class AppliedFact(Generic[P_co]):
    """A decoded fact as appliers see it: the envelope's plain fields and the typed payload of the newest version.

    previous  for each subject the fact that its author named as the one before; empty where nobody asks
    """

    fact_id: str
    type: str
    author: str
    actor: str
    subjects: tuple[str, ...]
    occurred: Occurred
    recorded_at_ms: int
    standard: StandardRef | None
    payload: P_co
    causes: tuple[str, ...] = field(default=())
    previous: tuple[str | None, ...] = field(default=())


class UnknownFact(Exception):
    """A type or version newer than this node: to be parked, not refused."""


_TYPES: dict[tuple[str, int], type[Payload]] = {}
_NAMES: dict[type[Payload], tuple[str, int]] = {}
_SINCE: dict[tuple[str, int], str] = {}
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Fact)


def fact(name: str, version: int = 1, since: str = "0.1.0") -> Callable[[type[P]], type[P]]:
    """Register a payload type under its wire name; past tense, kept for ever. since: the release that first reads it.

    A new version takes the class of the one before, which is read through its upcast from then on.
    """

    def register(cls: type[P]) -> type[P]:
        taken = _TYPES.setdefault((name, version), cls)
        if taken is not cls and taken.__qualname__ != cls.__qualname__:
            raise TypeError(f"{name} v{version} is registered twice")
        _NAMES[cls] = (name, version)
        _SINCE[name, version] = since
        return cls

    return register


def type_of(payload: Payload) -> tuple[str, int]:
    """Wire name and version of a payload."""
    return _NAMES[type(payload)]


def registered() -> dict[tuple[str, int], type[Payload]]:
    """All payload types by (name, version), for documentation and golden samples."""
    return dict(_TYPES)


def readable() -> set[tuple[str, int]]:
    """Every (name, version) that this node reads: the versions of today and those with an upcast."""
    return {*_TYPES, *steps()}


def release_of(name: str, version: int) -> str:
    """The release that first reads this version; empty for one that this node does not know."""
    return _SINCE.get((name, version), "")


def encode(value: Fact) -> bytes:
    """The fact's bytes, made once; refuses one that is over the limit."""
    body = _encoder.encode(value)
    if len(body) > FACT_BYTES_MAX:
        raise BadInput(
            "journal.fact_too_large",
            f"This {value.type} would take {len(body)} bytes; the limit is {FACT_BYTES_MAX}.",
            todo="Record less in one step, or store the large part as a file and name it by its hash.",
        )
    if b"\\u0000" in body and _NUL.search(body):
        raise BadInput(
            "journal.nul",
            f"This {value.type} holds a text with a NUL character, which not every database can keep.",
            todo="Leave the character out.",
        )
    return body


def encode_payload(payload: Payload) -> msgspec.Raw:
    """The payload's bytes inside the fact."""
    return msgspec.Raw(_encoder.encode(payload))


def decode_envelope(body: bytes) -> Fact:
    """The envelope with the payload left as bytes; msgspec.ValidationError/DecodeError when it is none."""
    return _decoder.decode(body)


def decode(body: bytes) -> AppliedFact[Any]:
    """Envelope and typed payload. UnknownFact for a type or version this node does not know."""
    envelope = decode_envelope(body)
    return AppliedFact(
        fact_id=envelope.fact_id,
        type=envelope.type,
        author=envelope.author,
        actor=envelope.actor,
        subjects=tuple(s.id for s in envelope.subjects),
        occurred=envelope.occurred,
        recorded_at_ms=envelope.recorded_at_ms,
        standard=envelope.standard,
        payload=_decode_payload(envelope),
        causes=envelope.causes,
        previous=tuple(s.prev for s in envelope.subjects),
    )


def _decode_payload(envelope: Fact) -> Payload:
    name, version = envelope.type, envelope.version
    if needs_upcast(name, version):
        newest, value = lift(name, version, bytes(envelope.payload))
        return msgspec.convert(value, type=_class_of(name, newest), str_keys=True)
    return msgspec.json.decode(envelope.payload, type=_class_of(name, version))


def _class_of(name: str, version: int) -> type[Payload]:
    cls = _TYPES.get((name, version))
    if cls is None:
        raise UnknownFact(f"{name} v{version}")
    return cls
