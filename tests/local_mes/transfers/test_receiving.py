"""Commands of the addressee: pieces known and unknown, numbers, masses, closing, and matching when data comes late."""

from __future__ import annotations

from dataclasses import replace

import pytest
from steel_group import MINUTE, SteelGroup

from local_mes.model.domain import Lane
from local_mes.transfers.reads import read_receipt
from local_mes.transfers.service import (
    CorrectDeparture,
    arrive,
    close_receipt,
    correct_departure,
    match_pending,
    may_consume,
)
from shared.db.engine import read
from shared.errors import NotFound, Refused
from shared.ids import new_id
from shared.journal.content_hash import authors, content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.rebuild import rebuild
from shared.journal.tables import fact
from shared.material.facts import MaterialScrapped
from shared.material.queries import aliases_of, find_piece, get_material, numbers_of
from shared.quality.facts import HoldPlaced
from shared.quality.queries import open_holds
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_receipt, find_shipment


def send(group: SteelGroup, *numbers: str, load: str = "RT-1", kg: int = 20_558) -> dict[str, str]:
    pieces = {number: group.stock("ALD", number, kg) for number in numbers}
    group.ship("ALD", "BRK", load, list(numbers))
    return pieces


@pytest.mark.fault(96)
def test_an_announced_slab_keeps_its_identity_and_gets_the_mills_number(group: SteelGroup) -> None:
    pieces = send(group, "161738-1-1")
    group.sync()
    got = group.receive("BRK", "161738-1-1", 20_670)
    with read(group.plants["BRK"].node.engine) as conn:
        row = get_material(conn, "BRK", pieces["161738-1-1"])
        by_either = {find_piece(conn, n).material_id for n in ("161738-1-1", got["own_number"])}  # type: ignore[union-attr]
        line = find_lines(conn, LineFilter())[0]
    assert by_either == {pieces["161738-1-1"]}
    assert got["own_number"].startswith("BS6-")
    assert (got["provisional"], got["flagged"], got["difference_g"]) == (False, False, 112_000)
    assert (row.number, row.mass_g, row.mass_basis, row.origin) == (
        got["own_number"],
        20_670_000,
        "weighed",
        "received",
    )
    assert (row.heat_number, row.chemistry, row.length_um) == ("161738", '{"C": 450, "Cu": 1500}', 9_300_000)
    assert (line.state, line.own_number) == ("received", got["own_number"])


def test_a_number_that_was_given_is_kept_and_never_given_again(group: SteelGroup) -> None:
    send(group, "161738-1-1", "161738-1-2", "161738-1-3")
    group.sync()
    assert group.receive("BRK", "161738-1-1", 20_600, own_number="BS6-08817")["own_number"] == "BS6-08817"
    assert group.receive("BRK", "161738-1-2", 20_600)["own_number"] == "BS6-08818"
    with pytest.raises(Refused) as refused:
        group.receive("BRK", "161738-1-3", 20_600, own_number="BS6-08817")
    assert refused.value.code == "transfers.number_taken"


@pytest.mark.fault(94)
def test_a_mass_outside_the_lane_is_flagged_and_both_masses_stay(group: SteelGroup) -> None:
    group.stock("BRK", "B6-10379", 20_180, kind="coil")
    group.ship("BRK", "CLD", "K3", ["B6-10379"], mode="truck")
    group.sync()
    got = group.receive("CLD", "B6-10379", 19_660)
    with read(group.plants["CLD"].node.engine) as conn:
        line = find_lines(conn, LineFilter())[0]
    assert got["flagged"] is True
    assert (line.state, line.sender_mass_g, line.receiver_mass_g) == (
        "received_with_exceptions",
        20_180_000,
        19_660_000,
    )


@pytest.mark.fault(99)
def test_the_same_piece_is_not_taken_in_twice(group: SteelGroup) -> None:
    send(group, "161738-1-1")
    group.sync()
    first = group.receive("BRK", "161738-1-1", 20_600, command_id="one")
    assert group.receive("BRK", "161738-1-1", 20_600, command_id="one") == first
    for shipment in ("", "RT-1"):
        with pytest.raises(Refused, match=first["own_number"]):
            group.receive("BRK", "161738-1-1", 20_600, shipment=shipment)


