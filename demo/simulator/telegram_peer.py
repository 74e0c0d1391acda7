"""One process computer or laboratory on a telegram link: connects to the plant, sends in order, keeps what is not
acknowledged.

At most 16 telegrams are open at once. No acknowledgement in 5 s, or a new connection: the open ones go again with the
same sequence
and the repeat flag. What the plant sends down is acknowledged with 00 and kept. Times of the wire are real seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from demo.simulator.layouts import ACKNOWLEDGE, HEARTBEAT, Layouts, Telegram, decode, encode, length_of

OPEN_MAX = 16
RESEND_S, HEARTBEAT_S = 5.0, 30.0
RECONNECT_S = 0.3
NOISE = b"\xff"


@dataclass(frozen=True)
class Open:
    """A telegram on its way: what is needed to send the same bytes again."""

    message: str
    fields: Mapping[str, Any]
    at_ms: int


@dataclass
class Peer:
    """One link. `sequence` is the last one given; `open` what is not acknowledged, oldest first."""

    code: str
    host: str
    port: int
    layouts: Layouts
    zone: ZoneInfo
    name: str
    sequence: int = 0
    open: OrderedDict[int, Open] = field(default_factory=OrderedDict)
    sent: int = 0
    repeats: int = 0
    refused: list[str] = field(default_factory=list)
    down: list[Telegram] = field(default_factory=list)
    _writer: asyncio.StreamWriter | None = None
    heartbeat_s: float = HEARTBEAT_S
    _quiet: bool = False
    _garbled: set[int] = field(default_factory=set)
    """Sequences of what was sent as garbage: that they are refused is as it should be."""
    _quieting: asyncio.Task[None] | None = None
    _written: set[int] = field(default_factory=set)
    """What went out at least once in this life of the peer."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    await self._talk(reader, writer)
                finally:
                    self._writer = None
                    writer.close()
            await asyncio.sleep(RECONNECT_S)

    async def send(self, message: str, fields: Mapping[str, Any], at_ms: int, twice: bool = False) -> None:
        """Take a telegram over for sending; waits while too many are open. twice = the link repeats it needlessly."""
        while len(self.open) >= OPEN_MAX:
            await self._wait()
        self.skip(1)
        self.open[self.sequence] = Open(message, fields, at_ms)
        self.sent += 1
        self._write(self.sequence)
        if twice:
            self.repeats += 1
            self._write(self.sequence, again=True)

    def skip(self, count: int) -> None:
        """The next telegram's number is so many further on: between them some are lost."""
        self.sequence = (self.sequence - 1 + count) % 9999 + 1

    async def garble(self, message: str, fields: Mapping[str, Any], at_ms: int) -> None:
        """A telegram of this name whose body is not what its layout says, then noise that is no telegram at all."""
        self.skip(1)
        raw = encode(self.layouts, message, fields, at_ms, self.zone, self.sequence, self.name)
        body = len(raw) - self.layouts.header_size
        self._garbled.add(self.sequence)
        await self.connected()
        self._put(raw[: self.layouts.header_size] + NOISE * body)
        self._put(NOISE * (self.layouts.header_size + 1))

    async def connected(self) -> None:
        """Return when the plant has answered the call."""
        while self._writer is None:
            await asyncio.sleep(RECONNECT_S / 10)

    def quiet(self, seconds: float) -> None:
        """Connected and without a word, heartbeats too; then all at once."""
        self._quiet = True
        self._quieting = asyncio.create_task(self._speak_again(seconds))

    async def _speak_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._quiet = False
        for sequence in list(self.open):
            self._write(sequence, again=sequence in self._written)

    async def drained(self) -> None:
        """Return when everything is acknowledged."""
        while self.open:
            await self._wait()

    async def _wait(self) -> None:
        self._changed.clear()
        # the time-out is only against a lost wake-up; the condition is looked at again by the caller
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), 1.0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        for sequence in list(self.open):
            self._write(sequence, again=sequence in self._written)
        async with asyncio.TaskGroup() as tasks:
            beat = tasks.create_task(self._beat())
            again = tasks.create_task(self._resend())
            try:
                while True:
                    self._take(decode(self.layouts, await self._read(reader)))
            except (OSError, asyncio.IncompleteReadError):
                beat.cancel()
                again.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        header = await reader.readexactly(self.layouts.header_size)
        return header + await reader.readexactly(length_of(self.layouts, header) - len(header))

    def _take(self, telegram: Telegram) -> None:
        if telegram.message == ACKNOWLEDGE:
            self._written.discard(int(telegram.fields["ack_sequence"]))
            answered = self.open.pop(int(telegram.fields["ack_sequence"]), None)
            if int(telegram.fields["ack_sequence"]) in self._garbled:
                self._garbled.discard(int(telegram.fields["ack_sequence"]))
            elif answered is not None and telegram.fields["code"]:
                self.refused.append(f"{answered.message} {answered.fields}: code {telegram.fields['code']}")
            self._changed.set()
        elif telegram.message != HEARTBEAT:
            self.down.append(telegram)
            self._put(
                encode(
                    self.layouts,
                    ACKNOWLEDGE,
                    {"ack_sequence": telegram.sequence, "code": 0},
                    0,
                    self.zone,
                    0,
                    self.name,
                )
            )

    async def _beat(self) -> None:
        while True:
            self._put(encode(self.layouts, HEARTBEAT, {}, 0, self.zone, 0, self.name))
            await asyncio.sleep(self.heartbeat_s)

    async def _resend(self) -> None:
        """What has been open for a whole interval goes again."""
        while True:
            before = set(self.open)
            await asyncio.sleep(RESEND_S)
            for sequence in [s for s in self.open if s in before]:
                self._write(sequence, again=True)

    def _write(self, sequence: int, again: bool = False) -> None:
        t = self.open.get(sequence)
        if t is not None and self._writer is not None and not self._quiet:
            self._put(encode(self.layouts, t.message, t.fields, t.at_ms, self.zone, sequence, self.name, again))
            self._written.add(sequence)

    def _put(self, raw: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing() and not self._quiet:
            self._writer.write(raw)
