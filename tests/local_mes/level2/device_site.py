"""A plant with devices: links of each kind, and what the tests look at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from level2_peers import Site, collecting, until

from demo.simulator.devices.socket_end import Device
from local_mes.level2 import down
from local_mes.level2.down import Down
from shared.clock import FixedClock

SCALE = """
[[link]]
code = "WS1"
kind = "scale"
unit = "WS1"
address = "127.0.0.1:{port}"
  [link.settings]
  protocol = "{protocol}"
  scale = "WS-0815"
  calibrated_until = {until}
  capacity_kg = 40000
  poll_ms = 20
  stable_s = 1.5
  {more}
  [link.map]
  "*.Weighed" = "piece_weighed"
"""


def link(kind: str, code: str, port: int, operation: str, more: str = "") -> str:
    return (
        f'\n[[link]]\ncode = "{code}"\nkind = "{kind}"\nunit = "{code}"\naddress = "127.0.0.1:{port}"\n'
        f'  [link.settings]\n  {more}\n  [link.map]\n  "*" = "ignore"\n'.replace('"*" = "ignore"', operation)
    )


def scale(port: int, protocol: str = "sics", until: str = "2027-01-31", more: str = "") -> str:
    return SCALE.format(port=port, protocol=protocol, until=until, more=more)


def fields(site: Site, link: str = "") -> list[dict[str, Any]]:
    return [json.loads(row.fields) for row in site.spooled() if not link or row.link == link]


def detail(site: Site, link: str) -> str:
    """What the link's line says, also before it was first written."""
    return str(site.state(link).detail) if site.state_name(link) else ""


def ask(site: Site, clock: FixedClock, link: str, what: str, key: str, **more: Any) -> None:
    down.queue_telegram(site.spool, clock, link, what, more, key=key)


def order(site: Site, key: str) -> Down:
    found = down.find_by_key(site.spool, key)
    assert found is not None
    return found


async def answered(site: Site, key: str) -> Down:
    await until(lambda: order(site, key).state in ("confirmed", "refused"))
    return order(site, key)


@asynccontextmanager
async def talking(site: Site, clock: FixedClock, *devices: Device, link: str = "") -> AsyncIterator[asyncio.Task[None]]:
    """Devices that listen, the collector, and the link that was asked for connected."""
    for device in devices:
        await device.listen()
    try:
        async with collecting(site, clock) as task:
            if link:
                await until(lambda: site.state_name(link) == "connected")
            yield task
    finally:
        for device in devices:
            await device.stop()
