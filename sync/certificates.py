"""Whose certificate stands in the way: a call that was refused for it names the issuer, so that people know whom to ask.

Only the certificate is asked for, over a connection that nothing is sent on.
"""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

SHOWN = "shows a certificate of no authority configured here"
"""Words of every error of this kind: an alarm looks for them in the reason why a route is not well."""
UNKNOWN = "an unknown issuer"


def is_refused(error: BaseException | None) -> bool:
    """Whether a certificate that does not verify is somewhere in a chain of library errors."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__context__
    return False


def describe(url: str, timeout_s: float) -> str:
    """What a person reads: who issued the certificate shown at this address."""
    return f"{url} {SHOWN}; it was issued by {find_issuer(url, timeout_s)}"


def find_issuer(url: str, timeout_s: float) -> str:
    """The issuer's name as RFC 4514 writes it, at most 200 characters; UNKNOWN when it cannot be read."""
    from cryptography import x509  # a fortieth of a start, and hardly ever wanted

    parts = urlsplit(url)
    if parts.hostname is None:
        return UNKNOWN
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is read, not believed
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown or b"").issuer.rfc4514_string()[:200] or UNKNOWN
    except (OSError, ValueError):
        return UNKNOWN
