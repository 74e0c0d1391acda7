"""The devices of a demo that is left running: somebody asks them by page, and they do as real ones do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import cycle

from demo.simulator.devices.marker import MarkingMachine
from demo.simulator.devices.printer import LabelPrinter
from demo.simulator.devices.scale import Load, SicsScale
from demo.simulator.devices.socket_end import Device

MAKERS: Mapping[str, type[Device]] = {"WS": SicsScale, "LP": LabelPrinter, "MK": MarkingMachine}
"""By the letters of a unit's name, as in BRK-WS1."""
SLABS_KG = (20_440, 19_870, 21_310, 22_050, 20_920)
SWINGS_S, LIES_S, EMPTY_S = 3.0, 60.0, 15.0
"""How long a slab swings on the crane, lies on the scale, and the scale is empty; real seconds."""


class Room:
    """devices: link code -> host:port."""

    def __init__(self, devices: Mapping[str, str]) -> None:
        self.devices = {
            code: MAKERS[code.partition("-")[2][:2]](int(address.rpartition(":")[2]))
            for code, address in devices.items()
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Switch them on."""
        for device in self.devices.values():
            await device.listen()
            if isinstance(device, SicsScale):
                self._tasks.append(asyncio.create_task(_use(device)))

    async def stop(self) -> None:
        """Switch them off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self.devices.values():
            await device.stop()


async def _use(scale: SicsScale) -> None:
    """One slab after the other."""
    for kg in cycle(SLABS_KG):
        scale.load = Load(kg=kg + 35, moving=True)
        await asyncio.sleep(SWINGS_S)
        scale.load = Load(kg=kg)
        await asyncio.sleep(LIES_S)
        scale.load = Load()
        await asyncio.sleep(EMPTY_S)
