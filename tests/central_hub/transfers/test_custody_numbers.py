"""A custody number that is over is refused where it is cited, and is a case where it was taken all the same."""

from __future__ import annotations

import pytest
from steel_group import HOUR, MINUTE, SteelGroup

from central_hub.transfers.domain import KnownReceipt
from central_hub.transfers.replay_domain import judge_replayed
from central_hub.transfers.service import reconcile
from local_mes.transfers.matching import match_by_hand
from local_mes.transfers.returning import LineCommand, refuse, take_back, write_off
from local_mes.transfers.service import CorrectDeparture, correct_departure
from shared.db.engine import read
from shared.errors import Refused
from shared.transfers.case_queries import find_cases
from shared.transfers.domain import CLOCK_SLACK_MS
from shared.transfers.queries import custody_numbers, find_receipts

SLAB, KG = "161738-1-1", 20_558


def say(group, load, note):
    return LineCommand(group.command(), "p1", load, SLAB, note, "YA7")


def kinds(group):
    with read(group.hub.node.engine) as conn:
        return sorted(row.kind for row in find_cases(conn))


@pytest.fixture
def again(group: SteelGroup) -> str:
    """A slab that left twice: refused, had back, sent again. Custody numbers 1, 2 (back) and 3."""
    slab = group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.sync()
    refuse(group.plants["BRK"], say(group, "RT-1", "wet"))
    group.sync()
    take_back(group.plants["ALD"], say(group, "RT-1", "dry now"))
    group.ship("ALD", "BRK", "RT-2", [SLAB])
    group.pass_time(MINUTE)
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        assert sorted(custody_numbers(conn, slab)) == [1, 1, 2, 3]
    return slab


@pytest.mark.fault(100)
def test_a_label_of_an_earlier_departure_is_refused_and_the_piece_can_be_taken_in(group, again):
    with pytest.raises(Refused, match=r"Custody number 1 .* left again since, under number 3"):
        group.receive("BRK", SLAB, KG, "", custody_no=1)
    with read(group.plants["BRK"].node.engine) as conn:
        assert find_receipts(conn) == []
    taken = group.receive("BRK", SLAB, KG, "RT-1", custody_no=3)  # the old list in the hand, the new label on the piece
    assert not taken["provisional"]
    with read(group.plants["BRK"].node.engine) as conn:
        assert [row.custody_no for row in find_receipts(conn)] == [3]
    group.sync()
    assert kinds(group) == []


def test_a_label_of_a_departure_that_nobody_told_yet_waits_for_its_data(group):
    slab = group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.sync()
    group.cut.add("ALD")
    take_back(group.plants["ALD"], say(group, "RT-1", "came back"))
    group.ship("ALD", "BRK", "RT-2", [SLAB])
    group.pass_time(HOUR)
    taken = group.receive("BRK", SLAB, KG, "RT-2", custody_no=3)
    assert taken["provisional"], "its sender's word of number 3 is not here"
    group.cut.clear()
    group.pass_time(MINUTE)
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        (row,) = find_receipts(conn)
    assert (row.provisional, row.custody_no, row.material_id) == (False, 3, slab)
    assert kinds(group) == []


def test_what_is_said_of_a_departure_that_is_over_is_refused(group, again):
    for deed, plant in ((refuse, "BRK"), (write_off, "BRK")):
        with pytest.raises(Refused):
            deed(group.plants[plant], say(group, "RT-1", "again"))
    other = group.receive("BRK", "unknown-7", KG, from_plant="ALD")
    with pytest.raises(Refused, match=r"left again since|on its way"):
        match_by_hand(
            group.plants["BRK"],
            other["receipt_id"],
            "RT-1",
            SLAB,
            note="it is the old one",
            actor="p1",
            command_id="m1",
        )


def test_a_line_taken_back_and_declared_again_has_a_new_number_and_the_old_one_is_over(group):
    group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    ald = group.plants["ALD"]
    for kind, note in (("did_not_occur", "row 3"), ("late", "it did leave")):
        correct_departure(ald, CorrectDeparture(group.command(), "p1", "RT-1", SLAB, kind, note))
        group.pass_time(MINUTE)
    group.sync()
    with pytest.raises(Refused, match="Custody number 1"):
        group.receive("BRK", SLAB, KG, "RT-1", custody_no=1)
    assert not group.receive("BRK", SLAB, KG, "RT-1", custody_no=2)["provisional"]


def receipt(receiver, custody_no, at_ms, matched_at_ms=0, provisional=False):
    return KnownReceipt(
        receiver=receiver, receipt_id=f"r{custody_no}", from_plant="ALD", shipment_id=f"s{custody_no}",
        shipment_number=f"RT-{custody_no}", material_id="m1", taken_in_as="m1", custody_no=custody_no,
        provisional=provisional, came_unlisted=False, printed_number=SLAB, own_number=f"BS6-{custody_no}", mass_g=1,
        received_at_ms=at_ms, recorded_at_ms=at_ms, matched_at_ms=matched_at_ms, fact_id=f"f{custody_no}",
    )  # fmt: skip


@pytest.mark.fault(99, 100)
def test_a_receipt_under_a_number_that_is_over_is_a_case_whichever_came_first():
    newer = receipt("BRK", 3, 1_000)
    found = judge_replayed(receipt("BRK", 1, 2_000), newer)
    assert (found.kind, found.at_ms, found.receipt_id) == ("double_receipt", 2_000, "r1")
    assert "under custody number 1, which was over" in found.summary
    assert judge_replayed(newer, receipt("BRK", 1, 2_000)) is None
    assert judge_replayed(receipt("BRK", 1, 500), newer) is None, "taken in, sent on, and taken in again: in order"
    assert judge_replayed(receipt("BRK", 3, 2_000), newer) is None
    assert judge_replayed(receipt("BRK", 1, 2_000, provisional=True), newer) is None
    far = CLOCK_SLACK_MS + 1_000
    assert judge_replayed(receipt("CLD", 1, far), newer) is None, "two clocks may differ"
    assert judge_replayed(receipt("CLD", 1, far + 1), newer).plants == ("BRK", "CLD")


def test_a_piece_that_goes_to_and_fro_makes_no_case(group):
    group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.sync()
    own = group.receive("BRK", SLAB, KG, "RT-1")["own_number"]
    group.pass_time(HOUR)
    group.sync()
    group.ship("BRK", "CLD", "BT-1", [own])
    group.sync()
    group.receive("CLD", own, KG, "BT-1")
    group.pass_time(HOUR)
    group.sync()
    assert kinds(group) == []
    assert reconcile(group.hub).judged == 0
