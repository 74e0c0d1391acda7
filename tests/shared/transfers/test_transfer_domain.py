"""Pure rules of transfers: mass limits by pair of bases, custody numbers, states, matching of printed numbers."""

from __future__ import annotations

import pytest

from shared.transfers.domain import (
    Candidate,
    LineFacts,
    compare_mass,
    fence,
    find_line,
    grace_ms,
    line_state,
    next_custody_no,
)

KG = 1000


@pytest.mark.parametrize(
    ("sender_kg", "sender_basis", "receiver_kg", "receiver_basis", "within"),
    [
        (20_580, "theoretical", 20_700, "weighed", True),  # +0.58 %: the largest of train T1
        (20_000, "theoretical", 20_300, "weighed", True),  # 1.5 % to the gram
        (20_000, "theoretical", 20_301, "weighed", False),
        (20_180, "weighed", 19_660, "weighed", False),  # truck K3
        (20_180, "weighed", 20_120, "weighed", True),  # 60 of 60.54 kg
        (20_180, "weighed", 20_119, "weighed", False),
        (5_000, "weighed", 5_040, "weighed", True),  # 0.3 % would be 15 kg: at least 40
        (5_000, "weighed", 4_959, "weighed", False),
        (20_000, "charged", 20_290, "weighed", True),  # a side that is no weighing: the wider limit
    ],
)
@pytest.mark.fault(93, 95)
def test_two_masses_are_compared_by_their_bases(
    sender_kg: int, sender_basis: str, receiver_kg: int, receiver_basis: str, within: bool
) -> None:
    compared = compare_mass(sender_kg * KG, sender_basis, receiver_kg * KG, receiver_basis)
    assert compared.is_within is within
    assert compared.difference_g == (receiver_kg - sender_kg) * KG


def test_a_difference_is_told_in_ppm_of_the_senders_mass() -> None:
    assert compare_mass(20_180_000, "weighed", 19_660_000, "weighed").difference_ppm == -25_768
    assert compare_mass(0, "weighed", 10, "weighed").difference_ppm == 0


def test_custody_numbers_rise_and_fence() -> None:
    assert next_custody_no([]) == 1
    assert next_custody_no([1, 3, 2]) == 4
    assert [fence(n, 3) for n in (2, 3, 4)] == ["stale", "ok", "ahead"]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (LineFacts(False, False, False, False), "in_transit"),
        (LineFacts(False, True, False, False), "arrived"),
        (LineFacts(False, True, True, False), "short"),
        (LineFacts(True, True, True, False), "did_not_occur"),
        (LineFacts(True, True, True, True), "received"),  # physical evidence wins over "it never left"
        (LineFacts(False, True, True, True, damage="edge"), "received_with_exceptions"),
        (
            LineFacts(False, True, True, True, compare_mass(20_000, "weighed", 90_000, "weighed")),
            "received_with_exceptions",
        ),
    ],
)
def test_the_state_of_a_line_follows_from_both_sides(line: LineFacts, state: str) -> None:
    assert line_state(line) == state


def candidate(load: str, departed: int, *, sender: str = "ALD", taken: bool = False) -> Candidate:
    return Candidate(sender, f"id-{load}", load, f"piece-{load}", departed, taken)


def test_a_printed_number_means_the_youngest_load_that_left_before() -> None:
    old, young, later = candidate("T1", 1_000_000), candidate("T2", 5_000_000), candidate("T3", 9_000_000)
    assert find_line([old, young, later], received_at_ms=6_000_000) == young
    assert find_line([old, young], shipment="T1", received_at_ms=6_000_000) == old
    assert find_line([old, candidate("T2", 5_000_000, taken=True)], received_at_ms=6_000_000) == old


def test_a_printed_number_of_another_plant_or_of_the_future_means_nothing() -> None:
    line = candidate("T1", 10_000_000)
    assert find_line([line], received_at_ms=1_000_000) is None
    assert find_line([line], received_at_ms=9_200_000) == line  # clocks of two plants may differ by minutes
    assert find_line([line], from_plant="CLD", received_at_ms=20_000_000) is None
    assert find_line([], received_at_ms=20_000_000) is None


def test_trains_may_be_later_than_trucks() -> None:
    assert grace_ms("rail") > grace_ms("truck") > 0
    assert grace_ms("ship") == grace_ms("rail")
