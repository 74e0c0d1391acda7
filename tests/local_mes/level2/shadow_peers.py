"""An old MES that answers by the book, and a tee in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from level2_peers import Peer, Site

from local_mes.level2.shadow.tee import Line, Tee
from local_mes.level2.telegrams.codec import decode_body
from local_mes.level2.telegrams.frame import Framer, encode_telegram
from local_mes.level2.telegrams.layout import LayoutSet
from shared.ports import free_port


@dataclass
class OldMes:
    """Listens as the plant's old MES does: acknowledges each telegram, refuses those named, sends what the test says."""

    layouts: LayoutSet
    port: int = field(default_factory=free_port)
    refuses: frozenset[int] = frozenset()
    heard: bytearray = field(default_factory=bytearray)
    said: bytearray = field(default_factory=bytearray)
    answered: list[tuple[int, int]] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None

    def say(self, message: str, fields: dict[str, Any], sequence: int) -> None:
        raw = encode_telegram(
            self.layouts, message, fields, sequence=sequence, claimed="20260311060000000", sender="MES", receiver="CC1"
        )
        assert self.writer is not None
        self.said += raw
        self.writer.write(raw)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        framer = Framer(self.layouts)
        try:
            while data := await reader.read(65536):
                self.heard += data
                for frame in framer.feed(data):
                    assert frame.head is not None
                    if frame.head.message == "AK9000":
                        answer = decode_body(self.layouts.messages["AK9000"], frame.body)
                        self.answered.append((answer["ack_sequence"], answer["code"]))
                    elif frame.head.message != "HB0001":
                        code = 20 if frame.head.sequence in self.refuses else 0
                        self.say("AK9000", {"ack_sequence": frame.head.sequence, "code": code}, 0)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def teeing(site: Site, old: OldMes, *, copy_port: int = 0, buffer_bytes: int = 16 << 20) -> AsyncIterator[Tee]:
    """The old MES with a tee before it; the copy goes to the site's link."""
    line = Line(
        link="CC1",
        listen=f"127.0.0.1:{free_port()}",
        forward=f"127.0.0.1:{old.port}",
        copy_to=f"127.0.0.1:{copy_port or site.port}",
        buffer_bytes=buffer_bytes,
    )
    server = await asyncio.start_server(old.serve, "127.0.0.1", old.port)
    tee = Tee(line)
    task = asyncio.create_task(tee.run())
    try:
        yield tee
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()


async def connect_through(tee: Tee, site: Site) -> Peer:
    """Level 2 calls the tee where it called the old MES."""
    host, _, port = tee.line.listen.rpartition(":")
    async with asyncio.timeout(20):
        while True:
            try:
                return Peer(*await asyncio.open_connection(host, int(port)), site.layouts)
            except OSError:
                await asyncio.sleep(0.02)
