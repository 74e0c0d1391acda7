"""The process `strandline plant level2`: all links of a plant in one event loop, their messages into the spool.

A message's life here: its link reads it, the spool's writing thread commits it, the link acknowledges it. What it
means is none of this process's business: the plant's process reads the spool. So this one can be restarted, upgraded
and killed at any moment: peers send again what was not acknowledged, and the spool keeps one of each.
The way down is the same in mirror image: rows queued in the spool are sent until they are answered.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.down import links_waiting
from local_mes.level2.drivers.port import Driver
from local_mes.level2.drivers.serve import serve
from local_mes.level2.link_course import FILES, Entry
from local_mes.level2.link_state import STOPPED, load_state, real_ms, save_states
from local_mes.level2.links import LinkPlan, load_links, refuse_unreadable
from local_mes.level2.look_answers import answer_looks
from local_mes.level2.mapping.following import FollowedPlan, check_readable
from local_mes.level2.played_plant import refuse_real_peers
from local_mes.level2.shadow.seat import check_shadow, desk_kind, driver_kind
from local_mes.level2.spool import SpoolWriter, create_spool
from shared import logs
from shared.clock import Clock, FileClock, SystemClock
from shared.db.engine import open_engine
from shared.errors import BadSetup, Unavailable
from shared.settings import PlantSettings
from shared.shapes import make_shapes_ready
from shared.supervisor import Supervisor, find_supervisor

STATES_EVERY_S = 1.0
DOWN_LOOK_S = 0.2
"""How often the spool is asked for something to send down: short against an operator's patience, cheap as a query."""

FILES_LOOK_S = 2.0
"""How often the files of the model are looked at: a new telegram counts within some seconds of being saved."""

log = logs.get("level2")


def run_level2(settings: PlantSettings, clock: Clock | None = None) -> None:
    """Run the collector until SIGTERM or SIGINT. BadSetup for a bad model, a taken port, a second collector."""
    logs.set_up(settings.log_level)
    logging.getLogger("asyncua").setLevel(logging.ERROR)  # it warns at every try to reconnect; the link's state says it
    make_shapes_ready()
    if settings.edge:
        raise BadSetup(
            "level2.edge_collects",
            f"The collector of this plant is the edge {settings.edge}.",
            todo="Run `strandline plant edge run` on site; to collect here again take `edge` out of the settings.",
        )
    plan = load_links(settings)
    refuse_unreadable(plan)
    check_shadow(plan)
    refuse_real_peers(settings, plan)
    used = clock or (FileClock(settings.clock_file) if settings.clock_file else SystemClock())
    with ExitStack() as stack:
        stack.enter_context(alone(settings.folder))
        spool = open_engine(settings.spool)
        stack.callback(spool.dispose)
        create_spool(spool, used)
        writer = SpoolWriter(spool)
        stack.callback(writer.close)
        asyncio.run(until_signalled(Collector(plan, spool, writer, used, settings)))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One collector a plant: two would acknowledge each other's messages."""
    try:
        lock = (folder / "level2.lock").open("w")
    except OSError as error:
        raise BadSetup(
            "level2.folder",
            f"The folder {folder} cannot be used: {error.strerror}.",
            todo="Run `strandline plant init` first, as the user who runs the plant.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadSetup(
                "level2.runs_already",
                f"A collector of {folder} is running already.",
                todo="Stop it first (systemctl stop strandline-level2).",
            ) from error
        yield


class Collector:
    """All links of one plant."""

    def __init__(
        self, plan: LinkPlan, spool: Engine, writer: SpoolWriter, clock: Clock, settings: PlantSettings | None = None
    ) -> None:
        """settings: where the plan was read from, to notice that its files change; without them they are not looked at."""
        self.supervisor = Supervisor()
        self._plan, self._clock = plan, clock
        self._followed = FollowedPlan(settings, plan, check_readable) if settings else None
        self._settings = settings
        self._spool = spool
        self._writer = writer
        self._drivers: list[Driver] = []
        for link in plan.links.values():
            state = load_state(spool, link.code, link.kind, link.address, clock)
            self._drivers.append(driver_kind(link)(desk_kind(link)(link, plan, clock, writer, spool, state)))

    async def run(self, stop: asyncio.Event) -> None:
        """Serve all links until stop is set."""
        for driver in self._drivers:
            await driver.open()
        jobs = [
            *(serve(driver) for driver in self._drivers),
            self._show_states(),
            self._wake_down(),
            *([self._follow(self._followed)] if self._followed else []),
            *([answer_looks(self._settings, self._spool, self._writer)] if self._settings else []),
            _wait(stop),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        self.supervisor.ready()
        log.info("level2 runs", links=[driver.desk.link.code for driver in self._drivers])
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()  # an error that no link expects ends the process loudly; its supervisor starts it again
        for driver in self._drivers:
            driver.desk.state.become(STOPPED, peer="")
        await self._save()
        log.info("level2 stopped")

    async def _show_states(self) -> None:
        while True:
            try:
                await self._save()
            except (SQLAlchemyError, Unavailable) as error:
                # the picture of the links is late, the messages are not: those fail and are sent again on their own
                log.warning("link states not written", why=str(error))
            self.supervisor.alive()
            await asyncio.sleep(STATES_EVERY_S)

    async def _save(self) -> None:
        states = [driver.desk.state for driver in self._drivers]
        rows, courses = [state.row(real_ms()) for state in states], [state.course() for state in states]
        await asyncio.wrap_future(self._writer.submit(partial(save_states, rows=rows, courses=courses)))
        for state, course in zip(states, courses, strict=True):
            state.saved(course["entries"])

    async def _follow(self, followed: FollowedPlan) -> None:
        """Take over changed files one look after they were noticed: by then whoever interprets has them too."""
        ripe, refused = self._plan, ""
        while True:
            await asyncio.sleep(FILES_LOOK_S)
            try:
                found = await asyncio.to_thread(followed.current)
            except Exception as error:  # noqa: BLE001 - no file of the model may end the links; the next look is another
                log.warning("files of the model not looked at", why=str(error))
                continue
            if found is ripe and found is not self._plan:
                self._take_up(found)
            ripe = found
            if followed.refused != refused:
                refused = followed.refused
                if refused:
                    self._say(f"Changed files were not taken over: {refused}")

    def _take_up(self, plan: LinkPlan) -> None:
        before, self._plan = self._plan, plan
        for driver in self._drivers:
            code = driver.desk.link.code
            if (plan.links[code], plan.layouts.get(code)) != (before.links[code], before.layouts.get(code)):
                driver.take_up(plan.links[code], plan)
        self._say("Changed layouts and mappings were taken over.")

    def _say(self, what: str) -> None:
        """In the history of every link: the files of a model are taken over together or not at all."""
        for driver in self._drivers:
            driver.desk.state.note(Entry(self._clock.now_ms(), FILES, what[:400]))

    async def _wake_down(self) -> None:
        while True:
            waiting = await asyncio.to_thread(links_waiting, self._spool)
            for driver in self._drivers:
                if driver.desk.link.code in waiting:
                    driver.desk.down_wake.set()
            await asyncio.sleep(DOWN_LOOK_S)


async def until_signalled(collector: Collector) -> None:
    """Run a collector until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    collector.supervisor = find_supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await collector.run(stop)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
