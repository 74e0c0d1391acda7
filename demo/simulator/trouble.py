"""Faults on demand: what is ordered to go wrong on a wire goes wrong with the next message there.

Orders come while the simulator plays, as lines of a file in the run's folder (`python -m demo.trouble` writes them), or by
`order` from a test. Nothing true is lost by any of them but by `mass`: what is garbled or skipped was never a real message.

    duplicate  the message goes twice; of a ring, the last `value` events are read again
    gap        `value` sequence numbers are missing before it
    garbage    before it comes what cannot be read: a garbled telegram and noise, or an event that is no JSON
    silence    nothing for `value` seconds, no heartbeat either, then all at once
    clock      Level 2's clock is `value` seconds ahead from now on; 0 puts it right
    mass       its first mass is `value` times what it was
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.simulator.opcua_server import RingServer
from demo.simulator.telegram_peer import Peer

ORDERS = "trouble.jsonl"
USUAL: Mapping[str, float] = {
    "duplicate": 1,
    "gap": 3,
    "garbage": 1,
    "silence": 30,
    "clock": 3600,
    "mass": 1.3,
}
"""Every kind, with its value where the order names none."""


@dataclass(frozen=True)
class Fault:
    """One order."""

    kind: str
    link: str
    value: float


@dataclass
class Troublemaker:
    """Orders by link, the oldest first; and how far each link's clock is ahead, in ms."""

    orders: Path | None = None
    done: list[Fault] = field(default_factory=list)
    _open: dict[str, list[Fault]] = field(default_factory=dict)
    _ahead_ms: dict[str, int] = field(default_factory=dict)
    _read: int = 0

    def order(self, kind: str, link: str, value: float | None = None) -> None:
        """Let it go wrong with the link's next message."""
        self._open.setdefault(link, []).append(Fault(kind, link, USUAL[kind] if value is None else value))

    async def on_line(
        self, peer: Peer, message: str, fields: Mapping[str, Any], at_ms: int
    ) -> tuple[int, Mapping[str, Any], bool]:
        """What is due on a telegram link; the message's claimed time, its fields, whether it goes twice."""
        twice = False
        for fault in self._due(peer.code, fields):
            if fault.kind == "duplicate":
                await peer.connected()
                twice = True
            elif fault.kind == "gap":
                peer.skip(int(fault.value))
            elif fault.kind == "garbage":
                await peer.garble(message, fields, at_ms)
            elif fault.kind == "silence":
                peer.quiet(fault.value)
            fields = self._changed(fault, fields)
        return at_ms + self._ahead_ms.get(peer.code, 0), fields, twice

    async def on_ring(self, server: RingServer, fields: Mapping[str, Any], at_ms: int) -> tuple[int, Mapping[str, Any]]:
        """The same on a ring of events."""
        for fault in self._due(server.code, fields):
            if fault.kind == "duplicate":
                await server.forget_acknowledged(int(fault.value))
            elif fault.kind == "gap":
                await server.skip(int(fault.value))
            elif fault.kind == "garbage":
                await server.garble()
            elif fault.kind == "silence":
                server.quiet(fault.value)
            fields = self._changed(fault, fields)
        return at_ms + self._ahead_ms.get(server.code, 0), fields

    def _due(self, link: str, fields: Mapping[str, Any]) -> list[Fault]:
        """The link's orders; a wrong mass waits for a message that has one."""
        self._look()
        waiting = self._open.pop(link, [])
        due = [one for one in waiting if one.kind != "mass" or find_mass(fields)]
        later = [one for one in waiting if one not in due]
        if later:
            self._open[link] = later
        self.done += due
        return due

    def _changed(self, fault: Fault, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        if fault.kind == "clock":
            self._ahead_ms[fault.link] = round(fault.value * 1000)
        if fault.kind == "mass":
            name = find_mass(fields)
            return {**fields, name: round(fields[name] * fault.value)}
        return fields

    def _look(self) -> None:
        """Orders written since the last look."""
        if self.orders is None or not self.orders.exists() or self.orders.stat().st_size == self._read:
            return
        with self.orders.open("rb") as file:
            file.seek(self._read)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            one = json.loads(line)
            self.order(one["kind"], one["link"], one.get("value"))


def find_mass(fields: Mapping[str, Any]) -> str:
    """The first field that is a mass, "" for none."""
    return next((name for name, value in fields.items() if name.endswith("kg") and isinstance(value, int | float)), "")
