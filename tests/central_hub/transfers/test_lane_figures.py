"""What a lane's journeys say: times, loss, which scale is off; the drawn trend and map."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import pytest

from central_hub.transfers.lane_domain import (
    Trip,
    by_carrier,
    figures_of,
    find_biased,
    mean_with_confidence,
    pairs_of,
    quantile,
    student_t,
)
from central_hub.transfers.trend_drawing import WEEK_MS, draw_trend, weeks_of
from central_hub.transfers.way_domain import LaneLoad
from central_hub.transfers.way_drawing import BOX_H, BOX_W, HEIGHT, WIDTH, draw_map

HOUR = 3_600_000
KG = 1_000
TRIP = Trip("ALD", "BRK", 0, 2 * HOUR, 20_000 * KG, "weighed", "S1", 20_000 * KG, "weighed", "S1")


def trips(sender: str, receiver: str, count: int, bias_ppm: int, first: str = "S1", second: str = "S1") -> list[Trip]:
    """Journeys whose two masses differ by a bias and by ±400 ppm of chance that cancels out."""
    found = []
    for n in range(count):
        grams = TRIP.sender_g + TRIP.sender_g * (bias_ppm + (400 if n % 2 else -400)) // 1_000_000
        scales = {"sender_scale": first, "receiver_scale": second}
        found.append(replace(TRIP, sender=sender, receiver=receiver, receiver_g=grams, **scales))
    return found


def test_times_are_ranks_and_loss_is_a_part_of_the_mass_shipped() -> None:
    hours = [1, 2, 3, 4, 5, 6, 7, 8, 9, 30]
    some = [replace(TRIP, received_at_ms=h * HOUR) for h in hours]
    lost = replace(TRIP, received_at_ms=None, receiver_g=None, lost=True)
    early = replace(TRIP, received_at_ms=-5)
    figures = figures_of("ALD-BRK", [*some, lost])
    assert (figures.median_ms, figures.p90_ms) == (5 * HOUR, 9 * HOUR)
    assert (figures.shipped, figures.received, figures.lost, figures.lost_g) == (11, 10, 1, 20_000 * KG)
    assert figures.loss_ppm == 1_000_000 // 11
    assert figures_of("ALD-BRK", [early]).median_ms == 0
    assert (quantile([], 0.5), quantile([7], 0.9)) == (None, 7)
    nothing = figures_of("ALD-BRK", [])
    assert (nothing.median_ms, nothing.loss_ppm, nothing.difference_ppm) == (None, 0, None)
    assert figures_of("ALD-BRK", [TRIP, replace(TRIP, receiver_g=20_200 * KG)]).difference_ppm == 5_000


def test_each_carrier_has_its_part_of_a_lane() -> None:
    slow = replace(TRIP, carrier="Haul Ltd", received_at_ms=9 * HOUR)
    gone = replace(slow, received_at_ms=None, receiver_g=None, lost=True)
    found = by_carrier([TRIP, slow, gone, replace(slow, receiver="CLD")])
    assert [(f.carrier, f.lane, f.shipped, f.received, f.lost) for f in found] == [
        ("", "ALD-BRK", 1, 1, 0),
        ("Haul Ltd", "ALD-BRK", 2, 1, 1),
        ("Haul Ltd", "ALD-CLD", 1, 1, 0),
    ]
    assert (found[1].median_ms, found[1].loss_ppm) == (9 * HOUR, 500_000)
    assert by_carrier([TRIP]) == []


@pytest.mark.parametrize(("freedom", "exact"), [(4, 2.776), (9, 2.262), (19, 2.093), (29, 2.045), (200, 1.972)])
def test_students_t_is_within_one_per_cent(freedom: int, exact: float) -> None:
    assert student_t(freedom) == pytest.approx(exact, rel=0.01)


def test_the_confidence_of_a_mean_is_the_textbooks() -> None:
    values = [float(v) for v in (110, 90, 105, 95, 100)]
    mean, low, high = mean_with_confidence(values)
    assert mean == fmean(values)
    assert (low, high) == (pytest.approx(100 - 9.82, abs=0.1), pytest.approx(100 + 9.82, abs=0.1))
    assert mean_with_confidence([5.0])[1:] == (float("-inf"), float("inf"))


def test_a_scale_that_agrees_with_nobody_while_its_partner_agrees_with_another_is_off() -> None:
    every = trips("ALD", "BRK", 40, 0) + trips("CLD", "BRK", 40, 2_000)
    (found,) = find_biased(pairs_of(every))
    assert found.suspects == ("CLD S1",)
    assert found.against == ("BRK S1", "ALD S1")
    assert found.bias_ppm == pytest.approx(-2_000, abs=1)
    assert found.low_ppm < found.bias_ppm < found.high_ppm < -1_500
    assert found.pair.count == 40
    (found,) = find_biased(pairs_of(trips("ALD", "BRK", 40, 0) + trips("ALD", "CLD", 40, 2_000)))
    assert (found.suspects, round(found.bias_ppm)) == (("CLD S1",), 2_000)


def test_two_scales_alone_cannot_tell_which_is_off() -> None:
    (found,) = find_biased(pairs_of(trips("ALD", "BRK", 40, 2_000)))
    assert found.suspects == ("ALD S1", "BRK S1")
    assert found.against == ()
    both = trips("ALD", "XX", 40, 0) + trips("BRK", "YY", 40, 0) + trips("ALD", "BRK", 40, 2_000)
    (found,) = find_biased(pairs_of(both))
    assert len(found.suspects) == 2


def test_few_pieces_a_small_difference_and_chance_are_no_findings() -> None:
    for few in (trips("ALD", "BRK", 19, 5_000), trips("ALD", "BRK", 400, 400)):
        assert find_biased(pairs_of(few)) == []
    wild = [
        replace(TRIP, receiver_g=TRIP.sender_g + TRIP.sender_g * ppm // 1_000_000) for ppm in (12_000, -10_000) * 15
    ]
    (pair,) = pairs_of(wild)
    assert pair.mean_ppm == pytest.approx(1_000, abs=1)
    assert not pair.differs
    assert not pair.agrees
    misread = replace(TRIP, receiver_g=TRIP.sender_g * 102 // 100)
    (pair,) = pairs_of([*trips("ALD", "BRK", 40, 0), misread])
    assert (pair.count, pair.agrees) == (40, True)


def test_a_calculated_mass_is_a_source_of_its_own_and_an_advised_one_is_none() -> None:
    slab = replace(TRIP, sender_basis="theoretical", sender_scale="")
    (pair,) = pairs_of([slab, replace(slab, receiver_basis="advised"), replace(slab, receiver_g=None)])
    assert (pair.first, pair.second, pair.count) == ("ALD theoretical", "BRK S1", 1)
    for bias_ppm, is_finding in ((2_000, False), (4_000, True)):
        every = [replace(trip, sender_basis="theoretical") for trip in trips("ALD", "BRK", 40, bias_ppm)]
        assert bool(find_biased(pairs_of(every))) is is_finding


def test_the_trend_has_a_point_a_week_and_zero_across_its_middle() -> None:
    weeks = weeks_of(0, 4 * WEEK_MS)
    assert weeks == [0, WEEK_MS, 2 * WEEK_MS, 3 * WEEK_MS]
    trend = draw_trend("A to B", weeks, [[100.0, 300.0], [], [-2_000.0], [0.0, 0.0]])
    heights = [point.y for point in trend.points]
    assert [point.x for point in trend.points] == sorted(point.x for point in trend.points)
    assert len(trend.points) == 3
    assert heights[0] < trend.zero_y < heights[1]
    assert heights[2] == trend.zero_y
    first, alone, _ = trend.points
    assert first.high_y < first.y < first.low_y
    assert (alone.high_y, alone.low_y) == (alone.y, alone.y)
    assert "-0.200 % of 1 pieces" in alone.title


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_every_plant_has_its_box_in_the_picture_and_no_two_lanes_their_labels_at_one_place(count: int) -> None:
    codes = [f"P{n}" for n in range(count)]
    lanes = [LaneLoad(a, b, 1) for a in codes for b in codes if a != b][:12]
    drawn = draw_map(codes, lanes)
    assert [place.code for place in drawn.places] == codes
    for place in drawn.places:
        assert 0 <= place.left <= WIDTH - BOX_W
        assert 0 <= place.top <= HEIGHT - BOX_H
    assert len({(way.x, way.y) for way in drawn.ways}) == len(lanes)
    outside = draw_map(codes, [LaneLoad(codes[0], "KUNDE", 1), LaneLoad("", codes[0], 1)])
    assert [place.code for place in outside.places] == [*codes, "KUNDE"]
    assert len(outside.ways) == 1
