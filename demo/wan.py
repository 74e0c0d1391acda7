"""The lines between plants and hub: a TCP proxy a plant, cut and restored by a file.

    python -m demo.wan --state wan.json --to 127.0.0.1:8400 ALD=18501 BRK=18502

`wan.json` holds the plants whose line is cut. A cut line closes its connections and refuses new ones; what the proxy
has done
is written to `wan.json.done`, so that whoever cuts can wait for it. A digger does not ask how many bytes were under
way.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.05
CHUNK = 65_536


@dataclass
class Line:
    """One plant's line to the hub."""

    plant: str
    port: int
    host: str
    hub_port: int
    cut: bool = False
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def restore(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.cut = False

    async def sever(self) -> None:
        """Close everything and refuse."""
        self.cut = True
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.hub_port)
        except OSError:
            writer.transport.abort()
            return
        if self.cut:
            writer.transport.abort()
            far_writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()


def read_cut(path: Path) -> list[str]:
    """Plants whose line is to be cut; none when the file is not there."""
    return list(json.loads(path.read_text())["cut"]) if path.exists() else []


async def follow(lines: list[Line], state: Path) -> None:
    """Do what the file says, and say what was done, until cancelled."""
    done = state.with_name(state.name + ".done")
    first = read_cut(state)
    for line in lines:
        line.cut = line.plant in first
        if not line.cut:
            await line.restore()
    while True:
        wanted = read_cut(state)
        for line in lines:
            if line.cut != (line.plant in wanted):
                await (line.restore() if line.cut else line.sever())
        said = json.dumps({"cut": wanted})
        if not done.exists() or done.read_text() != said:
            new = done.with_suffix(".new")
            new.write_text(said)
            new.replace(done)
        await asyncio.sleep(LOOK_S)


def main() -> None:
    """Run the lines."""
    parser = argparse.ArgumentParser(prog="demo.wan")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--to", required=True, help="host:port of the hub")
    parser.add_argument("lines", nargs="+", metavar="PLANT=PORT")
    args = parser.parse_args()
    host, _, port = args.to.rpartition(":")
    lines = [Line(plant, int(own), host, int(port)) for plant, _, own in (text.partition("=") for text in args.lines)]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow(lines, args.state))


if __name__ == "__main__":
    main()