def test_what_nobody_announced_waits_under_a_provisional_identity(group: SteelGroup) -> None:
    got = group.receive("BRK", "161739-1-3", 20_600, "RT-9", from_plant="ALD")
    with read(group.plants["BRK"].node.engine) as conn:
        holds = open_holds(conn, got["material_id"])
        usable = may_consume(conn, got["material_id"])
        row = get_material(conn, "BRK", got["material_id"])
    assert (got["provisional"], got["difference_g"], usable) == (True, None, False)
    assert [h.reason for h in holds] == ["awaiting the sender's data"]
    assert (row.kind, row.place, row.order_item) == ("slab", "YB", "stock")
    with pytest.raises(Refused):
        group.receive("BRK", "161739-1-3", 20_600, "RT-9")


@pytest.mark.fault(92)
def test_late_data_ties_the_provisional_piece_to_its_true_identity(group: SteelGroup) -> None:
    group.cut.add("ALD")
    pieces = send(group, "161738-1-1")
    group.pass_time(9 * 60 * MINUTE)
    came = group.receive("BRK", "161738-1-1", 20_670, "RT-1")
    assert came["provisional"] is True
    assert match_pending(group.plants["BRK"]) == 0
    group.cut.clear()
    group.sync()
    true_id = pieces["161738-1-1"]
    with read(group.plants["BRK"].node.engine) as conn:
        tied = find_receipt(conn, came["receipt_id"])
        found = find_piece(conn, came["own_number"])
        provisional = get_material(conn, "BRK", came["material_id"])
        holds = open_holds(conn, true_id)
        usable = may_consume(conn, true_id)
        numbers = numbers_of(conn, [true_id])[true_id]
        line = find_lines(conn, LineFilter())[0]
    assert tied is not None
    assert (tied.material_id, tied.taken_in_as, tied.provisional) == (true_id, came["material_id"], False)
    assert found is not None
    assert (found.material_id, found.number, found.mass_g) == (true_id, came["own_number"], 20_670_000)
    assert (found.heat_number, found.place, found.state) == ("161738", "YB", "live")
    assert (provisional.state, provisional.identified_as) == ("identified", true_id)
    assert (holds, usable) == ([], True)
    assert set(numbers) == {"161738-1-1", came["own_number"]}
    assert line.state == "received"
    assert match_pending(group.plants["BRK"]) == 0


def test_late_data_does_not_bring_back_a_piece_that_was_scrapped_meanwhile(group: SteelGroup) -> None:
    group.cut.add("ALD")
    pieces = send(group, "161738-1-1")
    group.pass_time(9 * 60 * MINUTE)
    came = group.receive("BRK", "161738-1-1", 20_670, "RT-1")
    mill = group.plants["BRK"]
    with mill.journal.work() as tx:
        scrapped = MaterialScrapped(material_id=came["material_id"], mass_g=20_670_000, reason="fell off the wagon")
        tx.record(Draft(scrapped, (came["material_id"],), "yard.brk", Occurred(tx.now_ms(), "manual")))
    group.cut.clear()
    group.sync()
    with read(mill.node.engine) as conn:
        true_row = get_material(conn, "BRK", pieces["161738-1-1"])
        provisional = get_material(conn, "BRK", came["material_id"])
    assert (provisional.state, true_row.state, true_row.ended_at_ms is None) == ("identified", "scrapped", False)


def test_a_hold_of_the_sender_travels_with_the_piece(group: SteelGroup) -> None:
    piece = group.stock("ALD", "161739-1-3", 20_536)
    group.stock("ALD", "161739-1-1", 20_580)
    group.ship("ALD", "BRK", "RT-1", ["161739-1-1"])
    came = group.receive("BRK", "161739-1-3", 20_600, "RT-1", from_plant="ALD")
    with group.plants["ALD"].journal.work() as tx:
        hold = HoldPlaced(hold_id=new_id(group.clock), material_id=piece, reason="Cu")
        tx.record(Draft(hold, (piece,), "p1", Occurred(group.clock.now_ms(), "manual")))
    correct_departure(group.plants["ALD"], CorrectDeparture(group.command(), "p1", "RT-1", "161739-1-3", "late"))
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        holds = open_holds(conn, piece)
        row = find_receipt(conn, came["receipt_id"])
    # the plant's own, taken with the departure, and the one that the hub carries after a hold
    assert {(h.author, h.inherited_from) for h in holds} == {("BRK", hold.hold_id), ("HUB", hold.hold_id)}
    assert row is not None
    assert row.material_id == piece


