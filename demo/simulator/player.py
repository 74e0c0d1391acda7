"""The simulator's one loop: the next event, its time, its wire, its lines in the ledger, the progress on disk.

Two ways of time. *Fast*: the clock stands at the event's moment until every wire has been acknowledged, then jumps;
each lot of
messages must have been interpreted before the next goes out, and so must everything before a person acts at that
plant. *Paced*: the
clock runs at `speed` and the event waits for its moment; during a wait for the group it stands.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.scenario.day import Scenario
from demo.scenario.moments import iso
from demo.scenario.script import Event
from demo.simulator import errands, settling
from demo.simulator.clock_signal import ClockSignal
from demo.simulator.office import Office
from demo.simulator.people import Desk, Refused
from demo.simulator.record import LedgerFile, Progress
from demo.simulator.wires import Wires

TOGETHER_MS = 5_000
"""In fast play, events this close go out without waiting for each other's acknowledgement."""
NUMBERS_A_DAY = 100_000
LOT = 25
"""Messages a plant may have before they must have been interpreted."""
TELL_EVERY_S = 5.0
NOD_S = 0.05


@dataclass
class Player:
    """Plays one day. speed None = fast throughout."""

    scenario: Scenario
    desks: Mapping[str, Desk]
    wires: Wires
    clock: ClockSignal
    ledger: LedgerFile
    progress: Progress
    office: Office
    wan: Path
    hub: str
    speed: float | None = None
    _untold: Counter[str] = field(default_factory=Counter)
    _running: bool = False
    _told_s: float = 0.0

    async def run(self) -> None:
        """From where it was to the end of the scenario."""
        start = self.progress.at_ms or self.scenario.begins_ms
        self.clock.hold(start)
        for number, event in enumerate(self.scenario.events):
            if number >= self.progress.played:
                await self._come_to(event)
                await self._play(number, event)
                self._keep(number, event)
        self._tell(self.scenario.events[-1], len(self.scenario.events))

    async def _come_to(self, event: Event) -> None:
        if self.speed is None or event.at_ms < self.scenario.day_begins_ms:
            if event.at_ms - self.clock.now_ms() > TOGETHER_MS:
                await self.wires.drained()
                self.clock.hold(event.at_ms)
            return
        if not self._running:
            self.clock.run(max(self.clock.now_ms(), self.scenario.day_begins_ms), self.speed)
            self._running = True
        while (left := event.at_ms - self.clock.now_ms()) > 0:
            await asyncio.sleep(min(left / 1000 / self.speed, 0.5))

    async def _play(self, number: int, event: Event) -> None:
        ways: Mapping[str, Callable[[int, Event], Awaitable[None]]] = {
            "opcua": self._message,
            "telegram": self._message,
            "file": self._message,
            "http": self._command,
            "release": self._errand,
            "mend": self._errand,
            "resolve": self._resolve,
            "settle": self._wait,
            "wait_shipment": self._wait,
            "wait_standards": self._wait,
            "wait_episode": self._wait,
            "standards": self._standards,
            "wan": self._line,
            "note": self._nothing,
        }
        lines = [dict(line) for line in event.ledger]
        try:
            await ways[event.via](number, event)
            if event.via in ("http", "release", "mend"):
                lines.append(
                    {
                        "what": "command",
                        "plant": event.plant,
                        "command_id": self._command_id(number),
                        "path": event.name,
                    }
                )
        except Refused as refused:
            self._complain(event, str(refused))
        if event.name == "end":
            lines = self._sums() + lines
        self.ledger.write(self.progress.day * NUMBERS_A_DAY + number, event.at_ms, lines)

    async def _message(self, _number: int, event: Event) -> None:
        if self._untold[event.plant] >= LOT:
            await self._interpreted(event.plant)
        await self.wires.play(event)
        self._untold[event.plant] += 1

    async def _command(self, number: int, event: Event) -> None:
        await self._interpreted(event.plant)
        body = {"command_id": self._command_id(number), "occurred_at": event.at_ms, **event.fields}
        await asyncio.to_thread(self.desks[event.plant].post, event.name, body)

    async def _errand(self, number: int, event: Event) -> None:
        await self._interpreted(event.plant)
        errand = errands.release if event.via == "release" else errands.mend
        await asyncio.to_thread(errand, self.desks[event.plant], self._command_id(number), event.at_ms, event.fields)

    async def _wait(self, _number: int, event: Event) -> None:
        """Time stands while the group takes in what it was told."""
        if self._running and self.speed:
            self.clock.hold(event.at_ms)
        for plant in list(self._untold):
            await self._interpreted(plant)
        if not await asyncio.to_thread(self._look, event):
            self._complain(event, f"{event.via} {event.name}: not so within its time")
        if self._running and self.speed:
            self.clock.run(event.at_ms, self.speed)

    def _look(self, event: Event) -> bool:
        told, hub = event.fields, self.desks[self.hub]
        if event.via == "wait_shipment":
            return settling.wait_shipment(self.desks[event.plant], told["number"])
        if event.via == "wait_standards":
            return settling.wait_adopted(hub, told["code"], told["version"], told["plants"])
        if event.via == "wait_episode":
            return settling.wait_episode(hub, told["number"], told["lines"])
        return settling.wait_settled(self.desks, self.hub, told["plants"])

    async def _standards(self, number: int, event: Event) -> None:
        await asyncio.to_thread(self.office.release, event.fields["documents"], self._command_id(number))

    async def _resolve(self, number: int, event: Event) -> None:
        await asyncio.to_thread(errands.resolve, self.desks[self.hub], self._command_id(number), event.fields)

    async def _line(self, _number: int, event: Event) -> None:
        await asyncio.to_thread(errands.switch_line, self.wan, event.plant, event.name == "cut")

    async def _nothing(self, _number: int, _event: Event) -> None:
        return

    async def _interpreted(self, plant: str) -> None:
        if self._untold[plant]:
            await self.wires.drained()
            if not await asyncio.to_thread(settling.wait_interpreted, self.desks[plant]):
                self._complain(None, f"{plant} has not interpreted its spool")
            self._untold[plant] = 0

    def _command_id(self, number: int) -> str:
        return f"demo-{self.scenario.seed}-{self.progress.day}-{number}"

    def _keep(self, number: int, event: Event) -> None:
        self.progress.played, self.progress.at_ms = number + 1, event.at_ms
        self.progress.wires = self.wires.state()
        self.progress.keep()
        if time.monotonic() - self._told_s > TELL_EVERY_S:
            self._tell(event, number + 1)

    def _tell(self, event: Event, played: int) -> None:
        self._told_s = time.monotonic()
        print(f"  {iso(event.at_ms)[:16]}Z  {played} of {len(self.scenario.events)} events", flush=True)

    def _complain(self, event: Event | None, text: str) -> None:
        where = f"{iso(event.at_ms)[:19]}Z {event.plant} {event.name}: " if event else ""
        self.progress.failed.append(where + text)
        print(f"  ! {where}{text}", file=sys.stderr, flush=True)

    def _sums(self) -> list[dict[str, Any]]:
        broken = Counter(e.link for e in self.scenario.events if e.fault == "wide")
        out: list[dict[str, Any]] = []
        for code, peer in self.wires.peers.items():
            out.append(
                {
                    "what": "sent",
                    "plant": code[:3],
                    "link": code,
                    "count": peer.sent,
                    "repeats": peer.repeats,
                    "broken": broken[code],
                }
            )
            for refused in peer.refused:
                self._complain(None, f"{code} answered {refused}")
        for plant, server in self.wires.servers.items():
            out.append(
                {
                    "what": "sent",
                    "plant": plant,
                    "link": server.code,
                    "count": server.sequence,
                    "repeats": 0,
                    "broken": 0,
                }
            )
        return out
