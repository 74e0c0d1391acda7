"""What is signed about standards (sync-protocol.md, 3.2), each with a payload type of its own.

root        names the keys and thresholds of all roles; signed by the root keys, rotated N -> N+1 under both sets
catalogue   every current version; signed by a threshold of standards keys, which the hub never holds
timestamp   which catalogue is the latest; signed by the hub's online key
assignment  what one plant runs; signed by the hub's online key, may only point into the catalogue
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from shared.keys import Envelope

TYPE_PREFIX = "application/vnd.strandline.standards."
ROOT = TYPE_PREFIX + "root+json"
CATALOGUE = TYPE_PREFIX + "catalogue+json"
TIMESTAMP = TYPE_PREFIX + "timestamp+json"
ASSIGNMENT = TYPE_PREFIX + "assignment+json"

MESSAGE_BYTES_MAX = 200_000
"""An envelope travels inside a fact of at most 256 KiB; a catalogue entry takes about 400 bytes."""

Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
KeyId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
Count = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

ROLES = ("root", "standards", "online")


class Role(msgspec.Struct, frozen=True):
    """How many different keys of these must sign for a role."""

    keyids: tuple[KeyId, ...]
    threshold: Annotated[int, msgspec.Meta(ge=1, le=16)]


class Key(msgspec.Struct, frozen=True):
    """A public key (64 hex digits) and whose it is."""

    public: Hash
    holder: str


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """All role keys. A key id is derived from the key: what it says of itself is never believed."""

    version: Count
    issued_at_ms: Millis
    keys: dict[KeyId, Key]
    roles: dict[Literal["root", "standards", "online"], Role]


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One current version. release rises with every publication of the id, also when an older version comes back."""

    id: Name
    version: Count
    release: Count
    kind: Name
    title: str
    sha256: Hash
    length: Count
    schema: Count
    takes_hold: Literal["at_once", "next_step", "next_heat"]
    effective_from_ms: Millis
    status: Literal["active", "withdrawn"]
    plants: tuple[Name, ...] = ()
    depends: tuple[Name, ...] = ()
    author: str = ""
    approver: str = ""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All current versions, one an id.

    also  further versions that an assignment may name: those that go out in waves, and those that were replaced lately,
          so that a wave and a way back need no new signature. A catalogue without any has the bytes it always had.
    """

    version: Count
    hub: Name
    issued_at_ms: Millis
    entries: tuple[CatalogueEntry, ...]
    also: tuple[CatalogueEntry, ...] = ()

    def find(self, standard_id: str) -> CatalogueEntry | None:
        """The current entry of an id."""
        return next((entry for entry in self.entries if entry.id == standard_id), None)

    def find_version(self, standard_id: str, version: int) -> CatalogueEntry | None:
        """The entry of one version, current or not."""
        listed = (*self.entries, *self.also)
        return next((entry for entry in listed if (entry.id, entry.version) == (standard_id, version)), None)


class Timestamp(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's word for the latest catalogue, good until fresh_until_ms."""

    version: Count
    hub: Name
    catalogue_version: Count
    catalogue_sha256: Hash
    catalogue_length: Count
    issued_at_ms: Millis
    fresh_until_ms: Millis


class Assigned(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version a plant is to run from a time on.

    answer_by_ms  until when the plant is asked for its consent; 0: it is not asked. Until it says yes it keeps what it
                  runs; a release that does not know the field adopts at once.
    """

    id: Name
    version: Count
    sha256: Hash
    effective_from_ms: Millis
    answer_by_ms: Millis = 0


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What one plant runs: the whole set, never a part of it."""

    version: Count
    hub: Name
    plant: Name
    catalogue_version: Count
    issued_at_ms: Millis
    standards: tuple[Assigned, ...]


_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(message: Root | Catalogue | Timestamp | Assignment | Envelope) -> bytes:
    """Deterministic JSON."""
    return _ENCODER.encode(message)
