"""Ed25519 keys and DSSE envelopes (sync-protocol.md, 3.6): the bytes are signed as they are, with their type.

An envelope is {"payloadType", "payload" (base64), "signatures": [{"keyid", "sig"}]}. keyid is a hint, never an
authority: a signature counts only when it verifies under a key that the caller trusts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import BadSetup, Unauthenticated


class Signature(msgspec.Struct, frozen=True):
    """One signature of an envelope."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True):
    """A DSSE envelope."""

    payloadType: str  # noqa: N815 - the name is DSSE's
    payload: str
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_id(public: bytes) -> str:
    """The first 16 hex digits of the key's SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def fingerprint(public: bytes) -> str:
    """The key's SHA-256 in groups of four, for two people to compare aloud."""
    text = hashlib.sha256(public).hexdigest()[:32]
    return "-".join(text[i : i + 4] for i in range(0, 32, 4))


@dataclass(frozen=True)
class SigningKey:
    """A private key with its public half (32 raw bytes)."""

    private: Ed25519PrivateKey
    public: bytes

    @property
    def id(self) -> str:
        """The key's id."""
        return key_id(self.public)

    def sign(self, payload_type: str, payload: bytes) -> Signature:
        """This key's signature over the payload and its type."""
        raw = self.private.sign(pae(payload_type, payload))
        return Signature(self.id, base64.b64encode(raw).decode())

    def seal(self, payload_type: str, payload: bytes) -> Envelope:
        """An envelope with this one signature."""
        return Envelope(payload_type, base64.b64encode(payload).decode(), (self.sign(payload_type, payload),))


def new_key() -> SigningKey:
    """A fresh key."""
    return _wrap(Ed25519PrivateKey.generate())


def save_key(key: SigningKey, path: Path) -> None:
    """Write PKCS#8 PEM, 0600, in a folder 0700; refuses to overwrite."""
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadSetup(
            "keys.unwritable",
            f"The key file {path} cannot be written: {error.strerror}.",
            todo="Choose a folder this user may write, or move the old key away.",
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def load_key(path: Path) -> SigningKey:
    """Read a key written by save_key."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise BadSetup(
            "keys.unreadable",
            f"The key file {path} cannot be read: {error}.",
            todo="Run the init command of this node, or restore the key from its own safe place.",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise BadSetup("keys.wrong_kind", f"The key file {path} holds no Ed25519 key.", todo="Use a key made here.")
    return _wrap(private)


def open_envelope(envelope: Envelope, payload_type: str, trusted: Mapping[str, bytes], threshold: int = 1) -> bytes:
    """The payload, if at least `threshold` different trusted keys signed it.

    trusted maps key id to 32 raw public bytes. Raises Unauthenticated; nothing of the payload is parsed before.
    """
    payload = _unbase64(envelope.payload)
    if envelope.payloadType != payload_type:
        raise Unauthenticated("keys.wrong_type", f"Signed as {envelope.payloadType!r}, expected {payload_type!r}.")
    good = signers(envelope.signatures, payload_type, payload, trusted)
    if len(good) < threshold:
        raise Unauthenticated(
            "keys.bad_signature",
            f"{len(good)} trusted signature(s) where {threshold} are needed ({payload_type}).",
            todo="Check that the sender is enrolled and that nothing on the way changes the bytes.",
        )
    return payload


def signers(
    signatures: Sequence[Signature], payload_type: str, payload: bytes, trusted: Mapping[str, bytes]
) -> set[bytes]:
    """The different trusted public keys whose signature verifies."""
    message = pae(payload_type, payload)
    good: set[bytes] = set()
    for signature in signatures:
        public = trusted.get(signature.keyid)
        if public is not None and _verifies(public, _unbase64(signature.sig), message):
            good.add(public)
    return good


def _verifies(public: bytes, raw: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unauthenticated("keys.bad_base64", "The envelope is not base64.") from error


def _wrap(private: Ed25519PrivateKey) -> SigningKey:
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return SigningKey(private, public)
