"""kill -9 of the collector between a device's word and the answer: each thing is kept once, painted once, weighed once."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from random import Random

import pytest
from device_site import ask, link, order, scale
from level2_peers import Site, until

from demo.simulator.devices.marker import MarkingMachine
from demo.simulator.devices.printer import LabelPrinter
from demo.simulator.devices.scale import Load, SicsScale
from demo.simulator.devices.spectrometer import Spectrometer
from local_mes.level2.collector import run_level2
from shared.clock import FixedClock
from shared.ports import free_port

MakeSite = Callable[..., Site]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["local_mes.level2.collector", "local_mes.level2.devices.printer"])
LABELLED = '"*.Printed" = "piece_labelled"\n  "*.Marked" = "piece_labelled"'
ORDERS = 3
"""Of each kind, asked for between two kills."""


@contextmanager
def collector(site: Site) -> Iterator[ForkServerProcess]:
    process = FORKS.Process(target=run_level2, args=(site.settings,), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize(
    "kills",
    [pytest.param(3, id="a few"), pytest.param(100, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
)
def test_a_killed_collector_doubles_and_loses_nothing_of_its_devices(
    make_site: MakeSite, clock: FixedClock, kills: int
) -> None:
    terminal, machine, printer = SicsScale(free_port()), MarkingMachine(free_port()), LabelPrinter(free_port())
    analyser, chance = Spectrometer(free_port()), Random(4)
    quick = "poll_s = 0.1\n  answer_s = 1"
    site = make_site(
        more=scale(terminal.port).replace("stable_s = 1.5", "stable_s = 60")
        + link("marker", "MK1", machine.port, LABELLED)
        + link("printer", "LP1", printer.port, LABELLED, quick)
        + link("spectrometer", "OES1", analyser.port, '"*.Result" = "spectrometer_result"', 'side = "server"')
    )
    terminal.load = Load(kg=21_000)
    asked: list[str] = []

    def give_work(life: int) -> None:
        for number in range(ORDERS):
            name = f"{life}-{number}"
            ask(site, clock, "WS1", "Weigh", f"w{name}", piece=name)
            ask(site, clock, "MK1", "Mark", f"m{name}", text=name)
            ask(site, clock, "LP1", "Print", f"p{name}", piece=name, text=name, zpl=f"^XA^FD{name}^FS^PQ1^XZ")
            analyser.result(name, [{"C": "0.045"}], heat="161843", place="LFF")
            asked.append(name)

    async def scene() -> None:
        for device in (terminal, machine, printer):
            await device.listen()
        analyser.call()
        for life in range(kills):
            give_work(life)
            aim = len(site.spooled()) + chance.randrange(2 * ORDERS)
            with collector(site):
                await until(lambda aim=aim: len(site.spooled()) > aim)
                await asyncio.sleep(chance.random() * 0.05)
        with collector(site):
            keys = [f"{kind}{name}" for name in asked for kind in "wmp"]
            await until(
                lambda: all(order(site, key).state == "confirmed" for key in keys), within_s=60 + 2 * len(asked)
            )
            await until(lambda: not analyser.waiting)
        for device in (terminal, machine, printer, analyser):
            await device.stop()

    asyncio.run(scene())
    kept = [(row.message, json.loads(row.fields)) for row in site.spooled()]
    once = Counter(dict.fromkeys(asked, 1))
    assert Counter(f["piece"] for message, f in kept if message == "WS1.Weighed") == once
    assert Counter(f["text"] for message, f in kept if message == "MK1.Marked") == once
    assert Counter(f["text"] for message, f in kept if message == "LP1.Printed") == once
    assert Counter(f["sample"] for message, f in kept if message == "OES1.Result") == once
    assert Counter(machine.painted) == once
    assert len(printer.labels) == len(asked)
