"""All Level-2 wires of the group in one hand: which event goes where, and what to keep so that a restart goes on."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from demo.scenario.script import Event
from demo.simulator.layouts import load
from demo.simulator.opcua_server import RingServer
from demo.simulator.shift_file import ShiftFile, drop
from demo.simulator.telegram_peer import Open, Peer
from demo.simulator.trouble import Troublemaker

ZONES = {"ALD": ZoneInfo("Europe/Warsaw"), "BRK": ZoneInfo("Europe/Berlin"), "CLD": ZoneInfo("Europe/London")}
CLOCK_ERROR_MS = {"CLD": -95_000}
"""Clocks of Level 2 that are wrong."""
PEERS = {"ALD-LAB": "LAB", "ALD-CC1": "CC1", "CLD-PL": "PL1", "CLD-CM": "CM1", "CLD-CG": "CG1", "CLD-SL": "SL1"}


TAKEN_S = 120.0
LOOK_S = 0.05


class Wires:
    """links: link code -> host:port or opc.tcp address. layouts: plant -> folder of telegram layouts. drops: link code ->
    folder where files are put for it."""

    def __init__(
        self,
        links: Mapping[str, str],
        layouts: Mapping[str, Path],
        orders: Path | None = None,
        drops: Mapping[str, Path] | None = None,
    ) -> None:
        self.trouble = Troublemaker(orders)
        self.drops = dict(drops or {})
        sets = {plant: load(folder) for plant, folder in layouts.items()}
        self.peers: dict[str, Peer] = {}
        self.servers: dict[str, RingServer] = {}
        for code, address in links.items():
            plant = code[:3]
            if address.startswith("opc.tcp:"):
                self.servers[plant] = RingServer(code, address, ZONES[plant])
            else:
                host, _, port = address.rpartition(":")
                self.peers[code] = Peer(code, host, int(port), sets[plant], ZONES[plant], PEERS[code])
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the servers, let the peers connect."""
        for server in self.servers.values():
            await server.start()
        self._tasks = [asyncio.create_task(peer.run()) for peer in self.peers.values()]

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(server.stop() for server in self.servers.values()))

    async def play(self, event: Event) -> None:
        """Put one event on its wire, with what was ordered to go wrong on it."""
        at_ms = (event.claimed_ms or event.at_ms) + CLOCK_ERROR_MS.get(event.plant, 0)
        if event.via == "file":
            await self._drop(event)
        elif event.via == "opcua":
            server = self.servers[event.plant]
            claimed, fields = await self.trouble.on_ring(server, event.fields, at_ms)
            await server.event(event.name, fields, claimed)
        else:
            peer = self.peers[event.link]
            claimed, fields, twice = await self.trouble.on_line(peer, event.name, event.fields, at_ms)
            await peer.send(event.name, fields, claimed, twice=twice or event.fault == "repeat")

    async def _drop(self, event: Event) -> None:
        """Put a file in and wait until the plant has taken it, unless it was taken in an earlier run of the demo."""
        folder = self.drops[event.link]
        taken = folder / "done" / event.name
        if not taken.exists():
            await asyncio.to_thread(drop, ShiftFile(event.at_ms, event.name, event.fields["text"]), folder)
        async with asyncio.timeout(TAKEN_S):
            while not taken.exists():
                await asyncio.sleep(LOOK_S)

    async def drained(self) -> None:
        """Return when every wire of the group has been acknowledged."""
        for server in self.servers.values():
            await server.drained()
        for peer in self.peers.values():
            await peer.drained()

    def state(self) -> dict[str, Any]:
        """What a restart needs."""
        peers = {
            code: {
                "sequence": p.sequence,
                "sent": p.sent,
                "repeats": p.repeats,
                "open": [[s, o.message, o.fields, o.at_ms] for s, o in p.open.items()],
            }
            for code, p in self.peers.items()
        }
        servers = {
            plant: {"sequence": s.sequence, "acknowledged": s.acknowledged, "open": list(s.open.items())}
            for plant, s in self.servers.items()
        }
        return {"peers": peers, "servers": servers}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there; before start()."""
        for code, kept in state.get("peers", {}).items():
            peer = self.peers[code]
            peer.sequence, peer.sent, peer.repeats = kept["sequence"], kept["sent"], kept["repeats"]
            peer.open = OrderedDict((s, Open(message, fields, at_ms)) for s, message, fields, at_ms in kept["open"])
        for plant, kept in state.get("servers", {}).items():
            server = self.servers[plant]
            server.sequence, server.acknowledged = kept["sequence"], kept["acknowledged"]
            server.open = OrderedDict((int(s), text) for s, text in kept["open"])
