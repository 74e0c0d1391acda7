"""A piece's custody over time: five facts after each fact that changes one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from shared.material.history import Event
from shared.transfers.lines import TransferLine
from shared.transfers.moves import Arrival
from shared.web.pieces.custody import BAND_WIDTH, Stand, draw_custody, tell_custody

BORN = Event(0, "ALD", "born", "made")
NOTHING = dict.fromkeys(name for name, field in TransferLine.__dataclass_fields__.items())
LINE = TransferLine(
    **NOTHING
    | {
        "received_fact": "f9",
        "shipment_id": "s1",
        "shipment_number": "RT-1",
        "sender": "ALD",
        "receiver": "BRK",
        "mode": "rail",
        "vehicle": "train 7",
        "quality": "restricted",
        "custody_no": 1,
        "departed_at_ms": 100,
        "withdrawn": False,
        "withdrawn_at_ms": 0,
        "damage": "",
        "state": "in_transit",
    }
)


@dataclass
class Hold:
    """What a row of a hold says."""

    hold_id: str
    author: str
    placed_at_ms: int | None
    released_at_ms: int | None = None
    reason: str = "surface"
    disposition: str = "prime"
    only_for: str = ""


def parts(stand: Stand) -> tuple[int, str, str, str, str, str]:
    return (
        stand.custody_no,
        stand.owner,
        stand.custodian,
        stand.place,
        stand.sender_quality,
        stand.receiver_quality,
    )


def test_a_journey_from_birth_to_the_receivers_yard() -> None:
    line = replace(LINE, arrived_at_ms=150, received_at_ms=200, own_number="BS6-1", state="received")
    moves = [Event(50, "ALD", "place", "YA"), Event(250, "BRK", "place", "YB"), Event(160, "ALD", "place", "YX")]
    holds = [Hold("h1", "BRK", 210, 240), Hold("h2", "BRK", 220, 300)]
    stands = tell_custody(BORN, [line], history=moves, holds=holds, amended=[(120, "ALD", "held", "lab")])
    assert [(stand.at_ms, *parts(stand)) for stand in stands] == [
        (0, 0, "ALD", "ALD", "", "free", ""),
        (50, 0, "ALD", "ALD", "YA", "free", ""),
        (100, 1, "ALD", "carrier for ALD", "train 7", "restricted", ""),
        (120, 1, "ALD", "carrier for ALD", "train 7", "held", ""),
        (150, 1, "ALD", "carrier for ALD", "gate", "held", ""),
        (200, 1, "BRK", "BRK", "", "held", "free"),
        (210, 1, "BRK", "BRK", "", "held", "held"),
        (220, 1, "BRK", "BRK", "", "held", "held"),
        (240, 1, "BRK", "BRK", "", "held", "held"),
        (250, 1, "BRK", "BRK", "YB", "held", "held"),
        (300, 1, "BRK", "BRK", "YB", "held", "free"),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"refused_at_ms": 180, "state": "refused"}, (1, "ALD", "carrier for ALD, returning", "train 7")),
        ({"refused_at_ms": 180, "returned_at_ms": 190, "state": "returned"}, (2, "ALD", "ALD", "")),
        ({"lost_at_ms": 190, "state": "written_off"}, (2, "nobody", "nobody", "")),
        ({"withdrawn": True, "withdrawn_at_ms": 190, "state": "did_not_occur"}, (2, "ALD", "ALD", "")),
        ({"receiver": "KUNDE", "state": "delivered"}, (1, "KUNDE", "KUNDE", "train 7")),
        ({"received_at_ms": 90, "own_number": "BS6-1", "state": "received"}, (1, "BRK", "BRK", "")),
        ({"received_at_ms": 300, "lost_at_ms": 190, "own_number": "B", "state": "received"}, (1, "BRK", "BRK", "")),
    ],
)
def test_how_a_departure_can_end(said: dict[str, object], expected: tuple[int, str, str, str]) -> None:
    stands = tell_custody(BORN, [replace(LINE, **said)])
    assert parts(stands[-1])[:4] == expected
    assert [stand.at_ms for stand in stands] == sorted(stand.at_ms for stand in stands)


def test_a_second_journey_begins_with_the_next_number_and_its_own_two_sides() -> None:
    first = replace(LINE, received_at_ms=200, own_number="BS6-1", state="received")
    second = replace(LINE, sender="BRK", receiver="CLD", shipment_id="s2", custody_no=2, departed_at_ms=400)
    last = tell_custody(BORN, [second, first])[-1]
    assert (last.sender, last.receiver, last.custody_no, last.custodian) == ("BRK", "CLD", 2, "carrier for BRK")


def test_what_came_on_no_list_is_claimed_and_a_hold_whose_placing_is_unread_is_released_all_the_same() -> None:
    arrival = Arrival("m1", "BRK", "", "", "ALD", "r1", 500)
    stands = tell_custody(BORN, [], arrivals=[arrival], holds=[Hold("h", "BRK", None, 600, only_for="DD11")])
    assert (stands[1].custodian, stands[1].quality["BRK"]) == ("BRK", "claimed")
    assert stands[2].quality["BRK"] == "only for DD11"


def test_the_band_is_as_wide_as_the_time_was_long() -> None:
    line = replace(LINE, received_at_ms=200, own_number="BS6-1", state="received")
    band = draw_custody(tell_custody(BORN, [line]), 400)
    assert [(one.custodian, one.from_ms) for one in band] == [("ALD", 0), ("carrier for ALD", 100), ("BRK", 200)]
    assert [one.width for one in band] == [BAND_WIDTH / 4, BAND_WIDTH / 4, BAND_WIDTH / 2]
    assert [one.label for one in draw_custody(tell_custody(BORN, [line]), 100_000)] == ["", "", "BRK"]
