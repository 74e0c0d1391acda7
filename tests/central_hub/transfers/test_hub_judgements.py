"""Judgements as pure rules: what is pending, what is in order, what is a contradiction, and as of when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from steel_group import SteelGroup

from central_hub.transfers.cases import check_resolution, opening, resolutions
from central_hub.transfers.deadlines import Due
from central_hub.transfers.denial_domain import Denial, judge_denied
from central_hub.transfers.domain import (
    EPISODE_AFTER_MS,
    Close,
    KnownLine,
    KnownReceipt,
    Sight,
    Verdict,
    is_away,
    judge_double,
    judge_mass,
    judge_missing,
    judge_unlisted,
)
from shared.db.engine import write
from shared.errors import BadInput, Refused
from shared.transfers.domain import compare_mass
from sync.peers import set_state

MINUTE, HOUR = 60_000, 3_600_000
MARGIN = 15 * MINUTE
NOON = 1_773_230_400_000
GRACE = 12 * HOUR

LINE = KnownLine(
    sender="ALD",
    receiver="BRK",
    shipment_id="s1",
    shipment_number="RT-1",
    material_id="m1",
    number="161738-1-1",
    mode="rail",
    mass_g=20_558_000,
    departed_at_ms=NOON - 9 * HOUR,
    eta_ms=NOON,
    recorded_at_ms=NOON - 9 * HOUR,
    withdrawn_at_ms=0,
    fact_id="f1",
)
RECEIPT = KnownReceipt(
    receiver="BRK",
    receipt_id="r1",
    from_plant="ALD",
    shipment_id="",
    shipment_number="RT-1",
    material_id="p1",
    taken_in_as="p1",
    custody_no=0,
    provisional=True,
    came_unlisted=True,
    printed_number="161738-1-1",
    own_number="BS6-1",
    mass_g=20_600_000,
    received_at_ms=NOON,
    recorded_at_ms=NOON,
    matched_at_ms=0,
    fact_id="f2",
)


def sight(ald_ms: int, brk_ms: int) -> Sight:
    return Sight({"ALD": ald_ms, "BRK": brk_ms}, MARGIN)


FAR = sight(NOON + 99 * HOUR, NOON + 99 * HOUR)
CLOSE = Close(NOON + HOUR, "f3")
JUDGED_AT = NOON + HOUR + MARGIN


@pytest.mark.parametrize(
    ("seen", "pending"),
    [
        (sight(JUDGED_AT, JUDGED_AT), False),
        (sight(JUDGED_AT - 1, JUDGED_AT), True),  # the sender might have said that it never left
        (sight(JUDGED_AT, JUDGED_AT - 1), True),  # the receiver might have found it
        (Sight({}, MARGIN), True),
    ],
)
def test_a_closed_receipt_is_judged_behind_both_watermarks(seen: Sight, pending: bool) -> None:
    verdict = judge_missing(LINE, CLOSE, None, seen)
    assert verdict.pending is pending
    if not pending:
        assert verdict.found is not None
        assert (verdict.found.kind, verdict.found.at_ms, verdict.found.evidence) == ("short", JUDGED_AT, ("f1", "f3"))


def test_without_a_close_a_load_is_overdue_after_its_grace() -> None:
    due = NOON + GRACE + MARGIN
    assert judge_missing(LINE, None, None, sight(due - 1, due - 1)).pending
    found = judge_missing(LINE, None, None, sight(due, due)).found
    assert found is not None
    assert (found.at_ms, found.evidence) == (due, ("f1",))
    early = judge_missing(LINE, Close(NOON + 20 * HOUR, "f3"), None, FAR).found
    assert early == found  # a later close changes nothing about a load that was overdue before


@pytest.mark.parametrize(("answered_ms", "in_order"), [(NOON, True), (JUDGED_AT, True), (JUDGED_AT + 1, False)])
def test_a_receipt_in_time_answers_the_line_and_a_late_one_does_not_undo_the_case(
    answered_ms: int, in_order: bool
) -> None:
    verdict = judge_missing(LINE, CLOSE, answered_ms, FAR)
    assert not verdict.pending
    assert (verdict.found is None) is in_order
    if in_order:  # positive evidence needs no watermark
        assert not judge_missing(LINE, CLOSE, answered_ms, Sight({}, MARGIN)).pending


@pytest.mark.parametrize(("withdrawn_ms", "found"), [(JUDGED_AT, False), (JUDGED_AT + 1, True)])
def test_a_declaration_that_it_never_left_counts_when_made_in_time(withdrawn_ms: int, found: bool) -> None:
    verdict = judge_missing(replace(LINE, withdrawn_at_ms=withdrawn_ms), CLOSE, None, FAR)
    assert (verdict.found is not None) is found


def test_a_line_declared_late_is_not_missed_because_the_receipt_was_closed_before() -> None:
    late = replace(LINE, recorded_at_ms=NOON + 30 * HOUR)
    assert judge_missing(late, CLOSE, NOON, FAR).found is None
    found = judge_missing(late, CLOSE, None, FAR).found
    assert found is not None
    assert found.at_ms == NOON + 30 * HOUR + MARGIN


def test_an_answer_of_the_senders_own_waits_for_a_close_that_is_still_to_come() -> None:
    """It has the piece back after the load was closed without it: short, also where the close comes to the hub later."""
    back_ms = JUDGED_AT + MINUTE
    assert judge_missing(LINE, None, back_ms, sight(back_ms, NOON)).pending
    found = judge_missing(LINE, CLOSE, back_ms, FAR).found
    assert found is not None
    assert (found.kind, found.at_ms) == ("short", JUDGED_AT)
    assert judge_missing(LINE, None, back_ms, sight(back_ms, JUDGED_AT)) == Verdict(False), "no close before it"


def test_a_listed_piece_that_came_unlisted_is_in_order_only_when_its_sender_did_not_take_it_back_in_time() -> None:
    """Its sender said shortly before that it never left, and the hub heard of that after the receipt."""
    at_ms = NOON + MARGIN
    assert judge_unlisted(RECEIPT, [LINE], ["ALD"], sight(at_ms - 1, at_ms)).pending
    assert judge_unlisted(RECEIPT, [LINE], ["ALD"], sight(at_ms, at_ms)) == Verdict(False)
    denied = replace(LINE, withdrawn_at_ms=NOON - MINUTE)
    found = judge_unlisted(RECEIPT, [denied], ["ALD"], sight(at_ms, at_ms)).found
    assert found is not None
    assert found.kind == "unannounced"


def test_a_piece_whose_line_stands_waits_for_no_other_plant_that_is_away() -> None:
    """Nobody named its sender at the gate; CLD is away for months."""
    at_ms, nobody = NOON + MARGIN, replace(RECEIPT, from_plant="")
    seen = sight(at_ms, at_ms)
    assert judge_unlisted(nobody, [LINE], ["ALD", "CLD"], seen) == Verdict(False)
    assert judge_unlisted(nobody, [LINE], ["ALD", "CLD"], sight(at_ms - 1, at_ms)).pending
    assert judge_unlisted(nobody, [replace(LINE, withdrawn_at_ms=NOON)], ["ALD", "CLD"], seen).pending
    assert judge_unlisted(nobody, [replace(LINE, receiver="DRN")], ["ALD", "CLD"], seen).pending, "CLD may have sent it"


def test_a_plant_that_may_not_speak_is_not_waited_for(group: SteelGroup) -> None:
    group.cut.add("CLD")
    group.receive("BRK", "161738-1-9", 20_500)
    assert group.sync().cases == 0
    with write(group.hub.node.engine) as conn:
        set_state(conn, "CLD", "revoked", group.clock.now_ms())
    group.pass_time(HOUR)
    assert group.sync().cases == 1, "ALD, the only other one, never said that it left"


def test_how_long_is_waited_for_does_not_hang_on_another_piece_with_the_same_number() -> None:
    """A load of a third plant, whose clock is far off, bears the number too and cannot mean this piece."""
    other = replace(LINE, sender="CLD", receiver="DRN")
    skewed = Sight(FAR.through, MARGIN, {"CLD": 9 * MINUTE})
    found = judge_unlisted(RECEIPT, [other], ["ALD"], skewed).found
    assert found is not None
    assert (found.kind, found.at_ms) == ("unannounced", NOON + MARGIN)


@pytest.mark.fault(91)
def test_an_unlisted_piece_is_judged_behind_the_senders_watermark() -> None:
    at_ms = NOON + MARGIN
    assert judge_unlisted(RECEIPT, [], ["ALD"], sight(at_ms - 1, at_ms)).pending
    assert judge_unlisted(RECEIPT, [], ["ALD"], sight(at_ms, at_ms - 1)).pending
    assert judge_unlisted(RECEIPT, [], ["ALD", "CLD"], sight(at_ms, at_ms)).pending
    found = judge_unlisted(RECEIPT, [], ["ALD"], sight(at_ms, at_ms)).found
    assert found is not None
    assert (found.kind, found.material_id, found.piece_number) == ("unannounced", "p1", "161738-1-1")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (LINE, None),
        (replace(LINE, receiver="CLD"), "wrong_plant"),
        (replace(LINE, recorded_at_ms=NOON + MARGIN), None),
        (replace(LINE, recorded_at_ms=NOON + MARGIN + 1), "unannounced"),  # declared late: it was a contradiction
        (replace(LINE, withdrawn_at_ms=NOON), "unannounced"),
        (replace(LINE, departed_at_ms=NOON + HOUR), "unannounced"),  # it left after this one came: another piece
        (replace(LINE, sender="CLD"), "unannounced"),
    ],
)
def test_what_a_line_makes_of_an_unlisted_piece(line: KnownLine, kind: str | None) -> None:
    verdict = judge_unlisted(RECEIPT, [line], ["ALD"], FAR)
    assert not verdict.pending
    assert (verdict.found.kind if verdict.found else None) == kind


@pytest.mark.fault(75)
@pytest.mark.parametrize("ahead", ["ALD", "BRK"])
def test_two_plants_twenty_minutes_apart_make_no_case_of_a_truck_that_took_two(ahead: str) -> None:
    apart = 20 * MINUTE
    left_ms = NOON + 18 * MINUTE if ahead == "ALD" else NOON - 22 * MINUTE
    line = replace(LINE, recorded_at_ms=left_ms, eta_ms=left_ms + MINUTE)
    knowing = replace(FAR, offsets={ahead: apart + 40})
    for seen in (knowing, replace(FAR, offsets={ahead: -apart})):
        assert judge_unlisted(RECEIPT, [line], ["ALD"], seen).found is None
        closed = Close(NOON + MINUTE, "f3")
        assert judge_missing(line, closed, NOON + MINUTE, seen).found is None
    if ahead == "ALD":
        assert judge_unlisted(RECEIPT, [line], ["ALD"], FAR).found is not None, "what the offset is for"
    for through, pending in ((NOON + MARGIN + 20 * MINUTE, True), (NOON + MARGIN + 21 * MINUTE, False)):
        seen = replace(knowing, through={"ALD": through, "BRK": through})
        assert judge_unlisted(RECEIPT, [], ["ALD"], seen).pending is pending


def test_a_jitter_of_clocks_changes_no_judgement() -> None:
    assert Sight({}, MARGIN, {"ALD": 59_000}).margin("ALD", "BRK") == MARGIN
    assert Sight({}, MARGIN, {"ALD": 61_000}).margin("ALD", "BRK") == MARGIN + 2 * MINUTE


@pytest.mark.fault(94)
def test_masses_contradict_at_once_and_name_both() -> None:
    matched = replace(RECEIPT, matched_at_ms=NOON + HOUR, provisional=False)
    assert judge_mass(LINE, matched, compare_mass(20_000_000, "theoretical", 20_300_000, "weighed")) is None
    found = judge_mass(LINE, matched, compare_mass(20_180_000, "weighed", 19_660_000, "weighed"))
    assert found is not None
    assert found.at_ms == NOON + HOUR
    assert "20,180 kg, BRK found 19,660 kg (weighed-weighed): -520 kg, -2.58 %; allowed are 61 kg" in found.summary
    assert found.values["difference_g"] == -520_000


def test_one_custody_number_is_received_once() -> None:
    first = replace(RECEIPT, provisional=False, material_id="m1", custody_no=1)
    again = replace(first, receipt_id="r2", receiver="CLD", own_number="C6-1", recorded_at_ms=NOON + 1, fact_id="f4")
    found = judge_double(again, first)
    assert found == judge_double(first, again)
    assert found is not None
    assert (found.plants, found.receipt_id) == (("BRK", "CLD"), "r2")
    for other in (
        replace(again, custody_no=2),
        replace(again, material_id="m2"),
        replace(again, provisional=True),
        first,
    ):
        assert judge_double(first, other) is None


def test_a_sender_minutes_behind_is_not_away() -> None:
    assert not is_away(RECEIPT, ["ALD"], sight(NOON - EPISODE_AFTER_MS, 0))
    assert is_away(RECEIPT, ["ALD"], sight(NOON - EPISODE_AFTER_MS - 1, 0))


def test_the_same_contradiction_is_the_same_case() -> None:
    found = judge_missing(LINE, CLOSE, None, FAR).found
    assert found is not None
    one, two = opening("HUB", found, Due(NOON)), opening("HUB", found, Due(NOON + HOUR))
    assert (one.fact_id, one.payload.case_id) == (two.fact_id, two.payload.case_id)
    other = opening("HUB", replace(found, key=("ALD", "s1", "m2")), Due(NOON))
    assert other.payload.case_id != one.payload.case_id


def test_a_resolution_says_how_and_why() -> None:
    check_resolution("short", "open", "lost", "never found")
    for kind, state, how, note, error in (
        ("short", "resolved", "lost", "x", Refused),
        ("short", "open", "reweighed", "x", BadInput),
        ("mass", "open", "reweighed", "  ", BadInput),
        ("mass", "open", "reweighed", "x" * 2_001, BadInput),
    ):
        with pytest.raises(error):
            check_resolution(kind, state, how, note)
    assert "other" in resolutions("anything")


@pytest.mark.fault(108)
def test_a_denied_departure_that_was_taken_in_is_contested_unless_the_sender_took_it_back() -> None:
    denial, at_ms = Denial("f7", NOON - HOUR), NOON
    matched = replace(RECEIPT, provisional=False, shipment_id="s1", material_id="m1")
    assert judge_denied(LINE, denial, matched, sight(at_ms - 1, at_ms)).pending
    found = judge_denied(LINE, denial, matched, sight(at_ms, 0)).found
    assert found is not None
    assert (found.kind, found.at_ms, found.evidence) == ("contested", at_ms, ("f1", "f7", "f2"))
    back = replace(denial, taken_back_ms=(NOON - MINUTE,))
    assert judge_denied(LINE, back, matched, FAR).found is None
    too_late = replace(denial, taken_back_ms=(NOON - 2 * HOUR, NOON + 1))
    assert judge_denied(LINE, too_late, matched, FAR).found == found
