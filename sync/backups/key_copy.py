"""A copy of a node's private key, sealed with a passphrase, to be kept apart from the backups of its database."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.errors import BadSetup
from shared.keys import SigningKey, fingerprint, load_key, save_key
from shared.settings import NodeSettings

PASSPHRASE_MIN = 12


def copy_key(settings: NodeSettings, target: Path, passphrase: str) -> str:
    """Write the sealed copy; refuses a weak passphrase and an existing file. Returns the key's fingerprint."""
    if len(passphrase) < PASSPHRASE_MIN:
        raise BadSetup(
            "backup.passphrase",
            f"The passphrase has {len(passphrase)} characters.",
            todo=f"Take one of at least {PASSPHRASE_MIN}.",
        )
    key = load_key(settings.key_file)
    sealed = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadSetup(
            "backup.key_unwritable", f"{target} cannot be written: {error.strerror}.", todo="Name a new file."
        ) from error
    return fingerprint(key.public)


def restore_key(settings: NodeSettings, source: Path, passphrase: str) -> str:
    """Put a sealed copy in place, where no key is. Returns its fingerprint. BadSetup."""
    try:
        private = serialization.load_pem_private_key(source.read_bytes(), password=passphrase.encode())
    except (OSError, ValueError, TypeError) as error:
        raise BadSetup(
            "backup.key_unreadable",
            f"{source} cannot be opened: {error}.",
            kept="Nothing was changed.",
            todo="Check file and passphrase.",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise BadSetup("keys.wrong_kind", f"{source} holds no Ed25519 key.", todo="Use a copy made by key-copy.")
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    save_key(SigningKey(private, public), settings.key_file)
    return fingerprint(public)
