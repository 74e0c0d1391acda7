"""One connection of a telegram link, from its first byte to its end, whichever side called.

Five tasks share it: `_read` takes telegrams and hands them to the spool without waiting, and what answers them leaves
after each commit (telegram_answers.py); `_beat` sends heartbeats; `_watch` notices silence; `_send_down` sends what the
plant wants; `_end_with_its_rules` notices a changed header. The first to end ends all, and so does a failed commit.
Whatever a peer sends, the worst that happens is that its connection closes: what was not acknowledged it sends again.
Telegrams that came together are stored in one commit and answered in one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2 import down
from local_mes.level2.refused import Refusal, keep_refused, refusal_of
from local_mes.level2.ring import UNREADABLE
from local_mes.level2.spool import Stored, append_all
from local_mes.level2.telegram_answers import Answers, stamp_of
from local_mes.level2.telegram_incoming import incoming_of
from local_mes.level2.telegram_rules import BAD_FORMAT, OK, Taken
from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.frame import Framer, encode_stamped
from shared import logs
from shared.errors import Unavailable

if TYPE_CHECKING:
    from local_mes.level2.spool import Incoming
    from local_mes.level2.telegram_server import TelegramLink

READ_BYTES = 65_536
NO_DATA_BEATS = 3
CLOSE_BEATS = 6

log = logs.get("level2")


class TelegramConnection:
    """Reads, stores, acknowledges, beats and sends down over one TCP connection."""

    def __init__(self, link: TelegramLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._link = link
        self._protocol = link.layouts.protocol
        self._state = link.state
        self._reader = reader
        self._writer = writer
        self._answers = Answers(link, writer)
        self._heard = monotonic()
        self._open_down: tuple[int, str, asyncio.Future[Mapping[str, Any]]] | None = None

    async def run(self) -> None:
        """Serve until either side ends it; the link's state says why."""
        host, port = (self._writer.get_extra_info("peername") or ("?", 0))[:2]
        self._state.happened("opened", peer=f"{host}:{port}")
        log.info("connected", link=self._link.link.code, peer=self._state.peer)
        self._link.changed.clear()
        jobs: list[Coroutine[Any, Any, None]] = [
            self._read(),
            self._watch(),
            self._end_with_its_rules(),
        ]
        if not self._link.settings.silent:
            jobs += [self._send_down()]
            jobs += [self._beat()] if self._protocol.heartbeat_id else []
        tasks: list[asyncio.Future[None]] = [self._answers.failed, *map(asyncio.create_task, jobs)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._report([task.exception() for task in done])
        finally:
            self._answers.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writer.close()
            with suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(self._writer.wait_closed(), 1)

    def _report(self, errors: list[BaseException | None]) -> None:
        for error in errors:
            if isinstance(error, OSError | SQLAlchemyError | Unavailable | FormatError):
                self._state.detail = f"The connection ended: {error}"[:400]
                log.warning("connection ended", link=self._link.link.code, why=str(error))
            elif error is not None:
                raise error

    async def _read(self) -> None:
        framer = Framer(self._link.layouts)
        while data := await self._reader.read(READ_BYTES):
            self._heard = monotonic()
            framer.layouts = self._link.layouts  # others of the same header may have been taken over
            self._state.happened("heard", self._state.detail)
            batch: list[Taken] = []
            try:
                for frame in framer.feed(data):
                    batch.append(self._link.rules.take(frame))
            except FormatError as error:
                # the border between telegrams is lost: nothing after this could be trusted
                await self._post(batch)
                self._state.refuse(f"A header that cannot be read: {error}")
                lost = Refusal(UNREADABLE, 0, BAD_FORMAT, f"A header that cannot be read: {error}", framer.rest)
                await asyncio.wrap_future(self._keep([lost], []))
                if self._protocol.acknowledge == "code":
                    self._send(self._protocol.acknowledge_id, {"ack_sequence": 0, "code": BAD_FORMAT})
                raise
            await self._post(batch)
        self._state.detail = "The peer closed the connection."

    async def _post(self, batch: list[Taken]) -> None:
        """Store what is to be stored and queue the answers, in the order the telegrams came."""
        for taken in batch:
            if taken.kind == "answer":
                self._answered(taken)
            elif taken.kind == "refused":
                self._state.refuse(taken.problem)
                log.warning(
                    "telegram refused",
                    link=self._link.link.code,
                    sequence=taken.head.sequence,
                    code=taken.code,
                    why=taken.problem,
                )
        counted = [taken for taken in batch if taken.kind in ("data", "refused")]
        if not counted:
            return
        received = self._link.clock.now_ms()
        stored = [incoming_of(self._link, taken, received) for taken in counted if taken.kind == "data"]
        refused = [refusal_of(taken) for taken in counted if taken.kind == "refused"]
        answer = self._answers.of(counted)
        if refused:
            commit = self._keep(refused, stored)
        else:
            commit = self._link.writer.append_all(stored, partial(self._answers.make_soon, answer))
        self._answers.send_after(commit, answer)
        await self._answers.have_room()

    def _keep(self, refused: list[Refusal], stored: list[Incoming]) -> Future[list[Stored]]:
        """What was refused and what was taken together, in one job: where one cannot be kept, neither is answered."""
        link, peer, now = self._link.link.code, self._state.peer, self._link.clock.now_ms()
        numbers = self._link.writer.numbers

        def job(conn: Connection) -> list[Stored]:
            keep_refused(conn, link=link, peer=peer, batch=refused, now_ms=now)
            return append_all(conn, stored, numbers) if stored else []

        return self._link.writer.submit(job)

    async def _beat(self) -> None:
        while True:
            self._send(self._protocol.heartbeat_id, {})
            await self._writer.drain()
            await asyncio.sleep(self._link.link.heartbeat_s)

    async def _watch(self) -> None:
        beat = self._link.link.heartbeat_s
        while True:
            await asyncio.sleep(beat / 4)
            silent = monotonic() - self._heard
            if silent > CLOSE_BEATS * beat and self._protocol.heartbeat_id:
                self._state.detail = f"Nothing heard for {CLOSE_BEATS} heartbeats: closed."
                return
            if silent > NO_DATA_BEATS * beat:
                self._state.happened("silent", f"Nothing heard for {NO_DATA_BEATS} heartbeats.")

    async def _end_with_its_rules(self) -> None:
        await self._link.changed.wait()
        self._state.detail = (
            "The header or the rules of the line have changed in the files: the connection begins anew."
        )

    async def _send_down(self) -> None:
        following = self._protocol.next_sequence
        while True:
            self._link.down_wake.clear()
            now = self._link.clock.now_ms()
            take = partial(down.take_next, link=self._link.link.code, now_ms=now, following=following)
            row = await asyncio.wrap_future(self._link.writer.submit(take))
            if row is None:
                await self._link.down_wake.wait()
                continue
            accepted, answer = await self._send_one(row)
            settle = partial(
                down.settle, down_id=row.down_id, now_ms=self._link.clock.now_ms(), accepted=accepted, answer=answer
            )
            await asyncio.wrap_future(self._link.writer.submit(settle))

    async def _send_one(self, row: down.Down) -> tuple[bool, str]:
        """Send until it is answered, where the line answers at all; whether it was accepted, and the answer."""
        sends = self._link.link.sends
        if sends is not None and row.message not in sends:
            return False, f"cannot be sent: {row.message} is none of what this link sends"
        try:
            expected = self._link.rules.answer_to(row.message)
        except KeyError:
            return False, f"cannot be sent: {row.message} has no layout"
        answered: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._open_down = (row.sequence, expected or "", answered)
        resent = row.tries > 1
        try:
            while not answered.done():
                self._send(row.message, row.fields, sequence=row.sequence, resent=resent)
                await self._writer.drain()
                resent = True
                if expected is None:
                    return True, "sent; this line acknowledges nothing"
                await asyncio.wait([answered], timeout=self._link.link.resend_s)
                if not answered.done() and not await self._is_open(row):
                    return False, "withdrawn"
            code = answered.result().get("code", OK)
            return code == OK, f"code {code:02d}" if isinstance(code, int) else str(code)
        except FormatError as error:
            return False, f"cannot be sent: {error}"
        finally:
            self._open_down = None

    async def _is_open(self, row: down.Down) -> bool:
        return await asyncio.wrap_future(
            self._link.writer.submit(partial(down.is_open, down_id=row.down_id, now_ms=self._link.clock.now_ms()))
        )

    def _answered(self, taken: Taken) -> None:
        if self._open_down is None:
            return
        sequence, expected, answered = self._open_down
        if taken.message == expected and taken.fields.get("ack_sequence", sequence) == sequence and not answered.done():
            answered.set_result(taken.fields)

    def _send(self, message: str, fields: Mapping[str, Any], *, sequence: int = 0, resent: bool = False) -> None:
        now = self._link.clock.now_ms()
        stamp = stamp_of(self._link, message, at_ms=now, sequence=sequence, resent=resent)
        self._writer.write(encode_stamped(self._link.layouts, stamp, fields))
