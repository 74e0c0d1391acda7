"""What goes another way than shipped and taken in (transfers.md, 4): each row from both plants' commands to the desk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from browse import sign_in
from sqlalchemy import insert, select
from steel_group import HOUR, MINUTE, SteelGroup, rows

from central_hub.transfers.balance import read_balance
from central_hub.transfers.domain import Contradiction
from central_hub.transfers.proposals import propose
from central_hub.transfers.restored import name_cause
from central_hub.transfers.service import reopen_case, resolve_case
from local_mes.app import create_console
from local_mes.cases.swapping import Swap, swap
from local_mes.production.person import Command
from local_mes.transfers.service import (
    AmendCommand,
    CorrectDeparture,
    LineCommand,
    Part,
    ReceiveCommand,
    amend,
    close_receipt,
    correct_departure,
    match_by_hand,
    receive_parts,
    refuse,
    take_back,
    write_off,
)
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import epoch, fact
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial
from shared.material.queries import find_by_number, find_material, get_material, get_piece, numbers_of
from shared.material.tables import material
from shared.material.trace import trace
from shared.quality.queries import list_holds, open_holds
from shared.transfers.case_queries import find_cases
from shared.transfers.facts import MaterialReceived
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_receipt
from shared.transfers.tables import transfer_case
from shared.transfers.told import with_told
from shared.transfers.words import find_words
from sync.understanding import keep

SLAB, SLAB_KG = "161738-1-1", 20_500


def say(group: SteelGroup, shipment: str, piece: str, note: str, place: str = "") -> LineCommand:
    return LineCommand(group.command(), "p1", shipment, piece, note, place)


def line(group: SteelGroup, number: str = SLAB) -> TransferLine:
    with read(group.hub.node.engine) as conn:
        return find_lines(conn, LineFilter(q=number))[0]


def cases(group: SteelGroup, at: str = "HUB") -> dict[str, Any]:
    node = group.hub.node if at == "HUB" else group.plants[at].node
    with read(node.engine) as conn:
        return {row.kind: row for row in find_cases(conn)}


def holds(group: SteelGroup, plant: str, material_id: str) -> list[str]:
    with read(group.plants[plant].node.engine) as conn:
        return [held.reason for held in open_holds(conn, material_id)]


def balance(group: SteelGroup) -> Any:
    with read(group.hub.node.engine) as conn:
        now = group.clock.now_ms()
        (lane,) = [x for x in read_balance(conn, now - 48 * HOUR, now) if x.lane == "ALD-BRK"]
    assert lane.unexplained_g == 0
    return lane


def send(group: SteelGroup, *numbers: str, kg: int = SLAB_KG) -> list[str]:
    """Slabs that leave ALD for BRK with RT-1, known to everybody."""
    ids = [group.stock("ALD", number, kg) for number in numbers]
    group.ship("ALD", "BRK", "RT-1", list(numbers))
    group.sync()
    return ids


@pytest.mark.fault(105, 106)
def test_a_piece_refused_at_the_gate_goes_back_and_leaves_again(group: SteelGroup) -> None:
    (slab,) = send(group, SLAB)
    refuse(group.plants["BRK"], say(group, "RT-1", SLAB, "wet"))
    with pytest.raises(Refused, match="not on its way"):
        refuse(group.plants["BRK"], say(group, "RT-1", SLAB, "wet"))
    group.sync()
    assert line(group).state == "refused"
    with read(group.plants["ALD"].node.engine) as conn:
        (told,) = find_words(conn, "refused", material_id=slab)  # the sender hears why
        assert (told.author, told.note, told.custody_no) == ("BRK", "wet", 1)
    assert balance(group).on_the_way.pieces == 1, "it is still the carrier's, on the sender's account"
    group.pass_time(30 * HOUR)
    group.sync()
    assert cases(group) == {}, "a refusal answers the line: nothing is missing"
    take_back(group.plants["ALD"], say(group, "RT-1", SLAB, "dry now", "YA7"))
    group.sync()
    assert line(group).state == "returned"
    assert balance(group).returned.pieces == 1
    with read(group.plants["ALD"].node.engine) as conn:
        back = get_piece(conn, SLAB, "ALD")
        assert (back.state, back.place) == ("live", "YA7")
    group.ship("ALD", "BRK", "RT-2", [SLAB])
    group.sync()
    again = group.receive("BRK", SLAB, SLAB_KG, "RT-2")
    group.sync()
    assert not again["provisional"]
    assert [x.custody_no for x in sorted_lines(group)] == [1, 3], "2 was the return"
    assert cases(group) == {}


def sorted_lines(group: SteelGroup) -> list[TransferLine]:
    with read(group.hub.node.engine) as conn:
        return sorted(find_lines(conn, LineFilter()), key=lambda x: x.custody_no)


@pytest.mark.fault(106)
@pytest.mark.parametrize("first", ["ALD", "BRK"])
def test_a_piece_that_is_back_and_taken_in_does_not_live_twice_in_silence(group: SteelGroup, first: str) -> None:
    send(group, SLAB)
    group.receive("BRK", SLAB, SLAB_KG, "RT-1")
    with pytest.raises(Refused, match="taken in already"):
        refuse(group.plants["BRK"], say(group, "RT-1", SLAB, "wet"))
    take_back(group.plants["ALD"], say(group, "RT-1", SLAB, "read wrongly"))  # no word of the receipt is here
    group.cut = {"ALD", "BRK"} - {first}
    group.sync()
    assert cases(group) == {}
    group.cut = set()
    group.sync()
    assert "back there; BRK has taken it in" in cases(group)["contested"].summary
    assert len(rows(group.hub.node.engine, transfer_case)) == 1


@pytest.mark.fault(117)
def test_a_loss_counts_when_both_signed_and_a_late_arrival_takes_it_back(group: SteelGroup) -> None:
    send(group, SLAB)
    write_off(group.plants["ALD"], say(group, "RT-1", SLAB, "fell into the river"))
    group.sync()
    assert line(group).state == "in_transit", "one side alone writes nothing off"
    done = write_off(group.plants["BRK"], say(group, "RT-1", SLAB, "never came"))
    assert done["by_both"]
    group.sync()
    assert line(group).state == "written_off"
    assert (balance(group).written_off.pieces, balance(group).on_the_way.pieces) == (1, 0)
    group.pass_time(HOUR)
    group.receive("BRK", SLAB, SLAB_KG, "RT-1")
    group.sync()
    assert (balance(group).written_off.pieces, balance(group).received.pieces) == (0, 1)
    found = cases(group)["found_again"]
    assert "written off by ALD and BRK" in found.summary
    group.sync()
    assert len(rows(group.hub.node.engine, transfer_case)) == 1, "the same case is not opened again"


@pytest.mark.fault(107)
def test_a_load_withdrawn_after_its_data_went_out_is_withdrawn_at_the_receiver_too(group: SteelGroup) -> None:
    numbers = [SLAB, "161738-1-2"]
    send(group, *numbers)
    with read(group.plants["BRK"].node.engine) as conn:
        assert len(find_lines(conn, LineFilter(receiver="BRK", open_only=True))) == 2
    for number in numbers:
        said = CorrectDeparture(group.command(), "p1", "RT-1", number, "did_not_occur", "the train was cancelled")
        correct_departure(group.plants["ALD"], said)
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        assert find_lines(conn, LineFilter(receiver="BRK", open_only=True)) == []
    group.pass_time(40 * HOUR)
    group.sync()
    assert cases(group) == {}


@pytest.mark.fault(104)
def test_quality_that_changes_on_the_way_reaches_what_the_receiver_made_of_it(group: SteelGroup) -> None:
    ids = send(group, SLAB, "161738-1-2", "161738-1-3")
    here = [group.receive("BRK", number, SLAB_KG, "RT-1") for number in (SLAB, "161738-1-2")]
    coil = roll(group, ids[1], here[1]["own_number"])
    for number in (SLAB, "161738-1-2", "161738-1-3"):
        told = AmendCommand(group.command(), "p1", "RT-1", number, "copper found late", chemistry_e6={"Cu": 3_000})
        amend(group.plants["ALD"], told)
    group.sync()
    assert "copper found late" in holds(group, "BRK", ids[0])[0]
    assert "copper found late" in holds(group, "BRK", coil)[0], "what was made of it is held"
    used = cases(group)
    assert set(used) == {"quality_changed"}, "only what was used is a case"
    assert used["quality_changed"].piece_number == "161738-1-2"
    late = group.receive("BRK", "161738-1-3", SLAB_KG, "RT-1")
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        assert '"Cu": 3000' in find_material(conn, "BRK", late["material_id"]).chemistry
    assert holds(group, "BRK", late["material_id"]) == [], "it came with what is known now"
    before = len(rows(group.plants["BRK"].node.engine, material))
    group.sync()
    assert len(rows(group.plants["BRK"].node.engine, material)) == before


def roll(group: SteelGroup, slab: str, number: str) -> str:
    coil = NewMaterial(
        material_id=slab[::-1],
        kind="coil",
        aliases=(NewAlias("BRK.coil", "B6-1"),),
        mass=Mass(20_000_000, "weighed"),
        order_item="stock",
    )
    edge = Edge(
        parent_id=slab,
        child_id=coil.material_id,
        parent_from_um=0,
        parent_to_um=1,
        child_from_um=0,
        child_to_um=1,
        mass_g=1,
    )
    rolled = MaterialTransformed(
        operation_id=slab[:16] * 2,
        operation="roll",
        unit="FM",
        started_at_ms=1,
        ended_at_ms=2,
        parents=(Consumed(slab, 20_000_000),),
        children=(coil,),
        edges=(edge,),
    )
    with group.plants["BRK"].node.journal.work() as tx:
        tx.record(Draft(rolled, (slab, coil.material_id), "p1", Occurred(group.clock.now_ms(), "manual")))
        assert get_piece(tx.conn, number, "BRK").state == "consumed"
    return coil.material_id


@pytest.mark.fault(103)
def test_a_paper_that_says_something_else_holds_the_piece_and_shows_the_fields(group: SteelGroup) -> None:
    ids = send(group, SLAB, "161738-1-2")
    same = {"grade": "L06", "C": "450"}
    group.receive("BRK", SLAB, SLAB_KG, "RT-1", certificate=same)
    group.receive("BRK", "161738-1-2", SLAB_KG, "RT-1", certificate=same | {"C": "620", "Mn": "9000"})
    group.sync()
    assert holds(group, "BRK", ids[0]) == []
    (reason,) = holds(group, "BRK", ids[1])
    assert "C: 450 in the data, 620 on the paper; Mn: nothing in the data, 9000 on the paper" in reason
    (found,) = cases(group).values()
    assert (found.kind, found.piece_number) == ("quality_mismatch", "161738-1-2")
    assert "620 on the paper" in found.summary


@pytest.mark.fault(111)
def test_a_damaged_piece_is_received_held_and_claimed(group: SteelGroup) -> None:
    (slab,) = send(group, SLAB)
    group.receive("BRK", SLAB, SLAB_KG, "RT-1", damage="edge crushed")
    group.sync()
    assert holds(group, "BRK", slab) == ["damaged on the way: edge crushed"]
    assert line(group).state == "received_with_exceptions"
    found = cases(group)["damage"]
    assert (found.from_plant, found.to_plant, found.state) == ("ALD", "BRK", "open")
    resolve_case(group.hub, found.case_id, "claim", "carrier pays", actor="p9", command_id=group.command())
    group.sync()
    assert cases(group, "BRK")["damage"].resolution == "claim", "both plants hear how it ended"


@pytest.mark.fault(112)
def test_hot_charged_steel_is_closed_with_its_one_weighing_and_flagged(group: SteelGroup) -> None:
    ids = send(group, SLAB)
    group.pass_time(4 * MINUTE)
    got = group.receive("BRK", SLAB, 0, "RT-1", scale="")
    group.sync()
    assert (got["difference_g"], got["flagged"]) == (0, False)
    closed = line(group)
    assert (closed.state, closed.flags, closed.receiver_mass_g) == ("received", ("one_weighing",), SLAB_KG * 1000)
    assert cases(group) == {}
    with read(group.plants["BRK"].node.engine) as conn:
        assert find_material(conn, "BRK", ids[0]).mass_basis == "advised"
    with pytest.raises(BadInput, match="nobody weighed it"):
        group.receive("BRK", "999999-9-9", 0)


@pytest.mark.fault(109)
@pytest.mark.parametrize(("parts", "kinds"), [((12_000, 8_450), set()), ((12_000, 6_000), {"mass"})])
def test_a_piece_cut_on_the_way_comes_as_parts_that_add_up(
    group: SteelGroup, parts: tuple[int, ...], kinds: set[str]
) -> None:
    (slab,) = send(group, SLAB)
    command = ReceiveCommand(group.command(), "p2", SLAB, 0, shipment="RT-1", place="YB")
    done = receive_parts(group.plants["BRK"], command, [Part(kg * 1000) for kg in parts])
    assert receive_parts(group.plants["BRK"], command, [Part(1), Part(2)]) == done, "done once"
    with pytest.raises(BadInput):
        receive_parts(group.plants["BRK"], replace(command, command_id="x"), [Part(1)])
    group.sync()
    with read(group.hub.node.engine) as conn:
        children = [find_material(conn, "BRK", part["material_id"]) for part in done["parts"]]
        assert [child.mass_g for child in children] == [kg * 1000 for kg in parts]
        assert sum(child.length_um for child in children) == 9_300_000
        assert {edge.parent_id for edge in trace(conn, children[1].material_id, "backward").edges} == {slab}
        assert find_material(conn, "BRK", slab).state == "consumed"
    assert set(cases(group)) == kinds
    assert line(group).receiver_mass_g == sum(parts) * 1000


@pytest.mark.fault(110)
def test_pieces_bundled_anew_are_found_in_the_new_bundle(group: SteelGroup) -> None:
    ids = send(group, SLAB, "161738-1-2", "161738-1-3")
    for number, bundle in ((SLAB, "B-77"), ("161738-1-2", "B-77"), ("161738-1-3", "")):
        group.receive("BRK", number, SLAB_KG, "RT-1", bundle=bundle)
    group.sync()
    for node in (group.hub.node, group.plants["BRK"].node):
        with read(node.engine) as conn:
            assert {word.material_id for word in find_words(conn, "bundled", note="B-77")} == set(ids[:2])
    assert cases(group) == {}


@pytest.mark.fault(97)
def test_a_renamed_piece_is_proposed_with_a_score_and_matched_by_a_person_only(group: SteelGroup) -> None:
    slab = group.stock("ALD", SLAB, SLAB_KG)
    group.stock("ALD", "161738-1-2", 15_000)
    group.ship("ALD", "BRK", "RT-1", [SLAB, "161738-1-2"])
    group.sync()
    came = group.receive("BRK", "X-4711", SLAB_KG + 10, "RT-1", kind="slab")
    close_receipt(group.plants["BRK"], "RT-1", actor="p2", command_id=group.command())
    group.pass_time(2 * HOUR)
    group.sync()
    found = cases(group)
    assert set(found) == {"short", "unannounced"}
    with read(group.hub.node.engine) as conn:
        (match,) = propose(conn, found["unannounced"])
        short = {row.piece_number: propose(conn, row) for row in find_cases(conn, kind="short")}
    assert short == {SLAB: [match], "161738-1-2": []}, "what weighs something else is no proposal"
    assert (match.kind, match.numbers, match.score) == ("match", (SLAB, "X-4711"), 90)
    assert line(group).receipt_id is None, "likeness alone ties nothing"
    by_hand = {"note": "seen by the yard", "actor": "p2", "command_id": group.command()}
    match_by_hand(group.plants["BRK"], came["receipt_id"], "RT-1", SLAB, **by_hand)
    with pytest.raises(Refused, match="does not wait"):
        match_by_hand(group.plants["BRK"], came["receipt_id"], "RT-1", SLAB, **by_hand | {"command_id": "other"})
    group.sync()
    assert line(group).state == "received"
    with read(group.hub.node.engine) as conn:
        assert {row.material_id for row in find_by_number(conn, "X-4711", "BRK") if row.state == "live"} == {slab}


@pytest.mark.fault(98)
def test_swapped_labels_are_proposed_from_masses_that_fit_crosswise(group: SteelGroup) -> None:
    numbers = {SLAB: 20_500, "161738-1-2": 17_000, "161738-1-3": 20_000}
    for number, kg in numbers.items():
        group.stock("ALD", number, kg)
    group.ship("ALD", "BRK", "RT-1", list(numbers))
    group.sync()
    for number, kg in zip(numbers, (17_010, 20_480, 19_000), strict=True):
        group.receive("BRK", number, kg, "RT-1")
    group.sync()
    with read(group.hub.node.engine) as conn:
        by_piece = {row.piece_number: propose(conn, row) for row in find_cases(conn, kind="mass")}
    assert set(by_piece) == set(numbers)
    assert by_piece["161738-1-3"] == [], "a piece that merely weighs wrong is no swap"
    ((one,), (two,)) = (by_piece[SLAB], by_piece["161738-1-2"])
    assert (one.kind, one.numbers, one.score) == ("swap", (SLAB, "161738-1-2"), 100)
    assert set(one.receipts) == set(two.receipts)
    _swapped_back(group, one.receipts)


def _swapped_back(group: SteelGroup, receipts: tuple[str, ...]) -> None:
    """The receiver exchanges the two: masses fit, each piece has its own heat and order, the labels are on the steel."""
    brk, command = group.plants["BRK"], Command("swap", "p4")
    with read(brk.node.engine) as conn:
        before = {row.receipt_id: row for row in (find_receipt(conn, i) for i in receipts) if row is not None}
    own = {row.material_id: row.own_number for row in before.values()}
    with pytest.raises(Refused, match="did not come with one load"):
        swap(brk, Command("same", "p4"), Swap(receipts[0], receipts[0], "x"))
    with pytest.raises(BadInput):
        swap(brk, Command("why", "p4"), Swap(*receipts, " "))
    with read(group.hub.node.engine) as conn:
        by_piece = {row.piece_number: row.case_id for row in find_cases(conn, kind="mass")}
    here, there = (f"/cases/{by_piece[number]}" for number in (SLAB, "161738-1-2"))
    yard = sign_in(create_console(brk), brk.node, "yard.brk", "yard")
    assert "20,480 kg here, 17,000 kg by its sender" in yard.page(here)
    with pytest.raises(Refused, match="about neither"):
        swap(brk, Command("case", "p4"), Swap(*receipts, "x", by_piece["161738-1-3"]))
    with pytest.raises(NotFound):
        swap(brk, Command("none", "p4"), Swap(*receipts, "x", "f" * 32))
    done = swap(brk, command, Swap(*receipts, "measured: 9.3 m and 7.7 m"))
    assert swap(brk, command, Swap(*receipts, "again")) == done
    with pytest.raises(Refused, match="exchanged already"):  # from the other one's case
        swap(brk, Command("twice", "p5"), Swap(receipts[1], receipts[0], "measured too", by_piece["161738-1-2"]))
    for page in (here, there):
        assert "This plant exchanged two swapped labels" in yard.page(page)
        assert "Exchange the two" not in yard.page(page)
    with write(group.hub.node.engine) as conn:
        keep(conn, "ALD", (1, 1), {"ReceiptsTold": 1}, 1)  # a release behind: it would park it, and what follows
    group.sync()
    with read(group.plants["ALD"].node.engine) as conn:
        assert not find_words(conn, "swapped")
    with write(group.hub.node.engine) as conn:
        keep(conn, "ALD", (1, 1), {"ReceiptsTold": 1, "ReceiptsSwapped": 1}, 2)
    group.sync()
    masses = {SLAB: 20_480_000, "161738-1-2": 17_010_000}
    for engine in (brk.node.engine, group.hub.node.engine):
        with read(engine) as conn:
            lines = {x.number: x for x in find_lines(conn, LineFilter(sender="ALD"))}
            for number, grams in masses.items():
                x = lines[number]
                assert (x.receiver_mass_g, x.state) == (grams, "received")
                row = get_material(conn, "BRK", x.material_id)
                assert (row.mass_g, row.number) == (grams, x.own_number)
                assert row.number == next(n for m, n in own.items() if m != x.material_id)
                assert get_piece(conn, row.number, "BRK").material_id == x.material_id, "the label is on the steel"
    with read(group.plants["ALD"].node.engine) as conn:
        assert [word.note for word in find_words(conn, "swapped")] == ["measured: 9.3 m and 7.7 m"]
        told = with_told(conn, find_lines(conn, LineFilter(sender="ALD")))
        assert {x.number: x.own_number for x in told if x.number in masses} == {
            number: lines[number].own_number for number in masses
        }


@pytest.mark.fault(100)
def test_a_piece_that_two_plants_took_in_is_held_at_both_until_somebody_has_looked(group: SteelGroup) -> None:
    (slab,) = send(group, SLAB)
    group.receive("BRK", SLAB, SLAB_KG, "RT-1")
    with group.plants["CLD"].node.journal.work() as tx:
        tx.record(received_elsewhere(group, slab))
    group.sync()
    found = cases(group)["double_receipt"]
    for plant in ("BRK", "CLD"):
        assert "taken in twice" in holds(group, plant, slab)[0]
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        assert len(list_holds(conn, author="BRK", ids=[slab])) == 1, "held once, however often it is looked at"
    told = {"actor": "p9", "command_id": group.command()}
    resolve_case(group.hub, found.case_id, "receiver_error", "it lies at BRK", **told)
    # opened again before either plant was there: the second hold stands alone
    reopen_case(group.hub, found.case_id, "not sure", actor="p9", command_id=group.command())
    group.sync()
    with read(group.hub.node.engine) as conn:
        again = conn.execute(select(fact.c.body).where(fact.c.type == "CaseReopened")).scalar_one()
    assert slab.encode() not in again, "a plant that does not read it yet parks the case alone, not the piece"
    for plant in ("BRK", "CLD"):
        with read(group.plants[plant].node.engine) as conn:
            assert len(list_holds(conn, author=plant, state="open", ids=[slab])) == 1
    resolve_case(group.hub, found.case_id, "receiver_error", "it lies at BRK", actor="p9", command_id=group.command())
    group.sync()
    for plant in ("BRK", "CLD"):
        with read(group.plants[plant].node.engine) as conn:
            assert list_holds(conn, author=plant, state="open", ids=[slab]) == []


def received_elsewhere(group: SteelGroup, slab: str) -> Draft[Any]:
    """CLD books ALD's slab as its own receipt of the same load: a wrong scan in its yard."""
    with read(group.plants["BRK"].node.engine) as conn:
        known = find_lines(conn, LineFilter(receiver="BRK"))[0]
    piece = NewMaterial(
        material_id=slab,
        kind="slab",
        aliases=(NewAlias("CLD.coil", "C6-1"), NewAlias("ALD.slab", SLAB)),
        mass=Mass(SLAB_KG * 1000, "weighed"),
        order_item="stock",
    )
    receipt_id = slab[:8] * 4
    fact = MaterialReceived(
        receipt_id=receipt_id,
        shipment_id=known.shipment_id,
        shipment_number="RT-1",
        from_plant="ALD",
        custody_no=known.custody_no,
        provisional=False,
        printed_number=SLAB,
        material=piece,
        sender_mass=None,
    )
    return Draft(fact, (slab, receipt_id), "p3", Occurred(group.clock.now_ms(), "manual"))


