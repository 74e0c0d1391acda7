"""Which addresses a peer may have: TLS, unless the way never leaves this machine or somebody gave a reason."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.errors import BadSetup


def check_address(url: str, plain_reason: str) -> None:
    """BadSetup for what is no address of a peer, and for plain HTTP to another machine without a reason.

    What travels is signed, so nobody can change it; without TLS anybody on the way can read it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetup("sync.bad_url", f"{url!r} is no address of a hub.", todo="Set hub_url to https://…")
    if is_plain(url) and not plain_reason:
        raise BadSetup(
            "sync.plain_http",
            f"{url} is another machine, and http:// lets anybody on the way read what is sent.",
            todo="Use https://…, or say in sync.allow_plain_http why this line needs none; pages will show it.",
        )


def is_plain(url: str) -> bool:
    """Whether what is sent to this address leaves the machine unencrypted."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
