"""The collector as the process it is: killed in mid-stream it loses nothing acknowledged and keeps nothing twice."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import msgspec
from level2_peers import Peer, Site, connect, cut, until

from shared.clock import FixedClock

MakeSite = Callable[..., Site]
OPEN_MAX = 32


def settings_file(site: Site) -> Path:
    file = site.folder / "plant.toml"
    file.write_text(
        f'code = "ALD"\nname = "Test"\nfolder = "{site.folder}"\nmodel = "model.toml"\nhub_url = "http://127.0.0.1:1"\n'
    )
    return file


def start(site: Site) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        "from shared.cli import main; main()",
        "plant",
        "level2",
        "--config",
        str(settings_file(site)),
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


class Sender:
    """A level 2 by the book: at most 32 open, the oldest unanswered first after a reconnect, repeats flagged."""

    def __init__(self, site: Site, total: int) -> None:
        self.site, self.total = site, total
        self.sent = 0
        self.acknowledged: list[int] = []
        self.open: list[int] = []

    async def work(self, stop_after: int) -> None:
        """Send and take answers until stop_after are acknowledged or the connection breaks."""
        peer = await connect(self.site)
        try:
            for number in self.open:
                await self._send(peer, number, resent=True)
            while len(self.acknowledged) < stop_after:
                while self.sent < self.total and len(self.open) < OPEN_MAX:
                    self.sent += 1
                    self.open.append(self.sent)
                    await self._send(peer, self.sent)
                await peer.take()
                for number, code in peer.acks:
                    assert code == 0
                    assert number == self.open.pop(0)
                    self.acknowledged.append(number)
                peer.acks.clear()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            peer.writer.close()

    async def _send(self, peer: Peer, number: int, *, resent: bool = False) -> None:
        await peer.send("CC1060", cut(number % 99, head_mm=number), number, resent=resent)


def test_killed_in_mid_stream_it_loses_and_doubles_nothing(make_site: MakeSite) -> None:
    site, chance = make_site(), Random(5)
    sender = Sender(site, total=1500)

    async def scene() -> None:
        while len(sender.acknowledged) < sender.total:
            with ended(start(site)) as process:
                aim = min(sender.total, len(sender.acknowledged) + chance.randrange(150, 400))
                job = asyncio.create_task(sender.work(sender.total))
                async with asyncio.timeout(60):
                    while len(sender.acknowledged) < aim and not job.done():
                        await asyncio.sleep(0)
                if aim < sender.total:
                    process.send_signal(signal.SIGKILL)
                await job

    asyncio.run(scene())
    assert sender.acknowledged == list(range(1, 1501))
    assert [msgspec.json.decode(row.fields)["head_mm"] for row in site.spooled()] == list(range(1, 1501))


def test_it_stops_cleanly_when_asked(make_site: MakeSite) -> None:
    site = make_site()

    async def scene() -> None:
        with ended(start(site)) as process:
            peer = await connect(site)
            await peer.send("CC1060", cut(), 1)
            await peer.until(lambda: peer.acks == [(1, 0)])
            process.terminate()
            assert await peer.closed()
            assert await asyncio.to_thread(process.wait, 40) == 0

    asyncio.run(scene())
    assert site.state_name() == "stopped"
    assert site.state().received == 1


def test_a_second_collector_is_refused_in_one_paragraph(make_site: MakeSite) -> None:
    site = make_site()

    async def scene() -> None:
        with ended(start(site)):
            await connect(site)
            await until(lambda: site.state_name() != "")
            with ended(start(site)) as second:
                _, said = await asyncio.to_thread(second.communicate)
                assert second.returncode == 2
                assert b"running already" in said
                assert b"Traceback" not in said

    asyncio.run(scene())


def test_a_taken_port_and_a_bad_model_are_refused_in_one_paragraph(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        with ended(start(site)) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert str(site.port).encode() in said
    site.settings.model.write_text(site.settings.model.read_text().replace("CC1070", "CC1079"))
    with ended(start(site)) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"CC1079" in said
    assert said.count(b"\n") == 1