@pytest.mark.fault(113)
def test_a_piece_of_unknown_origin_waits_for_every_watermark_and_then_is_a_case(group: SteelGroup) -> None:
    (slab,) = send(group, SLAB)
    with write(group.hub.node.engine) as conn:  # what told of it was set aside at the hub
        conn.execute(material.delete().where(material.c.author == "ALD", material.c.material_id == slab))
    group.receive("BRK", SLAB, SLAB_KG, "RT-1")
    group.sync()
    assert cases(group) == {}
    group.pass_time(HOUR)
    group.cut = {"CLD"}
    group.sync()
    assert cases(group) == {}, "CLD may still say what it is"
    group.cut = set()
    group.sync()
    found = cases(group)["genealogy_gap"]
    assert found.piece_number == SLAB
    group.sync()
    assert len(rows(group.hub.node.engine, transfer_case)) == 1


@pytest.mark.fault(113)
def test_an_origin_that_is_told_in_time_makes_no_case(group: SteelGroup) -> None:
    (slab,) = send(group, SLAB)
    with write(group.hub.node.engine) as conn:
        row = dict(conn.execute(select(material).where(material.c.author == "ALD")).mappings().one())
        conn.execute(material.delete().where(material.c.author == "ALD", material.c.material_id == slab))
    group.receive("BRK", SLAB, SLAB_KG, "RT-1")
    group.sync()
    with write(group.hub.node.engine) as conn:
        conn.execute(insert(material).values(row))
    group.pass_time(HOUR)
    group.sync()
    assert cases(group) == {}


