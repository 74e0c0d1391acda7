"""The process `strandline plant tee`: sits between Level 2 and the plant's old MES and forwards byte for byte.

Each line is relayed by two small loops that know nothing of telegrams and of Strandline; a copy is offered to a bounded
buffer and never waited for. There is no way from the copy back to the line: whatever Strandline does, dies of or sends,
neither side can notice. It needs a file of its own and nothing of the plant, so it may run on a machine of its own.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from local_mes.level2.shadow import tap
from local_mes.level2.shadow.copying import Copying
from shared import logs
from shared.errors import BadSetup

READ_BYTES = 65_536
CONNECT_S = 10.0
TELL_S = 60.0
log = logs.get("tee")


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[line]]` of the tee's file; addresses are host:port.

    link      what it is called in Strandline's model
    listen    where those who called the old partner's address call now
    forward   the partner
    caller    who calls: Level 2, or the old MES
    copy_to   the shadow link of Strandline's collector
    """

    link: Annotated[str, Meta(min_length=1, max_length=64)]
    listen: str
    forward: str
    copy_to: str
    caller: Literal["level2", "mes"] = "level2"
    buffer_bytes: Annotated[int, Meta(ge=65_536, le=1 << 30)] = 16 << 20


class TeeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    line: Annotated[tuple[Line, ...], Meta(min_length=1)]


def load_tee(file: Path) -> TeeFile:
    """Read and check the file; BadSetup says what is wrong."""
    try:
        found = msgspec.convert(tomllib.loads(file.read_text("utf-8")), TeeFile)
        for line in found.line:
            for address in (line.listen, line.forward, line.copy_to):
                host_port(address)
    except (OSError, ValueError) as error:
        raise BadSetup(
            "tee.bad_file", f"The tee's file {file} cannot be used: {error}.", todo="docs/pilot.md describes it."
        ) from error
    return found


def host_port(address: str) -> tuple[str, int]:
    """`host:port` in two; ValueError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"the address {address!r} is not host:port")
    return host, int(port)


def run_tee(file: Path) -> None:
    """Relay until SIGTERM or SIGINT. BadSetup for a bad file or a taken port."""
    logs.set_up("INFO")
    lines = load_tee(file).line
    asyncio.run(_until_signalled(lines))


async def _until_signalled(lines: tuple[Line, ...]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tees = [Tee(line) for line in lines]
    tasks = [asyncio.create_task(tee.run()) for tee in tees]
    log.info("tee runs", links=[line.link for line in lines])
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait((waiting, *tasks), return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, *tasks):
        task.cancel()
    await asyncio.gather(waiting, *tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()


class Tee:
    """One line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.copying = Copying(line.link, *host_port(line.copy_to), line.buffer_bytes)
        self._number = 0
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen and relay until cancelled. BadSetup when the port is taken."""
        try:
            server = await asyncio.start_server(self._on_connect, *host_port(self.line.listen))
        except OSError as error:
            raise BadSetup(
                "tee.port_taken",
                f"The tee cannot listen on {self.line.listen}: {error.strerror or error}.",
                todo="Free the port, or name another one in the tee's file.",
            ) from error
        copy, tell = asyncio.create_task(self.copying.run()), asyncio.create_task(self._tell())
        try:
            async with server:
                await server.serve_forever()
        finally:
            for task in (copy, tell, *self._open):
                task.cancel()
            await asyncio.gather(copy, tell, *self._open, return_exceptions=True)

    async def _tell(self) -> None:
        said = 0
        while True:
            await asyncio.sleep(TELL_S)
            copying = self.copying
            if copying.dropped_bytes != said:
                said = copying.dropped_bytes
                log.warning("not copied so far", link=self.line.link, dropped_bytes=said, gaps=copying.gaps)

    async def _on_connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self._number += 1
        number = self._number
        try:
            await self._relay_both(number, reader, writer)
        except (OSError, TimeoutError) as error:
            log.info("connection ended", link=self.line.link, connection=number, why=str(error)[:200])
        except asyncio.CancelledError:
            return
        finally:
            self._open.discard(task)
            writer.close()

    async def _relay_both(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_S):
            far_reader, far_writer = await asyncio.open_connection(*host_port(self.line.forward))
        for each in (writer, far_writer):
            _keep_alive(each)
        self.copying.offer(tap.OPENED, number)
        there, back = (tap.UP, tap.DOWN) if self.line.caller == "level2" else (tap.DOWN, tap.UP)
        jobs = [
            asyncio.create_task(self._relay(number, there, reader, far_writer)),
            asyncio.create_task(self._relay(number, back, far_reader, writer)),
        ]
        try:
            await asyncio.gather(*jobs)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            far_writer.close()
            self.copying.offer(tap.CLOSED, number)

    async def _relay(self, number: int, kind: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction: on its way first, copied second. An end on one side is an end on the other."""
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            self.copying.offer(kind, number, data)
            await writer.drain()
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
