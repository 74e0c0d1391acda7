"""The collector as the process it is: started, stopped, refused. Being killed is tried in test_telegram_kills.py."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from level2_peers import Site, connect, cut, until

from shared.clock import FixedClock

MakeSite = Callable[..., Site]


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
