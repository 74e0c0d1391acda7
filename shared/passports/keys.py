"""The plants' keys as the hub lists them (sync-protocol.md, 3.6): the chain from a passport to the group's root.

root keys -> the hub's online key, which the root document names -> this list -> a plant's key -> a passport. Revocation
is by sequence: what a key signed before the entry named stays its plant's word. Pure: texts and keys in, values out.
"""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.errors import Refused, Unauthenticated
from shared.keys import Envelope, SigningKey, key_id, open_envelope
from shared.standards.messages import Root
from shared.standards.trust import trusted_keys

KEY_LIST = "application/vnd.strandline.plant-keys+json"
LIST_GOOD_MS = 180 * 86_400_000
"""How long a list is believed: half a year without one word of the hub. Beyond it a key may have been revoked long ago."""
LIST_ANEW_MS = 30 * 86_400_000
"""How old the hub lets its latest list become: a plant that is heard once a month never has an old one."""
LIST_BYTES_MAX = 200_000
"""It travels inside a fact of at most 256 KiB; a key takes about 150 bytes."""

Code = Annotated[str, Meta(min_length=1, max_length=12)]
Public = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Number = Annotated[int, Meta(ge=0, le=1 << 53)]


class Revoked(msgspec.Struct, frozen=True):
    """From this entry of its plant's stream on nothing that the key signed counts; epoch empty: nothing at all."""

    epoch: str
    seq: Number
    at_ms: Number


class PlantKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key that a plant signs with, or once did."""

    plant: Code
    public: Public
    since_ms: Number
    revoked: Revoked | None = None


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """All keys of all plants of the group."""

    version: Annotated[int, Meta(ge=1, le=1 << 53)]
    hub: str
    issued_ms: Number
    keys: tuple[PlantKey, ...]

    def find(self, keyid: str) -> PlantKey | None:
        """The key of an id, which is derived from it and never believed."""
        return next((key for key in self.keys if key_id(bytes.fromhex(key.public)) == keyid), None)

    def revoked_of(self, plant: str) -> tuple[PlantKey, ...]:
        """The keys of a plant that are revoked."""
        return tuple(key for key in self.keys if key.plant == plant and key.revoked is not None)


_ENCODER = msgspec.json.Encoder(order="deterministic")


def seal_list(listed: KeyList, key: SigningKey) -> str:
    """The list as the hub signs it: a DSSE envelope as JSON text."""
    return _ENCODER.encode(key.seal(KEY_LIST, _ENCODER.encode(listed))).decode()


def names_revoked(envelope: str, public: str) -> bool:
    """Whether a list, whoever signed it, says that a key is revoked: for its place in a stream, never for its content."""
    try:
        sealed = msgspec.json.decode(envelope, type=Envelope)
        listed = msgspec.json.decode(base64.b64decode(sealed.payload), type=KeyList)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return any(key.public == public and key.revoked is not None for key in listed.keys)


def open_list(envelope: str, root: Root) -> KeyList:
    """The list, if an online key of the root signed it. Refused otherwise; nothing is parsed before."""
    try:
        if len(envelope) > LIST_BYTES_MAX:
            raise Unauthenticated("passport.bad_list", f"It has {len(envelope)} bytes.")
        sealed = msgspec.json.decode(envelope, type=Envelope)
        online = root.roles["online"]
        payload = open_envelope(sealed, KEY_LIST, trusted_keys(root, "online"), online.threshold)
        return msgspec.json.decode(payload, type=KeyList)
    except (Unauthenticated, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(
            "passport.bad_list",
            f"The list of plants' keys does not hold: {error}",
            kept="The keys that were known stay known.",
            todo="Show this to the group's standards office: a key of the hub may be in wrong hands.",
        ) from error
