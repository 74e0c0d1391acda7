"""A piece leaves the group only with what its order demands, and each missing thing is named."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from browse import sign_in
from outside_bench import CUSTOMER, ITEM, OutsideBench

from local_mes.app import create_console
from local_mes.dispatch.domain import DispatchCandidate, find_missing
from local_mes.transfers.domain import ShipCandidate
from local_mes.transfers.service import CorrectDeparture, correct_departure
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.queries import get_piece
from shared.outside.queries import Terms, find_delivery
from shared.quality.facts import CheckDecided, HoldPlaced
from shared.recall.queries import read_recall
from shared.transfers.queries import custody_numbers


def wanted(**more: Any) -> DispatchCandidate:
    piece = {"number": "C6-1", "kind": "coil", "state": "live", "order_item": ITEM, "grade": "L06", "product": "coil"}
    given: dict[str, Any] = {
        "piece": ShipCandidate(**(piece | more.pop("piece", {}))),
        "party_kind": "customer",
        "party_name": "Merrin",
        "customer": "Merrin",
        "terms": Terms(),
        "mass_basis": "weighed",
        "theoretical_g": 1,
        "has_analysis": True,
    }
    return DispatchCandidate(**(given | more))


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({}, ()),
        ({"piece": {"state": "shipped"}}, ("it has left already",)),
        ({"piece": {"kind": "heat"}}, ("a heat is no unit of delivery",)),
        ({"piece": {"order_item": "stock"}}, ("no order item: it is stock",)),
        ({"customer": ""}, (f"order item {ITEM} is not released here",)),
        ({"customer": "Tarrant"}, (f"order item {ITEM} is of Tarrant, not of Merrin",)),
        ({"piece": {"holds": ("sliver", "sliver")}}, ("held: sliver",)),
        ({"piece": {"only_for": "L99"}}, ("released only for L99",)),
        (
            {"terms": Terms(mass_basis="weighed"), "mass_basis": "charged"},
            ("no weighed mass: what is known is charged",),
        ),
        (
            {"terms": Terms(mass_basis="theoretical"), "theoretical_g": 0},
            ("no theoretical mass: its dimensions are not all known",),
        ),
        (
            {"terms": Terms(certificate="3.1"), "has_analysis": False},
            ("no certificate 3.1", "no analysis of its heat"),
        ),
        ({"terms": Terms(certificate="3.1"), "certificate": "Z-1"}, ()),
        ({"terms": Terms(rules=("QR-1", "QR-2")), "passed": {"QR-2"}}, ("no pass of QR-1",)),
        ({"terms": Terms(packed=True)}, ("not packed",)),
        ({"terms": Terms(packed=True), "piece": {"kind": "pack"}}, ()),
        ({"party_kind": "processor", "customer": "", "terms": Terms(certificate="3.1")}, ()),
    ],
)
def test_what_is_missing_is_named(more: dict[str, Any], missing: tuple[str, ...]) -> None:
    assert find_missing(wanted(**more)) == missing


def test_a_load_leaves_with_its_note_and_recall_finds_it_at_the_customer(bench: OutsideBench) -> None:
    bench.agree()
    bench.order()
    piece = bench.coil("C6-00001", 10_120)
    done = bench.send("C6-00001", vehicle="LK 17")
    assert (done["pieces"], done["mass_g"]) == (1, 10_120_000)
    assert re.fullmatch(r"CL-L\d{6}", done["note_number"])
    again = bench.send("C6-00001", command_id=f"command-{bench.group.commands}")
    assert again == done  # a command is done once
    with read(bench.plant.node.engine) as conn:
        assert get_piece(conn, "C6-00001", "CLD").state == "shipped"
        assert custody_numbers(conn, piece) == [1]
    assert bench.lines(done["shipment_id"])["C6-00001"].state == "delivered"
    bench.group.sync()
    bench.group.pass_time(40 * 86_400_000)
    assert bench.group.sync().cases == 0  # who tells nothing misses nothing
    with read(bench.group.hub.node.engine) as conn:
        found = read_recall(conn, "C6-00001")
        assert find_delivery(conn, "CLD", done["note_number"]) is not None
    (line,) = found.totals.lines
    assert (line.bucket, line.who, line.pieces, line.mass_g) == ("customer", CUSTOMER, 1, 10_120_000)


def test_the_refusal_names_every_piece_and_everything_it_lacks(bench: OutsideBench) -> None:
    bench.agree()
    bench.order()
    bench.terms(mass_basis="weighed", certificate="3.1", rules=("QR-COIL-01",), packed=True)
    held = bench.coil("C6-00001")
    bench.coil("C6-00002")
    with bench.plant.journal.work() as tx:
        hold = HoldPlaced(hold_id=new_id(bench.clock), material_id=held, reason="edge crack")
        tx.record(Draft(hold, (held,), "p1", Occurred(tx.now_ms(), "manual")))
    with pytest.raises(Refused) as refused:
        bench.send("C6-00001", "C6-00002")
    said = refused.value.what
    assert said.startswith("2 of the pieces may not leave. C6-00001: held: edge crack; no certificate 3.1;")
    assert "C6-00002: no certificate 3.1; no pass of QR-COIL-01; not packed." in said
    with read(bench.plant.node.engine) as conn:
        assert get_piece(conn, "C6-00002", "CLD").state == "live"


def test_a_test_that_passed_and_failed_again_does_not_count(bench: OutsideBench) -> None:
    bench.agree()
    bench.order()
    bench.terms(rules=("QR-COIL-01",), mass_basis="theoretical")
    piece = bench.coil("C6-00001")

    def decide(outcome: str) -> None:
        bench.group.pass_time(1000)
        with bench.plant.journal.work() as tx:
            fact = CheckDecided(
                decision_id=new_id(bench.clock), rule_id="QR-COIL-01", rule_version=1, rule_hash="h",
                material_id=piece, outcome=outcome, inputs={}, explanation="",
            )  # fmt: skip
            tx.record(Draft(fact, (piece,), "p1", Occurred(tx.now_ms(), "manual")))

    decide("pass")
    decide("hold")
    with pytest.raises(Refused, match="no pass of QR-COIL-01"):
        bench.send("C6-00001")
    decide("pass")
    done = bench.send("C6-00001")
    with read(bench.plant.node.engine) as conn:
        note = find_delivery(conn, "CLD", done["note_number"])
    assert note is not None
    # sold by dimensions: 220 mm x 1,280 mm x 9.3 m of steel
    assert done["mass_g"] == 220 * 1280 * 9300 * 7850 // 10**6


def test_who_may_be_dealt_with(bench: OutsideBench) -> None:
    with pytest.raises(NotFound, match="answers for no outside party"):
        bench.send("C6-1")
    with pytest.raises(Refused, match="is a plant of the group"):
        bench.agree("CLD", "ourselves")
    with pytest.raises(BadInput, match="is no code"):
        bench.agree("merrin")
    bench.agree()
    with pytest.raises(BadInput, match="lists no piece"):
        bench.send()
    bench.coil("C6-00001")
    with pytest.raises(BadInput, match="listed twice"):
        bench.send("C6-00001", "C6-00001")
    bench.agree(ended=True)
    with pytest.raises(Refused, match="have ended"):
        bench.send("C6-00001")


def test_pages_teach_show_what_is_missing_and_print_the_note(bench: OutsideBench) -> None:
    app = create_console(bench.plant)
    yard = sign_in(app, bench.plant.node, "lead", "lead")
    assert "Nothing left the group from here yet" in yard.page("/dispatch/")
    assert "Nobody is agreed yet" in yard.page("/dispatch/customers")
    assert "No due day is over yet" in yard.page("/dispatch/on-time-in-full")
    assert "No customer or processor is agreed yet" in yard.page("/dispatch/new")
    done = yard.post(
        "/dispatch/customers", "/dispatch/customers", code="MERRIN", name="Merrin Ducting", kind="customer", hours="8"
    )
    assert done.status_code == 302
    bench.order()
    at = "/dispatch/customers"
    done = yard.post("/dispatch/terms", at, item=ITEM, certificate="3.1", tolerance="5", rules="QR-1")
    assert done.status_code == 302, done.text
    assert "QR-1" in yard.page(at)
    yard.post("/dispatch/terms", at, item=ITEM, certificate="3.1", tolerance="5")
    bench.coil("C6-00001")
    form = "/dispatch/new?party=MERRIN"
    assert "C6-00001" in yard.page(form)
    refused = yard.post("/dispatch/new", form, party="MERRIN", pieces="C6-00001 W1", mode="truck")
    assert refused.status_code == 409
    assert "no certificate 3.1" in refused.text
    assert "C6-00001 W1" in refused.text  # what was typed is kept
    done = yard.post("/dispatch/new", form, party="MERRIN", pieces="C6-00001 W1", mode="truck", certificate="Z-77")
    assert done.status_code == 302
    page = yard.page(done.headers["Location"])
    assert "Z-77" in page
    assert "Left for the customer" in page
    (item,) = yard.api("GET", "/api/v1/deliveries").json["items"]  # type: ignore[index]
    paper = yard.client.get(f"/dispatch/{item['note_number']}/note.pdf")
    assert paper.data[:5] == b"%PDF-"
    assert len(paper.data) > 2_000
    one = yard.api("GET", f"/api/v1/deliveries/{item['note_number']}").json
    assert one["lines"][0]["noted"]["certificate"] == "Z-77"  # type: ignore[index]
    assert yard.api("GET", f"/api/v1/deliveries/{item['note_number']}/note.pdf").data == paper.data
    assert "MERRIN" in yard.page("/dispatch/")
    assert io.BytesIO(yard.client.get("/dispatch/?format=csv").data).read().startswith(b"note_number")


def test_what_is_corrected_after_a_departure_stays_off_the_note_and_off_the_figure(bench: OutsideBench) -> None:
    bench.agree()
    bench.order(kg=10_000)
    bench.coil("C6-00001")
    bench.coil("C6-00002")
    done = bench.send("C6-00001")
    lead = sign_in(create_console(bench.plant), bench.plant.node, "lead", "lead")
    paper = lead.client.get(f"/dispatch/{done['note_number']}/note.pdf").data
    for piece, kind in (("C6-00002", "late"), ("C6-00001", "did_not_occur")):
        command = CorrectDeparture(bench.group.command(), "p1", done["number"], piece, kind, "seen at the gate")
        correct_departure(bench.plant, command)
    assert "C6-00002" in lead.page(f"/dispatch/{done['note_number']}")
    assert lead.client.get(f"/dispatch/{done['note_number']}/note.pdf").data == paper
    bench.group.pass_time(2 * 86_400_000)
    (order,) = lead.api("GET", "/api/v1/on-time-in-full").json["orders"]  # type: ignore[index]
    assert (order["left_g"], order["state"]) == (0, "short")
