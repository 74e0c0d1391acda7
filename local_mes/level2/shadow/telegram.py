"""A telegram link in shadow mode: hears the copy of a tee, or of any program that sends what Level 2 sends.

It listens on the link's own address. A tee's feed begins with its mark and has both directions; it is told up to where
everything is on disk. Anything else is a plain copy of what Level 2 says, and is told nothing at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Driver, read_settings
from local_mes.level2.hosts import stranger_words
from local_mes.level2.link_course import GAP, Entry
from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.shadow import tap
from local_mes.level2.shadow.overheard import Overheard, keep
from local_mes.level2.shadow.stream import Stream
from local_mes.level2.telegram_incoming import incoming_of
from local_mes.level2.telegram_rules import OK, Taken
from local_mes.level2.telegram_server import TelegramLink, TelegramSettings
from local_mes.level2.telegrams.frame import Frame
from shared import logs
from shared.errors import Unavailable

READ_BYTES = 65_536
NO_DATA_BEATS = 3
PLAIN = 0
"""The connection's number of a feed that is no tee's."""
log = logs.get("level2")


class ShadowTelegramDriver(Driver):
    """Listens for the copy; the newest feed is the one that counts."""

    Settings = TelegramSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        link, settings = desk.link, read_settings(desk.link, TelegramSettings)
        layouts = desk.plan.layouts[link.code]
        self.line = TelegramLink(link, layouts, desk.plan.zone, desk.clock, desk.writer, desk.state, settings=settings)
        self.heard_at = monotonic()
        self._server: asyncio.Server | None = None
        self._feeds: set[asyncio.Task[None]] = set()

    def take_up(self, link: Link, plan: LinkPlan) -> None:
        """From the next telegram on."""
        super().take_up(link, plan)
        self.line.take_up(link, plan.layouts[link.code])
        if self.line.changed.is_set():
            self.line.changed.clear()
            for task in self._feeds:
                task.cancel()  # the tee sends again what was not confirmed

    async def open(self) -> None:
        """Open the port; BadSetup when it is taken."""
        self._server = await self.line.listen(self._on_connect)

    async def session(self) -> None:
        """Serve until cancelled."""
        server, self._server = self._server or await self.line.listen(self._on_connect), None
        try:
            async with server:
                await self._watch()
        finally:
            server.close()
            await self._end_feeds()

    async def _watch(self) -> None:
        beat = self.desk.link.heartbeat_s
        while True:
            await asyncio.sleep(beat / 4)
            if self._feeds and monotonic() - self.heard_at > NO_DATA_BEATS * beat:
                self.desk.state.happened("silent", f"Nothing heard for {NO_DATA_BEATS} heartbeats.")

    async def _end_feeds(self) -> None:
        feeds = [task for task in self._feeds if task is not asyncio.current_task()]
        for task in feeds:
            task.cancel()
        await asyncio.gather(*feeds, return_exceptions=True)

    async def _on_connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = (writer.get_extra_info("peername") or ("", 0))[:2]
        task = asyncio.current_task()
        if task is None or not self.line.settings.may_connect(host):
            self.desk.state.stranger(host, stranger_words(self.line.settings.hosts, host))
            return writer.close()
        await self._end_feeds()
        self._feeds.add(task)
        self.desk.state.happened("opened", "Listens in shadow mode.", peer=f"{host}:{port}")
        why = "The copy ended."
        try:
            await self._hear(reader, writer)
        except (OSError, SQLAlchemyError, Unavailable, tap.NoFeed) as error:
            why = f"The copy ended: {error}"[:400]
        except asyncio.CancelledError:
            why = "A newer copy took its place."
        finally:
            self._feeds.discard(task)
            writer.close()
            if not self._feeds:
                self.desk.state.happened("closed", why)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = b""
        with suppress(asyncio.IncompleteReadError):
            first = await reader.readexactly(len(tap.MAGIC))
        ear = Ear(self)
        if first == tap.MAGIC:
            return await _hear_tee(ear, reader, writer)
        ear.take(tap.Record(tap.OPENED, PLAIN))
        data = first
        while data:
            ear.take(tap.Record(tap.UP, PLAIN, data))
            await ear.store()
            data = await reader.read(READ_BYTES)


async def _hear_tee(ear: Ear, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    cutter, taken = tap.Reader(), 0
    while data := await reader.read(READ_BYTES):
        sure = 0
        for record in cutter.feed(data):
            ear.take(record)
            taken += 1
            sure = taken if ear.at_border else sure
        await ear.store()
        if sure:
            writer.write(tap.encode_count(sure))
            await writer.drain()


class Ear:
    """What one feed has said so far: streams by connection and direction, telegrams that are to be stored."""

    def __init__(self, driver: ShadowTelegramDriver) -> None:
        self._driver = driver
        self._line, self._desk = driver.line, driver.desk
        self._streams: dict[tuple[int, int], Stream] = {}
        self._up: list[tuple[Taken, int]] = []
        self._down: list[Overheard] = []
        self._kinds: dict[int, Callable[[tap.Record], None]] = {
            tap.OPENED: self._opened,
            tap.UP: self._bytes,
            tap.DOWN: self._bytes,
            tap.CLOSED: self._closed,
            tap.LOST: self._lost,
        }

    @property
    def at_border(self) -> bool:
        """Whether no telegram is half here."""
        return all(stream.at_border for stream in self._streams.values())

    def take(self, record: tap.Record) -> None:
        """The next record."""
        self._kinds[record.kind](record)

    async def store(self) -> None:
        """Everything taken so far is on disk when this returns. SQLAlchemyError, Unavailable: the feed begins anew."""
        up, self._up = self._up, []
        down, self._down = self._down, []
        if up:
            incoming = [incoming_of(self._line, taken, received) for taken, received in up]
            stored = await asyncio.wrap_future(self._desk.writer.append_all(incoming))
            for (taken, received), done in zip(up, stored, strict=True):
                self._desk.state.stored(taken.message, received, repeated=done.repeated)
                if not done.repeated and taken.frame.head is not None:
                    self._desk.state.heard(taken.head.sequence, done.spool_id)
        if down:
            await self._desk.write(lambda conn: keep(conn, down))

    def _opened(self, record: tap.Record) -> None:
        for kind in (tap.UP, tap.DOWN):
            self._streams[record.connection, kind] = Stream(self._line.layouts)

    def _closed(self, record: tap.Record) -> None:
        for kind in (tap.UP, tap.DOWN):
            self._streams.pop((record.connection, kind), None)

    def _lost(self, record: tap.Record) -> None:
        count, why = tap.read_lost(record)
        for stream in self._streams.values():
            stream.lose()
        self._gap(f"{count} bytes were not overheard: {why}.")

    def _bytes(self, record: tap.Record) -> None:
        place = (record.connection, record.kind)
        stream = self._streams.get(place)
        if stream is None:  # a tee that was there before us
            stream = self._streams[place] = Stream(self._line.layouts, in_the_middle=True)
        received = self._desk.clock.now_ms() - record.age_ms
        frames = stream.feed(record.payload)
        if skipped := stream.take_skipped():
            self._gap(f"{skipped} bytes could not be read as telegrams.")
        if record.kind == tap.UP:
            self._driver.heard_at = monotonic()
            self._desk.state.happened("heard", self._desk.state.detail)
            self._up += [(taken, received) for frame in frames if (taken := self._judge(frame))]
        else:
            self._down += self._overheard(frames, received)

    def _judge(self, frame: Frame) -> Taken | None:
        """A telegram to be kept. One that a live link would refuse is kept with its reason: nobody will send it again."""
        taken = self._line.rules.take(frame)
        if taken.kind == "refused":
            self._desk.state.refuse(taken.problem)
            return taken
        return taken if taken.kind == "data" else None

    def _overheard(self, frames: Sequence[Frame], received: int) -> list[Overheard]:
        """What the old MES said down: its orders, and what it refused. Heartbeats and yes are nothing to keep."""
        found = []
        rules = self._line.layouts.protocol
        for frame in frames:
            taken = self._line.rules.take_down(frame)
            if taken.message == rules.heartbeat_id or (
                taken.message == rules.acknowledge_id and taken.fields.get("code", OK) == OK
            ):
                continue
            found.append(Overheard(self._desk.link.code, received, taken))
        return found

    def _gap(self, why: str) -> None:
        """Seen on the link's page; numbers that are missing are counted by the telegrams behind."""
        self._desk.state.note(Entry(self._desk.clock.now_ms(), GAP, why))
        self._desk.state.detail = why
        log.warning("gap in the copy", link=self._desk.link.code, why=why)
