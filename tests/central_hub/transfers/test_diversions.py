"""Pieces on their way that go to another addressee: one custodian at every moment, and each side's books follow."""

from __future__ import annotations

from typing import Any

import pytest
from steel_group import HOUR, MINUTE, SteelGroup, rows

from central_hub.transfers.balance import read_balance
from central_hub.transfers.settling import read_since
from local_mes.transfers.service import (
    CorrectDeparture,
    DivertCommand,
    LineCommand,
    correct_departure,
    divert,
    refuse,
    take_back,
)
from shared.db.engine import read
from shared.errors import BadInput, Refused
from shared.material.queries import find_by_number
from shared.transfers.case_queries import find_cases
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_receipts
from shared.transfers.tables import shipment_line, transfer_word

KG = 20_500


def send(group: SteelGroup, *numbers: str) -> None:
    for number in numbers:
        group.stock("ALD", number, KG)
    group.ship("ALD", "BRK", "RT-1", list(numbers), vehicle="Train 7")
    group.sync()


def on(group: SteelGroup, **given: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"shipment": "RT-1", "to": "CLD", "note": "BRK is full"} | given
    known.setdefault("eta_ms", group.clock.now_ms() + 6 * HOUR)
    return divert(group.plants["ALD"], DivertCommand(group.command(), "p1", **known))


def lines(group: SteelGroup, number: str, at: str = "HUB") -> dict[str, TransferLine]:
    """The lines of a piece by their load."""
    node = group.hub.node if at == "HUB" else group.plants[at].node
    with read(node.engine) as conn:
        return {line.shipment_number: line for line in find_lines(conn, LineFilter(q=number)) if line.number == number}


def cases(group: SteelGroup) -> dict[str, Any]:
    with read(group.hub.node.engine) as conn:
        return {row.kind: row for row in find_cases(conn)}


def custodians(group: SteelGroup, number: str) -> list[str]:
    """Plants in whose books the piece is live."""
    found = []
    for code, plant in group.plants.items():
        with read(plant.node.engine) as conn:
            found += [code for row in find_by_number(conn, number, code) if row.state == "live"]
    return found


def test_a_diverted_piece_goes_on_under_the_next_custody_number_and_only_its_new_addressee_takes_it_in(
    group: SteelGroup,
) -> None:
    send(group, "S-1", "S-2")
    group.pass_time(HOUR)
    with pytest.raises(BadInput, match="no lane to CLD"):
        on(group, eta_ms=0)
    with pytest.raises(Refused, match="goes to BRK already"):
        on(group, to="BRK")
    done = on(group, pieces=("S-1",), number="RT-1D")
    assert done["pieces"] == ["S-1"]
    group.sync()

    both = lines(group, "S-1")
    assert (both["RT-1"].state, both["RT-1"].custody_no) == ("diverted", 1)
    assert (both["RT-1D"].state, both["RT-1D"].custody_no, both["RT-1D"].receiver) == ("in_transit", 2, "CLD")
    assert (both["RT-1D"].vehicle, both["RT-1D"].position) == ("Train 7", "W1")
    assert [line.number for line in lines(group, "S-1", "BRK").values() if line.is_awaited] == []
    with pytest.raises(Refused, match="not on its way any more: diverted"):
        refuse(group.plants["BRK"], LineCommand(group.command(), "p2", "RT-1", "S-1", "not ours"))
    with pytest.raises(Refused, match="not on its way any more: diverted"):
        take_back(group.plants["ALD"], LineCommand(group.command(), "p1", "RT-1", "S-1", "it came back"))

    group.receive("CLD", "S-1", KG, "RT-1D", own_number="C-1")
    group.receive("BRK", "S-2", KG, "RT-1")
    group.pass_time(72 * HOUR)
    group.sync()
    assert lines(group, "S-1")["RT-1D"].state == "received"
    assert cases(group) == {}
    assert custodians(group, "S-1") == ["CLD"]
    with read(group.hub.node.engine) as conn:
        now = group.clock.now_ms()
        found = {lane.lane: lane for lane in read_balance(conn, now - 96 * HOUR, now)}
    assert {name: (lane.received.pieces, lane.unexplained_g) for name, lane in found.items()} == {
        "ALD-BRK": (1, 0),
        "ALD-CLD": (1, 0),
    }
    for table in (shipment_line, transfer_word):
        assert rows(group.hub.node.engine, table) == rows(group.plants["ALD"].node.engine, table)


