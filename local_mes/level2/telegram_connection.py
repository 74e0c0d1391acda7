"""One connection of a telegram link, from its first byte to its end.

Five tasks share it: `_read` takes telegrams and hands them to the spool without waiting; `_answer` waits for each
commit and acknowledges in order; `_beat` sends heartbeats; `_watch` notices silence; `_send_down` sends what the plant
wants. The first to end ends all. Whatever a peer sends, the worst that happens is that its connection closes: what was
not acknowledged it sends again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2 import down
from local_mes.level2.link_state import CONNECTED, NO_DATA
from local_mes.level2.spool import Incoming, Stored
from local_mes.level2.telegrams.codec import FormatError, decode_body
from local_mes.level2.telegrams.frame import (
    Head,
    decode_head,
    encode_telegram,
    header_size,
)
from local_mes.level2.telegrams.layout import ACKNOWLEDGE, HEARTBEAT
from local_mes.level2.telegrams.times import claimed_ms, local_text, zone_offset_min
from shared import logs
from shared.errors import Unavailable

if TYPE_CHECKING:
    from local_mes.level2.telegram_server import TelegramLink

OK, UNKNOWN, BAD_FORMAT = 0, 10, 20
ANSWERS_MAX = 256
"""Telegrams read ahead of their commit: above the 32 a peer may have open, bounded against one that has no manners."""
NO_DATA_BEATS = 3
CLOSE_BEATS = 6

log = logs.get("level2")
_Answer = tuple[Head, int, "Future[Stored] | None"]


class TelegramConnection:
    """Reads, stores, acknowledges, beats and sends down over one TCP connection."""

    def __init__(self, link: TelegramLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._link = link
        self._layouts = link.layouts
        self._state = link.state
        self._reader = reader
        self._writer = writer
        self._answers: asyncio.Queue[_Answer] = asyncio.Queue(ANSWERS_MAX)
        self._heard = monotonic()
        self._open_down: tuple[int, asyncio.Future[int]] | None = None

    async def run(self) -> None:
        """Serve until either side ends it."""
        host, port = (self._writer.get_extra_info("peername") or ("?", 0))[:2]
        self._state.become(CONNECTED, peer=f"{host}:{port}")
        log.info("connected", link=self._link.link.code, peer=self._state.peer)
        jobs: list[Coroutine[Any, Any, None]] = [
            self._read(),
            self._answer(),
            self._beat(),
            self._watch(),
            self._send_down(),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._report([task.exception() for task in done])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writer.close()
            with suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(self._writer.wait_closed(), 1)

    def _report(self, errors: list[BaseException | None]) -> None:
        for error in errors:
            if isinstance(error, asyncio.IncompleteReadError):
                self._state.detail = "The peer closed the connection."
            elif isinstance(error, OSError | SQLAlchemyError | Unavailable | FormatError):
                self._state.detail = f"The connection ended: {error}"[:400]
                log.warning("connection ended", link=self._link.link.code, why=str(error))
            elif error is not None:
                raise error

    async def _read(self) -> None:
        size = header_size(self._layouts)
        while True:
            raw = await self._reader.readexactly(size)
            try:
                head = decode_head(self._layouts, raw)
            except FormatError as error:
                # the border between telegrams is lost: nothing after this could be trusted
                self._state.refuse(f"A header that cannot be read: {error}")
                self._send(ACKNOWLEDGE, {"ack_sequence": 0, "code": BAD_FORMAT})
                raise
            body = await self._reader.readexactly(head.length - size)
            self._heard = monotonic()
            self._state.become(CONNECTED, detail=self._state.detail)
            await self._take(head, raw, body)

    async def _take(self, head: Head, raw: bytes, body: bytes) -> None:
        if head.message == HEARTBEAT:
            return
        layout = self._layouts.messages.get(head.message)
        if layout is None or (head.message != ACKNOWLEDGE and head.message not in self._link.accepted):
            return await self._refuse(head, UNKNOWN, f"{head.message} is no message of this link.")
        try:
            fields = decode_body(layout, body)
        except FormatError as error:
            return await self._refuse(head, BAD_FORMAT, f"{head.message}: {error}")
        if head.message == ACKNOWLEDGE:
            return self._acknowledged(fields["ack_sequence"], fields["code"])
        received = self._link.clock.now_ms()
        moment = claimed_ms(head.claimed, self._link.zone, received)
        if not head.resent:
            # a repeat says when it first was sent; heartbeats often carry no true time at all
            self._state.offset.learn(received, moment)
        incoming = Incoming(
            link=self._link.link.code,
            message=head.message,
            sequence=head.sequence,
            claimed=head.claimed,
            claimed_ms=moment,
            received_ms=received,
            offset_ms=self._state.offset.ms,
            zone_offset_min=zone_offset_min(moment or received, self._link.zone),
            raw=raw + body,
            body=body,
            fields=fields,
        )
        await self._answers.put((head, OK, self._link.writer.append(incoming)))

    async def _refuse(self, head: Head, code: int, why: str) -> None:
        self._state.refuse(why)
        log.warning("telegram refused", link=self._link.link.code, sequence=head.sequence, code=code, why=why)
        await self._answers.put((head, code, None))

    async def _answer(self) -> None:
        while True:
            head, code, commit = await self._answers.get()
            if commit is not None:
                stored = await asyncio.wrap_future(commit)
                self._state.stored(head.message, self._link.clock.now_ms(), repeated=stored.repeated)
            self._send(ACKNOWLEDGE, {"ack_sequence": head.sequence, "code": code})
            await self._writer.drain()

    async def _beat(self) -> None:
        while True:
            self._send(HEARTBEAT, {})
            await self._writer.drain()
            await asyncio.sleep(self._link.link.heartbeat_s)

    async def _watch(self) -> None:
        beat = self._link.link.heartbeat_s
        while True:
            await asyncio.sleep(beat / 4)
            silent = monotonic() - self._heard
            if silent > CLOSE_BEATS * beat:
                self._state.detail = f"Nothing heard for {CLOSE_BEATS} heartbeats: closed."
                return
            if silent > NO_DATA_BEATS * beat:
                self._state.become(NO_DATA, detail=f"Nothing heard for {NO_DATA_BEATS} heartbeats.")

    async def _send_down(self) -> None:
        while True:
            self._link.down_wake.clear()
            take = partial(down.take_next, link=self._link.link.code, now_ms=self._link.clock.now_ms())
            row = await asyncio.wrap_future(self._link.writer.submit(take))
            if row is None:
                await self._link.down_wake.wait()
            else:
                await self._send_one(row)

    async def _send_one(self, row: down.Down) -> None:
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._open_down = (row.sequence, answered)
        resent = row.tries > 1
        try:
            while not answered.done():
                self._send(row.message, row.fields, sequence=row.sequence, resent=resent)
                await self._writer.drain()
                resent = True
                await asyncio.wait([answered], timeout=self._link.link.resend_s)
            accepted, answer = answered.result() == OK, f"code {answered.result():02d}"
        except FormatError as error:
            accepted, answer = False, f"cannot be sent: {error}"
        finally:
            self._open_down = None
        settle = partial(
            down.settle, down_id=row.down_id, now_ms=self._link.clock.now_ms(), accepted=accepted, answer=answer
        )
        await asyncio.wrap_future(self._link.writer.submit(settle))

    def _acknowledged(self, sequence: int, code: int) -> None:
        if self._open_down and self._open_down[0] == sequence and not self._open_down[1].done():
            self._open_down[1].set_result(code)

    def _send(self, message: str, fields: dict[str, Any], *, sequence: int = 0, resent: bool = False) -> None:
        link = self._link.link
        self._writer.write(
            encode_telegram(
                self._layouts,
                message,
                fields,
                sequence=sequence,
                sender=link.name,
                receiver=link.peer,
                resent=resent,
                claimed=local_text(self._link.clock.now_ms(), self._link.zone),
            )
        )
