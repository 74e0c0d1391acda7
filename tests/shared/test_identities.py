"""Ids are minted with no network and are unique in the group: 48 bits of time, then 80 bits that no two causes share."""

from __future__ import annotations

from collections import Counter
from itertools import product

from shared.clock import FixedClock
from shared.ids import derived_id, new_id

PLANTS = [f"P{n:02d}" for n in range(40)]
A_PLANT = 1_000
GROUP = 100_000_000
TAIL_BITS = 80


def test_a_hundred_million_ids_of_forty_plants_have_room() -> None:
    """The worst that can be: all of them in one millisecond. Two of n random numbers of b bits meet with at most
    n (n - 1) / 2^(b + 1)."""
    assert GROUP * (GROUP - 1) / 2 ** (TAIL_BITS + 1) < 1e-8


def test_forty_plants_that_mint_in_the_same_millisecond_never_meet(clock: FixedClock) -> None:
    minted = {new_id(clock) for _ in PLANTS for _ in range(A_PLANT)}
    assert len(minted) == len(PLANTS) * A_PLANT
    assert {one[:12] for one in minted} == {f"{clock.now_ms():012x}"}
    assert all(len(one) == 32 for one in minted)
    # no part of the tail stands still: each digit is even in half of them, within eight deviations of 40,000 throws
    digits = (Counter(one[at] in "02468ace" for one in minted) for at in range(12, 32))
    assert all(abs(count[True] - 20_000) < 800 for count in digits)


def test_what_is_derived_is_the_same_again_and_meets_nothing_else() -> None:
    causes = list(product(PLANTS, range(A_PLANT // 10), range(10)))  # plant, spooled message, ordinal
    derived = [derived_id(7, *cause) for cause in causes]
    assert len(set(derived)) == len(causes)
    assert derived[:100] == [derived_id(7, *cause) for cause in causes[:100]]
    assert derived_id(7, "P1", 23) != derived_id(7, "P12", 3)
    # as good as random: their first 28 bits meet about as often as chance says, n^2 / 2^29 = 3 times
    assert len(causes) - len({one[12:19] for one in derived}) in range(1, 12)
