"""What acknowledges telegrams: made while the disk is busy, sent after the commit, in the order they came.

The writing thread calls back into the event loop, where the answer leaves at once: no task waits in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from local_mes.level2.spool import Stored
from local_mes.level2.telegram_rules import Taken
from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.frame import Stamp, Stamped
from local_mes.level2.telegrams.times import local_text

if TYPE_CHECKING:
    from local_mes.level2.telegram_server import TelegramLink

ANSWERS_MAX = 8
"""Reads taken ahead of their commit: bounded against a peer that sends on and on without an answer."""


class Answers:
    """Of one connection. failed: ends with the first error; what a failed commit held is not acknowledged, nor what follows."""

    def __init__(self, link: TelegramLink, writer: asyncio.StreamWriter) -> None:
        self._link = link
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._open = 0
        self._fewer = asyncio.Event()
        self.failed: asyncio.Future[None] = self._loop.create_future()

    def of(self, batch: Sequence[Taken]) -> Answer:
        """What answers these telegrams, data and refused ones; made when first asked for."""
        return Answer(self._link, batch)

    def send_after(self, commit: Future[list[Stored]], answer: Answer) -> None:
        """Answer as soon as the telegrams are on disk."""
        self._open += 1
        commit.add_done_callback(partial(self._soon, self._deliver, answer))

    def make_soon(self, answer: Answer) -> None:
        """For the thread that writes: have the answer made while that one waits for the disk."""
        self._soon(answer.make)

    async def have_room(self) -> None:
        """Wait while too many commits are open, or the peer does not take what it is told."""
        await self._writer.drain()
        while self._open >= ANSWERS_MAX:
            self._fewer.clear()
            await self._fewer.wait()

    def close(self) -> None:
        """The connection ends: nothing more is sent. What was heard is stored all the same: not every peer sends again."""
        self.failed.cancel()

    def _soon(self, do: Callable[..., object], *values: Any) -> None:
        """A loop that has ended has no connections left to answer on."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(do, *values)

    def _deliver(self, answer: Answer, commit: Future[list[Stored]]) -> None:
        self._open -= 1
        self._fewer.set()
        try:
            stored = commit.result()
            if not self.failed.done():
                self._writer.write(answer.make())
            answer.count(stored)
        except Exception as error:  # noqa: BLE001 - ends the connection, which says why
            if not self.failed.done():
                self.failed.set_exception(error)


class Answer:
    """To a batch of telegrams."""

    def __init__(self, link: TelegramLink, batch: Sequence[Taken]) -> None:
        self._link, self._batch = link, batch
        self._rules, self._layouts = link.rules, link.layouts  # those it was taken by: others may come meanwhile
        self._text: bytes | None = None

    def count(self, stored: Sequence[Stored]) -> None:
        """For the link's picture: what of the batch was stored."""
        now, state = self._link.clock.now_ms(), self._link.state
        data = [taken for taken in self._batch if taken.kind == "data"]
        for taken, done in zip(data, stored, strict=True):
            state.stored(taken.message, now, repeated=done.repeated)
            if not done.repeated and taken.frame.head is not None:
                state.heard(taken.head.sequence, done.spool_id)

    def make(self) -> bytes:
        """Its bytes, in the order of the batch; one time and one header for all that answer alike."""
        if self._text is None:
            self._text = b"" if self._link.settings.silent else self._made()
        return self._text

    def _made(self) -> bytes:
        now, stamped, parts = self._link.clock.now_ms(), dict[str, Stamped](), list[bytes]()
        for taken in self._batch:
            answer = self._rules.answer(taken)
            if answer is None:
                continue
            message, fields = answer
            try:
                alike = stamped.get(message)
                if alike is None:
                    alike = stamped[message] = Stamped(self._layouts, stamp_of(self._link, message, at_ms=now))
                parts.append(alike.encode(fields))
            except FormatError as error:
                # a reply in kind to a request that cannot be read: what it would have to repeat is not known
                self._link.state.refuse(f"{taken.message} cannot be answered: {error}")
        return b"".join(parts)


def stamp_of(link: TelegramLink, message: str, *, at_ms: int, sequence: int = 0, resent: bool = False) -> Stamp:
    """How a telegram of ours on this link is headed."""
    return Stamp(message, sequence, local_text(at_ms, link.zone), link.link.name, link.link.peer, resent)
