"""The plant's own certificate, which OPC UA servers are asked to trust."""

from __future__ import annotations

import socket
from pathlib import Path

from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, UniformResourceIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from local_mes.level2.opcua.connect import APPLICATION_URI
from local_mes.level2.opcua.settings import OWN_CERTIFICATE, OWN_KEY
from local_mes.level2.opcua.trust import Certificate, read_certificate
from shared.storage import write_durably


def make_certificate(home: Path, name: str, days: int) -> Certificate:
    """Make key and certificate in the node's folder, in place of older ones; servers must then trust the new one."""
    key = generate_private_key()
    made = generate_self_signed_app_certificate(
        key,
        f"Strandline {name}",
        {"organizationName": "Strandline"},
        [UniformResourceIdentifier(APPLICATION_URI), DNSName(socket.gethostname())],
        [ExtendedKeyUsageOID.CLIENT_AUTH],
        days=days,
    )
    der = made.public_bytes(Encoding.DER)
    folder = (home / OWN_KEY).parent
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_durably(home / OWN_KEY, dump_private_key_as_pem(key))
    (home / OWN_KEY).chmod(0o600)
    write_durably(home / OWN_CERTIFICATE, der)
    return read_certificate(der)