@pytest.mark.fault(114)
def test_times_in_the_past_or_the_future_are_kept_and_flagged(group: SteelGroup) -> None:
    now = group.clock.now_ms()
    for number, load, at_ms in (
        ("S-1", "RT-1", now + 6 * MINUTE),
        ("S-2", "RT-2", now - 25 * HOUR),
        ("S-3", "RT-3", now),
    ):
        group.stock("ALD", number, SLAB_KG)
        group.ship("ALD", "BRK", load, [number], occurred_at_ms=at_ms)
    group.sync()
    assert {number: line(group, number).flags for number in ("S-1", "S-2", "S-3")} == {
        "S-1": ("time_ahead",),
        "S-2": ("backdated",),
        "S-3": (),
    }
    assert line(group, "S-1").departed_at_ms == now + 6 * MINUTE, "kept as claimed"
    group.receive("BRK", "S-3", SLAB_KG, "RT-3", occurred_at_ms=now + 10 * MINUTE)
    group.sync()
    assert line(group, "S-3").flags == ("time_ahead",)


def restore(group: SteelGroup, plant: str) -> None:
    """The hub hears of a new life of a plant that began at an earlier place of the one before."""
    with write(group.hub.node.engine) as conn:
        last = conn.execute(select(epoch).where(epoch.c.stream == plant)).mappings().first()
        row = {
            "stream": plant,
            "epoch": "e" * 32,
            "ordinal": (last["ordinal"] if last else 0) + 100,
            "parent_epoch": last["epoch"] if last else "0" * 32,
            "parent_seq": 1,
            "parent_hash": "0" * 64,
            "reason": "behind",
            "opened_at_ms": group.clock.now_ms(),
        }
        conn.execute(insert(epoch).values(row))


