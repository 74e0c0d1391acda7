"""python -m campaign --seeds 1..2000 --world sqlite: histories from seeds, each judged by the invariants I1-I17.

A violation is told with its seed, its invariant and the shortest history that still breaks it. The last line is the
sum: `N histories, 0 violations`. --ablation takes each safety rule away in turn and prints how many histories break.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context
from typing import Literal

import structlog

from campaign import ablation
from campaign.history import Outcome, plan, play, shrink
from campaign.machine import clean
from campaign.worlds import WORLDS, WorldName

Many = Literal["one", "many"]
SHOWN_MAX = 5
"""Violations told at length: more of them are mostly the same."""


def main() -> int:
    """Exit 0 when no invariant broke, 1 when one did."""
    args = _arguments()
    if args.ablation:
        print(ablation.table(WORLDS[args.world], args.seeds))
        return 0
    since, count, broken = time.monotonic(), 0, []
    for outcome in _play_all(args.world, args.seeds, args.jobs):
        count += 1
        if outcome.number:
            broken.append(outcome.seed)
            print(f"seed {outcome.seed}: {outcome.violation}", flush=True)
            if len(broken) <= SHOWN_MAX:
                _tell(args.world, outcome.seed)
    seconds = time.monotonic() - since
    print(f"{args.world}: {count / max(seconds, 0.001):.1f} histories a second, {args.jobs} at a time")
    print(f"{count} histories, {len(broken)} violations")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m campaign", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=range(1, 201), help="1..200, or 3,5,8")
    parser.add_argument("--world", choices=sorted(WORLDS), default="memory")
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


def _play_all(world: WorldName, seeds: list[int], jobs: int) -> Iterator[Outcome]:
    one = partial(_play_one, world)
    if jobs == 1:
        _quieten()
        yield from map(one, seeds)
        return
    with get_context("spawn").Pool(jobs, initializer=_quieten) as pool:
        yield from pool.imap(one, seeds, chunksize=20)


def _play_one(world: WorldName, seed: int) -> Outcome:
    kind = WORLDS[world]
    return play(kind.open_group, seed, plan(seed, kind.steps))


def _tell(world: WorldName, seed: int) -> None:
    kind = WORLDS[world]
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