@pytest.mark.fault(102)
def test_closing_a_receipt_names_what_is_short(group: SteelGroup) -> None:
    send(group, "161738-1-1", "161738-1-2", "161738-1-3")
    group.sync()
    group.receive("BRK", "161738-1-1", 20_600)
    brk = group.plants["BRK"]
    done = close_receipt(brk, "RT-1", actor="p2", command_id="close")
    assert (done["received"], done["short"]) == (1, ["161738-1-2", "161738-1-3"])
    assert close_receipt(brk, "RT-1", actor="p2", command_id="close") == done
    with pytest.raises(Refused):
        close_receipt(brk, "RT-1", actor="p2", command_id="close again")
    with pytest.raises(NotFound):
        close_receipt(brk, "RT-77", actor="p2", command_id="another")
    late = group.receive("BRK", "161738-1-2", 20_610, "RT-1")  # steel that turns up later is still taken in
    assert late["provisional"] is False


def test_an_arrival_is_seen_on_the_line(group: SteelGroup) -> None:
    send(group, "161738-1-1")
    group.sync()
    arrive(group.plants["BRK"], "RT-1", actor="p2", command_id="gate")
    arrive(group.plants["BRK"], "RT-5", actor="p2", command_id="gate, unknown")
    with read(group.plants["BRK"].node.engine) as conn:
        assert [line.state for line in find_lines(conn, LineFilter())] == ["arrived"]


def test_a_rebuild_gives_the_same_rows(group: SteelGroup) -> None:
    group.cut.add("ALD")
    send(group, "161738-1-1", "161738-1-2")
    group.receive("BRK", "161738-1-1", 20_670, "RT-1")
    group.cut.clear()
    group.sync()
    brk = group.plants["BRK"].node
    with brk.journal.work() as tx:
        before = {author: content_hash(tx.conn, author) for author in authors(tx.conn)}
        count = len(tx.conn.execute(fact.select()).all())
        done = rebuild(tx.conn, brk.journal.appliers, 0)
        after = {author: content_hash(tx.conn, author) for author in authors(tx.conn)}
    assert before == after
    assert set(before) >= {"ALD", "BRK"}
    assert (done.applied, done.quarantined, done.held) == (count, 0, 0)


def test_a_load_from_a_plant_never_heard_of_is_of_unknown_sender_and_the_guess_is_only_shown(group: SteelGroup) -> None:
    send(group, "161738-1-1")
    group.sync()  # ALD is the only plant that this one has heard of
    came = group.receive("BRK", "77-1", 20_600, "X-9")
    with read(group.plants["BRK"].node.engine) as conn:
        row = find_receipt(conn, came["receipt_id"])
        shown = read_receipt(conn, "BRK", came["receipt_id"])
        schemes = {alias.scheme for alias in aliases_of(conn, came["material_id"])}
    assert row is not None
    assert (row.from_plant, came["from_plant"], came["likely_from"], shown["likely"]) == ("", "", "ALD", "ALD")
    assert schemes == {"BRK.slab", "unknown.slab"}
    cold = group.plants["CLD"]
    back = Lane(code="CLD-BRK", to="BRK", mode="truck", hours=5)
    group.plants["CLD"] = replace(cold, model=cold.model.model_copy(update={"lane": (back,)}))
    group.stock("CLD", "77-1", 20_590)
    group.ship("CLD", "BRK", "X-9", ["77-1"], occurred_at_ms=group.clock.now_ms() - MINUTE)
    group.sync()  # CLD, unheard of until now, was the sender
    with read(group.plants["BRK"].node.engine) as conn:
        tied = find_receipt(conn, came["receipt_id"])
        assert find_lines(conn, LineFilter(sender="CLD"))[0].state == "received"
        assert read_receipt(conn, "BRK", came["receipt_id"])["likely"] == ""
    assert tied is not None
    assert (tied.provisional, tied.shipment_id) == (False, find_line_id(group, "X-9"))


def find_line_id(group: SteelGroup, load: str) -> str:
    with read(group.plants["BRK"].node.engine) as conn:
        found = find_shipment(conn, load)
    assert found is not None
    return str(found.shipment_id)