@pytest.mark.fault(55, 115)
def test_what_a_restored_plant_forgot_of_a_transfer_becomes_a_case_that_names_the_restore(group: SteelGroup) -> None:
    group.stock("BRK", "B6-1", 20_000, "coil")
    send(group, SLAB)
    group.pass_time(HOUR)
    restore(group, "BRK")  # its receipt was in the part that is gone
    group.pass_time(40 * HOUR)
    group.sync()
    found = cases(group)["short"]
    assert "BRK was put back to a backup" in found.summary
    assert '"restored_at_ms"' in found.figures
    with read(group.hub.node.engine) as conn:
        other = replace_plants(conn, found)
    assert "backup" not in other


def replace_plants(conn: Any, found: Any) -> str:
    """The same case between plants that were not restored names no such cause."""
    plain = Contradiction("short", found.since_ms, ("k",), ("ALD", "CLD"), "S-1 is missing.")
    return name_cause(conn, plain).summary


@pytest.mark.fault(116)
def test_a_number_given_twice_after_a_restore_is_a_case_and_the_second_piece_is_renamed(group: SteelGroup) -> None:
    first = group.stock("BRK", "B6-100", 20_000, "coil")
    group.sync()
    restore(group, "BRK")
    group.pass_time(HOUR)
    second = group.stock("BRK", "B6-100", 19_000, "coil")
    group.stock("BRK", "B6-101", 19_000, "coil")
    group.sync()
    found = cases(group)["number_reuse"]
    assert (found.material_id, found.piece_number, found.from_plant) == (second, "B6-100", "BRK")
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        names = [row.number for row in find_by_number(conn, "B6-100", "BRK")]
        assert len(names) == 2
        given = numbers_of(conn, [first, second])
    assert given[first] == ["B6-100"]
    assert len(given[second]) == 2, "the second one has another number, once"
    group.pass_time(HOUR)
    group.sync()
    assert len(rows(group.hub.node.engine, transfer_case)) == 1


def test_plants_that_were_never_restored_may_use_a_number_again(group: SteelGroup) -> None:
    for _ in range(2):
        group.stock("BRK", "B6-100", 20_000, "coil")
    group.sync()
    assert cases(group) == {}