def test_a_piece_that_came_to_the_wrong_plant_is_diverted_there_and_matches_by_itself(group: SteelGroup) -> None:
    send(group, "S-1")
    group.pass_time(HOUR)
    group.receive("CLD", "S-1", KG, "RT-1")  # row 12: it was sent to BRK
    group.sync()
    group.pass_time(HOUR)
    group.sync()
    assert set(cases(group)) == {"wrong_plant"}
    on(group, number="RT-1D")
    group.pass_time(MINUTE)
    group.sync()
    assert lines(group, "S-1")["RT-1D"].state == "received"
    with read(group.plants["CLD"].node.engine) as conn:
        assert [row.provisional for row in find_receipts(conn, receiver="CLD")] == [False]
    assert custodians(group, "S-1") == ["CLD"]


def test_a_receipt_against_a_diversion_opens_a_case_and_a_denied_diversion_puts_the_first_departure_in_force_again(
    group: SteelGroup,
) -> None:
    send(group, "S-1")
    group.pass_time(HOUR)
    on(group, number="RT-1D")
    group.receive("BRK", "S-1", KG, "RT-1")  # before it hears of the diversion
    group.pass_time(HOUR)
    group.sync()
    case = cases(group)["contested"]
    assert "sent on to another plant; BRK has taken it in" in case.summary
    assert custodians(group, "S-1") == ["BRK"]  # the receipt is physical evidence

    denied = CorrectDeparture(group.command(), "p1", "RT-1D", "S-1", "did_not_occur", "the driver never heard of it")
    correct_departure(group.plants["ALD"], denied)
    group.pass_time(72 * HOUR)
    group.sync()
    both = lines(group, "S-1")
    assert (both["RT-1"].state, both["RT-1D"].state) == ("received", "did_not_occur")
    assert both["RT-1"].custody_no == 1
    assert custodians(group, "S-1") == ["BRK"]
    with read(group.plants["ALD"].node.engine) as conn:
        assert [row.state for row in find_by_number(conn, "S-1", "ALD")] == ["shipped"]
    assert set(cases(group)) == {"contested"}
    for table in (shipment_line, transfer_word):
        assert rows(group.hub.node.engine, table) == rows(group.plants["ALD"].node.engine, table)


def test_a_refused_piece_goes_on_to_another_plant(group: SteelGroup) -> None:
    send(group, "S-1")
    refuse(group.plants["BRK"], LineCommand(group.command(), "p2", "RT-1", "S-1", "no order for it"))
    group.sync()
    on(group, number="RT-1D")
    group.sync()
    group.receive("CLD", "S-1", KG, "RT-1D")
    group.sync()
    both = lines(group, "S-1")
    assert (both["RT-1"].state, both["RT-1D"].state) == ("diverted", "received")


def test_a_refused_piece_that_never_comes_back_is_a_case_and_one_that_does_is_none(group: SteelGroup) -> None:
    send(group, "S-1", "S-2", "S-3")
    for number in ("S-1", "S-2", "S-3"):
        refuse(group.plants["BRK"], LineCommand(group.command(), "p2", "RT-1", number, "wet"))
    group.pass_time(20 * HOUR)
    take_back(group.plants["ALD"], LineCommand(group.command(), "p1", "RT-1", "S-2", "dry", "YA"))
    on(group, pieces=("S-3",), number="RT-1D", eta_ms=group.clock.now_ms() + 200 * HOUR)
    group.sync()
    group.pass_time(36 * HOUR)
    group.sync()
    assert cases(group) == {}, "it may still be on its way back"
    group.cut.add("ALD")
    group.pass_time(72 * HOUR)
    group.sync()
    assert cases(group) == {}, "its sender may have it and be cut off"
    group.cut.clear()
    group.sync()
    found = cases(group)
    assert set(found) == {"short"}
    assert found["short"].summary == "S-1 of RT-1 (20,500 kg) was refused at BRK: wet. ALD does not have it back."
    take_back(group.plants["ALD"], LineCommand(group.command(), "p1", "RT-1", "S-1", "found at the carrier's", "YA"))
    group.sync()
    with read(group.hub.node.engine) as conn:
        since = read_since(conn, [found["short"]])[found["short"].case_id]
    assert since.settled == "ALD has it back."
