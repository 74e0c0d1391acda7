"""Steel while hosts are upgraded: pieces booked over a plant's API, and telegrams of its laboratory, each until acknowledged.

What was booked is asked for afterwards: everything that got an answer is there, once.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from demo.simulator.layouts import load
from demo.simulator.telegram_peer import Peer

PAUSE_S = 0.5
PATIENCE_S = 300.0
ANALYSIS = {"count": 1, "results": [{"element": "C", "op": "", "value_e5": 4_500}]}


@dataclass(frozen=True)
class Door:
    """A node's API as its people reach it: through its proxy, with the group's certificates."""

    address: str
    token: str
    authority: Path

    def get(self, path: str) -> Any:
        """The answer, or the error of the connection."""
        return self._ask(urllib.request.Request(self._url(path), headers=self._headers))

    def post(self, path: str, **body: Any) -> Any:
        """The same."""
        content = json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self._url(path), content, headers))

    def until(self, path: str, holds: Any, patience_s: float = PATIENCE_S) -> Any:
        """The first answer that holds."""
        end = time.monotonic() + patience_s
        said: Any = None
        while time.monotonic() < end:
            try:
                said = self.get(path)
                if holds(said):
                    return said
            except OSError as error:
                said = error
            time.sleep(1)
        raise SystemExit(f"{self.address}{path} does not become what it should: {said}")

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _url(self, path: str) -> str:
        return f"https://{self.address}/api/v1/{path}"

    def _ask(self, request: urllib.request.Request) -> Any:
        trust = ssl.create_default_context(cafile=str(self.authority))
        with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
            return json.loads(answer.read())


@dataclass
class Booking:
    """Somebody who takes slabs in, one after another; a touch that got no answer is sent again under the same id."""

    door: Door
    place: str
    prefix: str
    booked: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    fault: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="booking")
        self._thread.start()

    def stop(self) -> None:
        """End after the touch in hand."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_S):
            try:
                self.book(f"{self.prefix}{len(self.booked) + 1}")
            except SystemExit as error:
                self.fault = str(error)
                return

    def book(self, number: str) -> None:
        """One slab, until it is answered."""
        slab = {
            "number": number, "kind": "slab", "place": self.place, "grade": "L06", "mass_g": 20_000_000, "mass_basis": "weighed",
            "thickness_um": 250_000, "width_um": 1_500_000, "length_um": 9_000_000, "chemistry": {"C": 450},
        }  # fmt: skip
        began = time.monotonic()
        while True:
            try:
                self.door.post("stock/import", command_id=number, rows=[slab])
                break
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise SystemExit(f"{number} was refused: {error.read()!r}") from error
            except (OSError, http.client.HTTPException):
                pass  # a node that is being restarted: the same touch again
            if time.monotonic() - began > PATIENCE_S:
                raise SystemExit(f"{number} was not taken for {PATIENCE_S} s")
            time.sleep(0.3)
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        self.booked.append(number)


class Laboratory:
    """The laboratory's computer: telegrams in order, kept until acknowledged."""

    def __init__(self, host: str, port: int, telegrams: Path, name: str) -> None:
        self._peer = Peer("lab", host, port, load(telegrams), ZoneInfo("Europe/Warsaw"), name, heartbeat_s=5)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="laboratory")
        self.longest_s = 0.0
        self.fault = ""

    @property
    def sent(self) -> int:
        """Telegrams that went out and were acknowledged."""
        return self._peer.sent

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End when everything is acknowledged."""
        self._ended.set()
        self._thread.join()

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except TimeoutError:
            self.fault = f"a telegram was not acknowledged for {PATIENCE_S} s"

    async def _run(self) -> None:
        line = asyncio.create_task(self._peer.run())
        while not self._ended.is_set():
            began = time.monotonic()
            now = time.time_ns() // 1_000_000
            fields = {"sample": f"S{self._peer.sent + 1}", "heat": "4H0001", "place": "LFF", **ANALYSIS}
            await self._peer.send("LB1010", fields, now)
            await asyncio.wait_for(self._peer.drained(), PATIENCE_S)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)
        line.cancel()
