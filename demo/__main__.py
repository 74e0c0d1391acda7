"""python -m demo: a steel group on this machine. Sets it up the first time, goes on where it was afterwards; Ctrl-C
stops it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from demo.group import Group, elapsed, judge, tell
from demo.people import PASSWORD, PEOPLE
from demo.runfolder import HUB, PLANTS, Choices, NotPossible, RunFolder, check_ports, choose_ports
from demo.scenario.day import CASTERS
from demo.simulator.people import Refused
from demo.supervisor import end_leftovers, tail

REFUSED = 2
LOOK_S = 0.2
DEFAULT_SEED = 1
SPEED_MAX = 600.0
"""Beyond, a heartbeat of five real seconds is an hour of theirs, and nothing they say of each other means anything."""


def main() -> int:
    """Exit 0; with --once the judge's exit code; 2 when the demo cannot start."""
    args = _arguments()
    # a dozen processes compile the same six hundred modules, a third of a second each, unless the first may keep them
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    try:
        return _run(args)
    except NotPossible as error:
        tell(f"demo: {error}")
        return REFUSED
    except (Refused, RuntimeError) as error:
        tell(f"demo: the group does not come up or does not stay up. {error}")
        return 1
    except KeyboardInterrupt:
        tell("Stopped. `python -m demo` goes on from here, --fresh begins anew.")
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="play one day as fast as the plants follow, then let the judge decide"
    )
    parser.add_argument("--json", action="store_true", help="with --once: the judge's whole summary as JSON on stdout")
    parser.add_argument("--seed", type=int, help="varies the bulk of the day; named pieces stay")
    parser.add_argument(
        "--size", choices=("full", "small"), default="full", help="small: a true subset in half a minute"
    )
    parser.add_argument("--speed", type=float, default=60.0, help="times real time (not with --once)")
    parser.add_argument("--dir", type=Path, default=Path("demo-run"), help="folder of the run")
    parser.add_argument(
        "--hub-db", default="", help="postgresql://... for the hub's database; default SQLite in the folder"
    )
    parser.add_argument(
        "--caster",
        choices=CASTERS,
        default="strand",
        help="how much the caster's Level 2 tells: every event of a strand, a summary a heat, a file a shift",
    )
    parser.add_argument("--ports", choices=("fixed", "auto"), default="fixed", help="auto: free ones (tests)")
    parser.add_argument("--fresh", action="store_true", help="empty the folder first")
    args = parser.parse_args()
    if not 0 < args.speed <= SPEED_MAX:
        parser.error(
            f"--speed {args.speed:g} cannot be followed; give at most {SPEED_MAX:g}, or --once for as fast as it goes"
        )
    return args


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(args: argparse.Namespace) -> int:
    since = time.monotonic()
    folder = RunFolder(args.dir)
    if ended := end_leftovers(folder.path):
        tell(f"Ended {ended} processes that an earlier run of {folder.path} left behind.")
    folder.open(args.fresh or _is_over(args, folder))
    known = folder.is_made
    choices = folder.choices() if known else _choices(args)
    _check_same(args, choices, folder)
    check_ports(choices.ports)
    group = Group(folder, choices)
    try:
        _bring_up(group, 0.0 if choices.once else args.speed, known)
        tell(f"The group is up after {elapsed(since)}.")
        if choices.once:
            return _once(group, args.json, since)
        return _visit(group)
    finally:
        group.processes.stop()


def _choices(args: argparse.Namespace) -> Choices:
    return Choices(
        DEFAULT_SEED if args.seed is None else args.seed,
        args.size,
        args.caster,
        args.hub_db,
        args.once,
        choose_ports(args.ports == "auto"),
    )


def _is_over(args: argparse.Namespace, folder: RunFolder) -> bool:
    """A day played with --once to its end is not gone on with: asked again, it is played again."""
    return bool(args.once and folder.is_made and folder.choices().once and (folder / "judged").exists())


def _check_same(args: argparse.Namespace, kept: Choices, folder: RunFolder) -> None:
    """A folder goes on with what it was made with; other wishes need another folder, or --fresh."""
    wanted = (args.once, args.seed if args.seed is not None else kept.seed)
    if wanted != (kept.once, kept.seed):
        was = "a day of --once" if kept.once else "a demo that was left running"
        raise NotPossible(
            f"{folder.path} holds {was} with seed {kept.seed}. Nothing was started. "
            "Say --fresh to throw it away, or give another folder with --dir."
        )


def _bring_up(group: Group, speed: float, known: bool) -> None:
    if known:
        tell(f"Going on in {group.folder.path}.")
        group.start()
        group.start_simulator(speed)
    else:
        tell(f"Setting up a hub and three plants in {group.folder.path}.")
        group.folder.write_settings(group.choices)
        group.start_simulator(speed)
        group.set_up()
    group.wait_up()


def _once(group: Group, as_json: bool, since: float) -> int:
    """Wait for the end of the day, then the judge."""
    told = 0
    log = group.folder / "logs/simulator.log"
    while (code := group.processes.ended("simulator")) != 0:
        if code is not None and code < 0:
            group.start_simulator(0.0)  # killed: it goes on where it was
        elif code is not None:
            tell(f"The simulator ended with {code}:\n{tail(log)}")
            return 1
        group.processes.look()
        told = _pass_on(log, told)
        time.sleep(LOOK_S)
    _pass_on(log, told)
    tell(f"The day is over after {elapsed(since)}. The judge looks.")
    verdict = judge(group.folder.path, as_json)
    (group.folder / "judged").write_text(f"{verdict}\n")
    return verdict


def _pass_on(log: Path, told: int) -> int:
    """What the simulator says, passed on; returns how much was."""
    text = log.read_text(errors="replace") if log.exists() else ""
    whole = text.rfind("\n") + 1
    if whole > told:
        tell(text[told:whole].rstrip())
    return max(whole, told)


def _visit(group: Group) -> int:
    """Leave it running for people to look at."""
    group.add_people() if not (group.folder / "people.json").exists() else None
    (group.folder / "people.json").write_text(json.dumps(sorted(p.login for people in PEOPLE.values() for p in people)))
    for node in (HUB, *PLANTS):
        logins = ", ".join(person.login for person in PEOPLE[node])
        tell(f"  {group.url(node)}  {node}: sign in as {logins}")
    tell(f"The password of all is {PASSWORD}. Ctrl-C stops; nothing is lost.")
    log = group.folder / "logs/simulator.log"
    told = log.stat().st_size if log.exists() else 0
    while True:
        group.processes.look()
        told = _pass_on(log, told)
        time.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main())
