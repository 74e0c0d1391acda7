"""A replay that a person starts on a page, in a plant made for it: one at a time, in a thread, with its progress.

A plant is made for it when it follows a clock file of its own and was never enrolled with a hub: everything else makes
steel, and a replay would book the past as the present there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.capture import Captured, read_capture
from local_mes.level2.errors import has_a_hub, lives_in_real_time, other_plant, replays_already
from local_mes.level2.links import load_links
from local_mes.level2.played_plant import refuse_real_peers
from local_mes.level2.replay import ClockFile, Target
from local_mes.level2.replay import replay as play
from local_mes.plant import Plant
from shared import logs
from shared.db.engine import read
from shared.errors import StrandlineError
from shared.settings import PlantSettings
from sync.peers import list_peers

log = logs.get("level2")


@dataclass(frozen=True)
class Progress:
    """How far the last replay is. ended: as it should, stopped by a person, or with an error."""

    name: str = ""
    total: int = 0
    done: int = 0
    speed: float = 0
    runs: bool = False
    why: str = ""


class _Stopped(Exception):
    """A person wanted it to end."""


@dataclass
class Replaying:
    """The replays of one process."""

    progress: Progress = field(default_factory=Progress)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, plant: Plant, name: str, lines: Iterable[bytes], speed: float) -> None:
        """Begin to play a capture. BadInput for what is none; Refused for a plant that makes steel or replays already."""
        check_made_for_it(plant)
        title, messages = read_capture(lines)
        if title.plant != plant.code:
            raise other_plant(title.plant, plant.code)
        target = target_of(plant)
        with self._lock:
            if self.progress.runs:
                raise replays_already()
            self.progress = Progress(name, len(messages), speed=speed, runs=True)
            self._stop.clear()
        threading.Thread(target=self._run, args=(target, messages, speed), name="replay", daemon=True).start()

    def stop(self) -> None:
        """End it behind the message that is under way."""
        self._stop.set()

    def _run(self, target: Target, messages: list[Captured], speed: float) -> None:
        why = "All messages were replayed."
        try:
            play(target, messages, speed, self._told)
        except _Stopped:
            why = "It was stopped. What was replayed before stays in this plant."
        except StrandlineError as error:
            why = f"{error.what} {error.todo}"
        except (SQLAlchemyError, OSError) as error:
            why = f"It ended: {error}."
            log.warning("replay ended", why=str(error))
        self.progress = replace(self.progress, runs=False, why=why)

    def _told(self, done: int) -> None:
        self.progress = replace(self.progress, done=done)
        if self._stop.is_set():
            raise _Stopped


def check_made_for_it(plant: Plant) -> None:
    """Refused for a plant that makes steel."""
    check_clock(plant.settings)
    with read(plant.node.engine) as conn:
        if list_peers(conn):
            raise has_a_hub(plant.code)


def check_clock(settings: PlantSettings) -> None:
    """Refused for a plant that runs on the machine's clock."""
    if settings.clock_file is None:
        raise lives_in_real_time(settings.code)


def target_of(plant: Plant) -> Target:
    """This very plant, whose collector and interpreter run. Refused where it could call peers that are none of a replay."""
    assert plant.settings.clock_file is not None
    plan = load_links(plant.settings)
    refuse_real_peers(plant.settings, plan)
    return Target(plan, plant.spool, ClockFile(plant.settings.clock_file), plant.node.engine)
