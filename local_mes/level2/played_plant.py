"""What a plant that is played must not touch: it follows a clock file, and no peer of steel may hear from it.

Its model is often the real plant's own, with the real addresses. A link on which the plant calls would reach the real
Level 2 there: read its ring and acknowledge what the real plant has not stored yet, send it orders, take its files away.
"""

from __future__ import annotations

import contextlib
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from local_mes.level2.drivers.registry import find_driver
from local_mes.level2.errors import calls_real_peers
from local_mes.level2.links import Link, LinkPlan
from shared.settings import PlantSettings


def refuse_real_peers(settings: PlantSettings, plan: LinkPlan) -> None:
    """Refused where a plant that follows a clock file would call what its settings do not name for it.

    This machine's loopback is nobody's Level 2; any other address counts only when `link_addresses` names it.
    """
    if settings.clock_file is None:
        return
    real = [link for link in plan.links.values() if link.code not in settings.link_addresses and _calls_away(link)]
    if real:
        raise calls_real_peers(settings.code, {link.code: link.address for link in real})


def _calls_away(link: Link) -> bool:
    return find_driver(link).calls(link) and not is_own_loopback(link.address)


def is_own_loopback(address: str) -> bool:
    """Whether an address (host:port, or an URL) is this machine's own and reached from nowhere else."""
    with contextlib.suppress(ValueError):
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
        if host == "localhost":
            return True
        found = ip_address(host)
        mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        return (mapped or found).is_loopback
    return False
