"""Making the root document: the ceremony that says whose keys count for what. Done once, and again when keys change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from shared.errors import BadInput, BadSetup
from shared.keys import Envelope, SigningKey, key_id
from shared.standards.messages import ROOT, Key, Role, Root, encode


def read_public(path: Path) -> tuple[str, Key]:
    """Key id and key of a .pub file made by `strandline standards keygen`."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        public, holder = str(values["public"]), str(values["holder"])
        return key_id(bytes.fromhex(public)), Key(public, holder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadSetup(
            "standards.bad_public_key",
            f"{path} holds no public key: {error}.",
            todo="Give a .pub file made by `strandline standards keygen`.",
        ) from error


def build_root(
    version: int,
    issued_at_ms: int,
    root_keys: Sequence[SigningKey],
    standards: Sequence[tuple[str, Key]],
    online: str,
    root_threshold: int,
    threshold: int,
) -> Root:
    """A root document; online is the hub's public key as 64 hex digits."""
    if threshold > len(standards) or root_threshold > len(root_keys):
        raise BadInput(
            "standards.threshold", "A threshold is larger than the number of its keys.", todo="Name more keys."
        )
    online_id = key_id(bytes.fromhex(online))
    keys = (
        {key.id: Key(key.public.hex(), "root") for key in root_keys} | dict(standards) | {online_id: Key(online, "hub")}
    )
    return Root(
        version=version,
        issued_at_ms=issued_at_ms,
        keys=keys,
        roles={
            "root": Role(tuple(key.id for key in root_keys), root_threshold),
            "standards": Role(tuple(keyid for keyid, _ in standards), threshold),
            "online": Role((online_id,), 1),
        },
    )


def sign_root(root: Root, keys: Sequence[SigningKey]) -> bytes:
    """The root document's envelope, signed by all of these keys (old and new ones in a rotation)."""
    payload = encode(root)
    sealed = keys[0].seal(ROOT, payload)
    return encode(Envelope(ROOT, sealed.payload, tuple(key.sign(ROOT, payload) for key in keys)))
