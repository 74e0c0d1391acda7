"""One trial from its begin to its end, in a process of its own: copy, play as it was, play with the standard, compare.

It reads the plant's databases and writes nothing but its scratch folder, which goes with it. What it is to do comes as one
JSON object on stdin; how far it is, and what came of it, leave as lines of JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local_mes.plant import Plant
from local_mes.staging.comparing import Came, Compared, compare, numbers_of, what_came
from local_mes.staging.copying import SCRATCH, Day, Told, check_room, make_copy, open_copy, read_day
from local_mes.staging.playing import play
from local_mes.wiring import build_plant
from shared import logs
from shared.clock import FixedClock
from shared.db.engine import read
from shared.disk import check_extras
from shared.errors import StrandlineError
from shared.settings import PlantSettings, check
from shared.standards.documents import AnyStandard, parse_document


def try_on(plant: Plant, tried: AnyStandard, from_ms: int, to_ms: int, told: Told) -> Compared:
    """Play the time twice in copies of the plant, the second time with the standard in force; what differs.

    NoRoom before and while the copies would fill the plant's disk.
    """

    def watched(stage: str, done: int, total: int) -> None:
        check_extras(plant.settings.folder)
        told(stage, done, total)

    check_room(plant)
    day = read_day(plant, from_ms, to_ms)
    with tempfile.TemporaryDirectory(dir=plant.settings.folder, prefix=SCRATCH) as place:
        first, second = Path(place) / "as-it-was", Path(place) / "with-it"
        copy = make_copy(plant, first, day, watched)
        _close(copy)
        shutil.copytree(first, second)
        before, numbers = _played(plant, first, day, None, watched)
        after, more = _played(plant, second, day, tried, watched)
    with read(plant.node.engine) as conn:
        real = what_came(conn, plant.code, from_ms, to_ms)
    return compare(real, before, after, len(day.messages), numbers | more)


def _played(plant: Plant, folder: Path, day: Day, tried: AnyStandard | None, told: Told) -> tuple[Came, dict[str, str]]:
    clock = FixedClock(day.from_ms)
    copy = open_copy(plant, folder, clock)
    try:
        play(copy, clock, day, tried, told)
        with read(copy.node.engine) as conn:
            return what_came(conn, plant.code, 0, clock.now_ms() + 1), numbers_of(conn, plant.code)
    finally:
        _close(copy)


def _close(copy: Plant) -> None:
    copy.node.engine.dispose()
    copy.spool.dispose()


def main() -> None:
    """Do what stdin asks; the last line says what came of it, or why nothing did."""
    logs.set_up()  # to standard error: what leaves on standard output is answers alone
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    os.nice(10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # its folder goes with it
    parent = os.getppid()

    def told(stage: str, done: int, total: int) -> None:
        if os.getppid() != parent:
            raise SystemExit(1)  # nobody waits for it any more
        print(json.dumps({"stage": stage, "done": done, "total": total}), flush=True)

    try:
        plant = build_plant(check(PlantSettings, asked["settings"], "the trial"))
        found = try_on(plant, parse_document(asked["document"]), asked["from_ms"], asked["to_ms"], told)
    except StrandlineError as error:
        print(json.dumps({"failed": f"{error.what} {error.todo}"}), flush=True)
    else:
        print(json.dumps({"result": {**asdict(found), "text": found.text}}), flush=True)


if __name__ == "__main__":
    main()
