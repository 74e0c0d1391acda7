"""The worked driver of the recipe, taken from its page and run: installed as a package would be, against a real socket."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from level2_peers import Site, collecting, until

from local_mes.level2 import down
from local_mes.level2.drivers import registry
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.links import Link, load_links
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
PAGE = Path(__file__).parents[3] / "docs" / "recipes" / "add-a-driver.md"


def blocks(language: str, page: Path = PAGE) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's package on the path, with its entry point, as pip would leave it."""
    (tmp_path / "weighbridge.py").write_text(blocks("python")[0])
    home = tmp_path / "weighbridge-1.dist-info"
    home.mkdir()
    (home / "METADATA").write_text("Metadata-Version: 2.1\nName: weighbridge\nVersion: 1\n")
    group, line = re.findall(r'"(strandline\.[^"]+)"\]\n(.*)', blocks("toml")[0])[0]
    (home / "entry_points.txt").write_text(f"[{group}]\n{line.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.installed.cache_clear()
    yield
    registry.installed.cache_clear()
    sys.modules.pop("weighbridge", None)


class Bridge:
    """The device: repeats a weighing until it is acknowledged."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while line := await reader.readline():
            self.heard.append(line.decode().strip())
            if line.startswith(b"Z"):
                writer.write(b"OK\r\n")
        writer.close()

    def says(self, line: str) -> None:
        self.writers[-1].write(f"{line}\r\n".encode())


def test_the_page_is_a_driver_of_under_80_lines_that_works(
    installed: None, make_site: MakeSite, clock: FixedClock
) -> None:
    assert blocks("python")[0].count("\n") < 80
    port = free_port()
    site = make_site(more=blocks("toml")[1].replace("10.1.7.20:4001", f"127.0.0.1:{port}"))
    bridge = Bridge()

    async def scene() -> None:
        down.queue_telegram(site.spool, clock, "WB1", "Zero", {}, key="z1")
        async with collecting(site, clock):
            server = await asyncio.start_server(bridge.serve, "127.0.0.1", port)
            await until(lambda: bool(bridge.writers))
            bridge.says("W;41;21450;2026-03-11T06:00:00")
            bridge.says("W;41;21450;2026-03-11T06:00:00")  # it did not hear the answer in time
            await until(lambda: bridge.heard.count("A;41") == 2)
            await until(lambda: down.find_by_key(site.spool, "z1").state == "confirmed")  # type: ignore[union-attr]
            bridge.says("W;no number")  # ends the session, and the next one begins by itself
            await until(lambda: len(bridge.writers) == 2)
            bridge.says("W;42;980;2026-03-11T06:05:00")
            await until(lambda: "A;42" in bridge.heard)
            server.close()

    asyncio.run(scene())
    assert [json.loads(row.fields) for row in site.spooled()] == [
        {"mass_kg": 21450, "scale": "WB-0815"},
        {"mass_kg": 980, "scale": "WB-0815"},
    ]
    assert site.state("WB1").repeated == 1


def test_settings_that_a_driver_does_not_know_are_refused_by_name(installed: None, make_site: MakeSite) -> None:
    with pytest.raises(BadSetup, match="scael"):
        load_links(make_site(more=blocks("toml")[1].replace("scale =", "scael =")).settings)


def test_a_driver_that_lacks_a_method_is_refused_before_it_runs(
    installed: None, make_site: MakeSite, tmp_path: Path
) -> None:
    (tmp_path / "weighbridge.py").write_text(blocks("python")[0].replace("async def session", "async def talk"))
    with pytest.raises(BadSetup, match="lacks session"):
        load_links(make_site(more=blocks("toml")[1]).settings)


def test_an_unknown_kind_names_what_is_installed(make_site: MakeSite) -> None:
    with pytest.raises(BadSetup, match="'gate_bridge', and no driver") as refused:
        load_links(make_site(more=blocks("toml")[1]).settings)
    assert "opcua" in refused.value.todo
    assert "telegram" in refused.value.todo


EXAMPLES = [text for page in ("level2-drivers.md", "devices.md") for text in blocks("toml", PAGE.parents[1] / page)]
EDGES = '[[link]]\ncode = "E"\nkind = "sparkplug"\naddress = "127.0.0.1:1883"\n'


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_drivers_page_is_what_its_driver_takes(text: str) -> None:
    (row,) = tomllib.loads(text if text.startswith("[[link]]") else EDGES + text)["link"]
    link = msgspec.convert(row, Link)
    settings = read_settings(link, registry.find_driver(link).Settings)
    assert msgspec.structs.asdict(settings)
