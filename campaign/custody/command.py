"""The transfers' part of `python -m campaign`: histories from seeds, each violation told with its seed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context

from campaign.custody.play import LOADS, Played, play
from campaign.custody.year import play_year

LONG = 50
"""Histories of the long form: more than 10,000 pieces leave for another plant in them."""
SHOWN_MAX = 8


def run(seeds: Sequence[int], jobs: int, loads: int | None, quieten: Callable[[], None]) -> tuple[int, int]:
    """Histories played and histories with a violation; what is wrong is printed as it is found, then the sum."""
    since, count, broken, pieces, restores = time.monotonic(), 0, 0, 0, 0
    for played in _play_all(seeds, jobs, loads or LOADS, quieten):
        count, pieces, restores = count + 1, pieces + played.pieces, restores + played.restores
        broken += bool(played.violations)
        print(f"transfers seed {played.seed}: {played.pieces} transfers, {played.restores} restores", flush=True)
        for line in played.violations[:SHOWN_MAX]:
            print(f"transfers seed {played.seed}: {line}", flush=True)
    minutes = (time.monotonic() - since) / 60
    print(
        f"transfers: {count} histories, {pieces} transfers, {restores} restores, {minutes:.1f} min with {jobs} at a time",
        flush=True,
    )
    year = play_year(seeds[0])
    print(f"a year, seed {seeds[0]}: {year.text()}", flush=True)
    return count + 1, broken + (not year.is_well)


def _play_all(seeds: Sequence[int], jobs: int, loads: int, quieten: Callable[[], None]) -> Iterator[Played]:
    one, begin = partial(play, loads=loads), partial(_begin, quieten)
    if jobs == 1:
        begin()
        yield from map(one, seeds)
        return
    with get_context("fork").Pool(jobs, initializer=begin) as pool:
        yield from pool.imap(one, seeds)


def _begin(quieten: Callable[[], None]) -> None:
    """Statements are made by the thousand a second: to look for rings of them as often as usual costs a tenth."""
    quieten()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
