"""Where it is decided that a link in shadow mode only listens: the one place, whatever the link's kind.

A shadow link gets a driver that takes nothing away and answers nothing, or is refused at the start; and a desk that
hands it no orders: they are settled here as withheld, and no later connection ever sends them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from local_mes.level2 import down
from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Answer, Driver, bad_link
from local_mes.level2.drivers.registry import find_driver
from local_mes.level2.links import Link, LinkPlan

WITHHELD_WHY = "not sent: this link is in shadow mode, the old MES is in charge"


class ShadowDesk(Desk):
    """The desk of a link that only listens."""

    async def send_orders(self, send: Callable[[down.Down], Awaitable[Answer]]) -> None:
        """Withhold what waits; until cancelled."""
        while True:
            self.down_wake.clear()
            withhold = partial(down.withhold, link=self.link.code, now_ms=self.clock.now_ms(), why=WITHHELD_WHY)
            await asyncio.wrap_future(self.writer.submit(withhold))
            await self.down_wake.wait()


def driver_kind(link: Link) -> type[Driver]:
    """The driver of a link: of its kind, or the kind's listening form in shadow mode. BadSetup where it has none."""
    kind = find_driver(link)
    if not link.shadow:
        return kind
    silent = kind.shadow(link)
    if silent is None:
        raise bad_link(link.code, f"in shadow mode a link of kind {link.kind} must not do what these settings ask for")
    return silent


def desk_kind(link: Link) -> type[Desk]:
    """The desk of a link."""
    return ShadowDesk if link.shadow else Desk


def check_shadow(plan: LinkPlan) -> None:
    """BadSetup names a shadow link that could not keep silent."""
    for link in plan.links.values():
        driver_kind(link)
