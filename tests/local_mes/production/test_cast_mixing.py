"""A transition slab's heats by interval: what the mixing rule says adds up, covers the slab, and agrees with its mean."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from local_mes.production.cast_domain import PPM, LadleMark, mean_shares, shares_ppm
from local_mes.production.cast_mixing import ALL_STIRRED, MixingRule, mixture_of

G_PER_M = 4_421_000
M = 1_000_000
FRACTION = st.integers(0, 400_000)
RULES = st.builds(MixingRule, FRACTION, FRACTION, st.integers(100_000, 2_000_000))
GAPS = st.lists(st.tuples(st.integers(6 * M, 40 * M), st.integers(0, 35 * M)), min_size=1, max_size=5)


def ladles_of(gaps: list[tuple[int, int]]) -> list[LadleMark]:
    marks = accumulate((gap for gap, _ in gaps), initial=0)
    tundish = [0, *(grams for _, grams in gaps)]
    return [LadleMark(f"h{n}", "L", mark, g) for n, (mark, g) in enumerate(zip(marks, tundish, strict=True))]


@settings(deadline=None)
@given(GAPS, RULES, st.integers(0, 150 * M), st.integers(300_000, 14 * M))
def test_each_interval_is_whole_and_together_they_are_the_slab(
    gaps: list[tuple[int, int]], rule: MixingRule, head: int, length: int
) -> None:
    ladles, interval = rule.seen(ladles_of(gaps), G_PER_M), (head, head + length)
    shares = shares_ppm(ladles, interval, G_PER_M)
    told = mixture_of("s", ladles, interval, G_PER_M, shares, rule)
    if told is None:
        assert len(shares) == 1
        return
    assert (told.bounds_um[0], told.bounds_um[-1]) == interval
    assert all(a < b for a, b in pairwise(told.bounds_um))
    assert len(told.shares_ppm) == len(told.bounds_um) - 1
    assert all(sum(row) == PPM and min(row) >= 0 for row in told.shares_ppm)
    for n, heat in enumerate(told.heats):
        parts = zip(pairwise(told.bounds_um), told.shares_ppm, strict=True)
        mean = sum(row[n] * (b - a) for (a, b), row in parts) / length
        # heats below a hundredth of the slab are left out, in the slab and in each interval
        assert abs(mean - shares[heat]) <= 10_000 * len(gaps) + 10


@settings(deadline=None)
@given(GAPS, RULES, st.integers(0, 150 * M), st.integers(300_000, 14 * M))
def test_no_steel_is_made_or_lost_by_a_rule(
    gaps: list[tuple[int, int]], rule: MixingRule, head: int, length: int
) -> None:
    seen = rule.seen(ladles_of(gaps), G_PER_M)
    assert [one.mark_um for one in seen] == sorted(one.mark_um for one in seen)
    assert abs(sum(mean_shares(seen, (head, head + length), G_PER_M).values()) - 1) < 1e-9


def test_without_plug_and_dead_zones_it_is_the_stirred_tank() -> None:
    ladles = ladles_of([(30 * M, 28 * M)])
    assert ALL_STIRRED.seen(ladles, G_PER_M) == ladles


def test_a_plug_alone_is_a_border() -> None:
    rule = MixingRule(plug_ppm=PPM)
    (first, second), interval = rule.seen(ladles_of([(30 * M, 28 * M)]), G_PER_M), (30 * M, 40 * M)
    assert second.mark_um - 30 * M == 28 * M * M // G_PER_M  # 6.33 m: the steel of the tundish goes through first
    shares = shares_ppm([first, second], interval, G_PER_M)
    told = mixture_of("s", [first, second], interval, G_PER_M, shares, rule)
    assert told is not None
    assert told.bounds_um == (30 * M, second.mark_um, 40 * M)
    assert told.shares_ppm == ((PPM, 0), (0, PPM))


def test_dead_zones_make_the_change_shorter() -> None:
    ladles, interval = ladles_of([(30 * M, 28 * M)]), (30 * M, 40 * M)
    stirred, dead = (
        shares_ppm(MixingRule(dead_ppm=part).seen(ladles, G_PER_M), interval, G_PER_M)["h1"] for part in (0, 300_000)
    )
    assert dead > stirred
