"""Who may connect to a port that a link listens on. Who is not named is not let in: these protocols know no password."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

ANY = "any"
"""Written alone, lets in whoever reaches the port: for a network where something else sees to it."""


def check_hosts(hosts: Sequence[str]) -> None:
    """ValueError for what is neither address nor network, and for `any` beside others."""
    if ANY in hosts and len(hosts) > 1:
        raise ValueError(f"`{ANY}` in hosts stands alone")
    for host in hosts:
        if host != ANY:
            ip_network(host)


def lets_in(hosts: Sequence[str], host: str) -> bool:
    """Whether a peer with this address is let in; without hosts only from this machine."""
    if list(hosts) == [ANY]:
        return True
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ip_network(allowed) for allowed in hosts) if hosts else address.is_loopback


def stranger_words(hosts: Sequence[str], host: str) -> str:
    """Why somebody was not let in, and what to do if that is wrong."""
    who = f"its hosts are {', '.join(hosts)}" if hosts else "it names none, so that only this machine may connect"
    return f"{host} wanted to connect and was not let in: {who}. If it is the peer, add it to `hosts` of the link."
