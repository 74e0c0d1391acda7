"""python -m campaign --seeds 1..2000 --world sqlite: histories from seeds, each judged by the invariants I1-I17.

--world transfers: histories of pieces among five plants, judged against what truly happened; --steps is their loads.

A violation is told with its seed, its invariant and the shortest history that still breaks it. The last line is the
sum: `N histories, 0 violations`. Without --seeds the long form: 200,000 histories in memory, 2,000 on SQLite,
10,000 transfers.
--ablation takes each safety rule away in turn and prints how many histories break.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import structlog

from campaign import ablation
from campaign.custody import command as custody
from campaign.history import Outcome, plan, play, shrink
from campaign.machine import clean
from campaign.worlds import WORLDS, Kind, WorldName

ALL = "all"
TRANSFERS = "transfers"
SHOWN_MAX = 5
"""Violations told at length: more of them are mostly the same."""


def main() -> int:
    """Exit 0 when no invariant broke, 1 when one did."""
    args = _arguments()
    chosen = [kind for name, kind in WORLDS.items() if args.world in (name, ALL)]
    worlds = [replace(kind, steps=args.steps or kind.steps) for kind in chosen]
    if args.ablation:
        _quieten()
        for kind in worlds:
            print(ablation.table(kind, args.seeds or range(1, 301)), end="\n\n", flush=True)
        return 0
    count = broken = 0
    for kind in worlds:
        played, violations = _run(kind, args.seeds or range(1, kind.long + 1), args.jobs)
        count, broken = count + played, broken + violations
    if args.world in (TRANSFERS, ALL):
        played, violations = custody.run(args.seeds or range(1, custody.LONG + 1), args.jobs, args.steps, _quieten)
        count, broken = count + played, broken + violations
    print(f"{count} histories, {broken} violations")
    return 1 if broken else 0


def _run(kind: Kind, seeds: Sequence[int], jobs: int) -> tuple[int, int]:
    """Histories played and violations found, each told as it is found."""
    since, count, broken = time.monotonic(), 0, 0
    for outcome in _play_all(kind, seeds, jobs):
        count += 1
        if outcome.number:
            broken += 1
            print(f"{kind.name} seed {outcome.seed}: {outcome.violation}", flush=True)
            if broken <= SHOWN_MAX:
                _tell(kind, outcome.seed)
    seconds = max(time.monotonic() - since, 0.001)
    print(f"{kind.name}: {count} histories, {count / seconds:.1f} a second with {jobs} at a time", flush=True)
    return count, broken


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m campaign", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, help="1..200, or 3,5,8; without it the long form")
    parser.add_argument("--world", choices=(*sorted(WORLDS), TRANSFERS, ALL), default=ALL)
    parser.add_argument(
        "--steps", type=int, help="length of a history; 50 in memory, 16 on SQLite, 60 loads unless given"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--ablation", action="store_true", help="the histories without each safety rule in turn")
    return parser.parse_args()


def _seeds(text: str) -> list[int]:
    first, dots, last = text.partition("..")
    try:
        found = list(range(int(first), int(last) + 1)) if dots else [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a range such as 1..200 nor a list such as 3,5,8")
    return found


def _play_all(kind: Kind, seeds: Sequence[int], jobs: int) -> Iterator[Outcome]:
    one = partial(_play_one, kind.name, kind.steps)
    if jobs == 1:
        _quieten()
        yield from map(one, seeds)
        return
    with get_context("fork").Pool(jobs, initializer=_quieten) as pool:
        yield from pool.imap(one, seeds, chunksize=20)


def _play_one(world: WorldName, steps: int, seed: int) -> Outcome:
    return play(WORLDS[world].open_group, seed, plan(seed, steps))


def _tell(kind: Kind, seed: int) -> None:
    outcome, steps = shrink(kind.open_group, seed, plan(seed, kind.steps))
    print(f"  made short, {len(steps)} of {kind.steps} steps:")
    print("\n".join(f"  {line}" for line in outcome.trace))
    print(f"  {outcome.violation}", flush=True)


def _quieten() -> None:
    """A node that is restored warns; here it is restored all the time."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        clean()
