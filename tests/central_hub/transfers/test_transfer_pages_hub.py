"""The case desk, the lanes and the balance through the portal and its API."""

from __future__ import annotations

import pytest
from browse import Person, sign_in
from steel_group import HOUR, SteelGroup

from central_hub.app import create_portal
from local_mes.transfers.service import CorrectDeparture, close_receipt, correct_departure
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialWeighed


@pytest.fixture
def logistics(group: SteelGroup) -> Person:
    return sign_in(create_portal(group.hub), group.hub.node, "logistics.group", "logistics")


@pytest.fixture
def three(group: SteelGroup) -> SteelGroup:
    """One piece short, one with another mass, one that nobody announced, one still on the way."""
    for number, kg in (("B6-10375", 20_180), ("B6-10379", 20_180), ("B6-10384", 20_350)):
        group.stock("BRK", number, kg, kind="coil")
    group.stock("ALD", "161739-1-3", 20_536)
    group.stock("ALD", "161739-1-1", 20_580)
    group.ship("ALD", "BRK", "RT-1", ["161739-1-1"])
    group.ship("BRK", "CLD", "RC-1", ["B6-10375", "B6-10379"], mode="truck")
    group.ship("BRK", "CLD", "K8", ["B6-10384"], mode="truck")
    group.pass_time(HOUR)
    group.sync()
    group.receive("BRK", "161739-1-3", 20_600, "RT-1")
    group.receive("CLD", "B6-10379", 19_660, "RC-1", scale="CW2")
    close_receipt(group.plants["CLD"], "RC-1", actor="p3", command_id="close")
    group.pass_time(HOUR)
    group.sync()
    return group


def case_ids(person: Person) -> dict[str, str]:
    items = person.api("GET", "/api/v1/cases?state=open").json["items"]  # type: ignore[index]
    return {case["kind"]: case["case_id"] for case in items}


def test_the_desk_shows_what_people_must_look_at(logistics: Person, three: SteelGroup) -> None:
    desk = logistics.page("/transfers/cases")
    for text in ("Masses differ", "Missing", "Unannounced", "B6-10379", "-2.58 %", "161739-1-3 came to BRK"):
        assert text in desk
    assert "B6-10384" not in desk
    assert set(case_ids(logistics)) == {"mass", "short", "unannounced"}


def test_an_empty_desk_says_when_a_case_opens(logistics: Person) -> None:
    assert "No case is open" in logistics.page("/transfers/cases")
    assert "Nothing is on the way" in logistics.page("/transfers/")
    assert "Nothing moved between plants yet" in logistics.page("/transfers/balance")


def test_a_case_shows_both_sides_and_what_was_said_since(logistics: Person, three: SteelGroup) -> None:
    ids = case_ids(logistics)
    short = logistics.page(f"/transfers/cases/{ids['short']}")
    assert "BRK says" in short
    assert "this piece was not taken in" in short
    assert "MaterialShipped" in short
    assert "ReceiptClosed" in short
    unannounced = logistics.page(f"/transfers/cases/{ids['unannounced']}")
    assert "no departure of this piece is known" in unannounced
    assert "161739-1-3 is in stock at YA" in unannounced
    correct_departure(three.plants["BRK"], CorrectDeparture("d", "p", "RC-1", "B6-10375", "did_not_occur", "in CB3"))
    correct_departure(three.plants["ALD"], CorrectDeparture("e", "p", "RT-1", "161739-1-3", "late", "same pile"))
    coil = next(i for i in logistics.api("GET", "/api/v1/transfers?q=B6-10379").json["items"])  # type: ignore[index]
    with three.plants["CLD"].journal.work() as tx:
        now = three.clock.now_ms()
        mass = Mass(20_170_000, "weighed", "CW2", now)
        again = MaterialWeighed(material_id=coil["material_id"], mass=mass, reason="again")
        tx.record(Draft(again, (coil["material_id"],), "p3", Occurred(now, "manual")))
    three.sync()
    assert "BRK declared that it never left with RC-1" in logistics.page(f"/transfers/cases/{ids['short']}")
    assert "ALD declared its departure late with RT-1" in logistics.page(f"/transfers/cases/{ids['unannounced']}")
    assert "weighed it again: 20,170 kg, -10 kg, within" in logistics.page(f"/transfers/cases/{ids['mass']}")


def test_a_person_resolves_a_case_by_the_form(logistics: Person, three: SteelGroup) -> None:
    page = f"/transfers/cases/{case_ids(logistics)['mass']}"
    refused = logistics.post(page, page, resolution="reweighed", note="")
    assert refused.status_code == 422
    done = logistics.post(page, page, resolution="reweighed", note="CW2 read before the coil car was down")
    assert done.status_code == 302
    assert "CW2 read before" in logistics.page(page)
    assert "B6-10379" not in logistics.page("/transfers/cases")
    assert "B6-10379" in logistics.page("/transfers/cases?state=resolved")


def test_cases_are_resolved_over_the_api_by_logistics_only(logistics: Person, three: SteelGroup) -> None:
    address = f"/api/v1/cases/{case_ids(logistics)['short']}/resolve"
    body = {"command_id": "r", "resolution": "did_not_occur", "note": "coil still in CB3 row 2"}
    auditor = sign_in(create_portal(three.hub), three.hub.node, "auditor", "auditor")
    assert auditor.api("POST", address, json=body).status_code == 403
    assert logistics.api("POST", address, json=body).json["state"] == "resolved"  # type: ignore[index]
    assert logistics.api("GET", address.removesuffix("/resolve")).json["resolution"] == "did_not_occur"  # type: ignore[index]
    assert auditor.api("GET", "/api/v1/cases/nothing").status_code == 404


def test_lanes_and_balance_close(logistics: Person, three: SteelGroup) -> None:
    items = logistics.api("GET", "/api/v1/balance").json["items"]  # type: ignore[index]
    lanes = {lane["lane"]: lane for lane in items}
    coils = lanes["BRK-CLD"]
    assert coils["shipped"] == {"pieces": 3, "mass_g": 60_710_000}
    assert coils["disputed"] == {"pieces": 1, "mass_g": 20_180_000}
    assert coils["on_the_way"] == {"pieces": 1, "mass_g": 20_350_000}
    assert lanes["ALD-BRK"]["claimed"] == {"pieces": 1, "mass_g": 20_600_000}
    assert {lane["unexplained_g"] for lane in items} == {0}
    assert "60,710" in logistics.page("/transfers/balance").replace("\u202f", ",").replace("\u2009", ",").replace(
        " ", ","
    )
    page = logistics.page("/transfers/?lane=BRK-CLD&state=short")
    assert "B6-10375" in page
    assert "B6-10384" not in page
    csv = logistics.client.get("/transfers/?format=csv&state=all").text
    assert csv.count("\n") == 5
    states = logistics.api("GET", "/api/v1/transfers?state=in_transit").json["items"]  # type: ignore[index]
    assert sorted(line["number"] for line in states) == ["161739-1-1", "B6-10384"]


@pytest.mark.fault(92)
def test_an_episode_counts_what_waits_and_names_the_plant(logistics: Person, group: SteelGroup) -> None:
    for number in ("4H1-1", "4H1-2"):
        group.stock("ALD", number, 20_565)
    group.sync()
    group.cut.add("ALD")
    group.ship("ALD", "BRK", "RT-9", ["4H1-1", "4H1-2"])
    group.pass_time(9 * HOUR)
    for waiting, number in enumerate(("4H1-1", "4H1-2"), start=1):
        group.receive("BRK", number, 20_600, "RT-9", from_plant="ALD")
        group.sync()
        (episode,) = logistics.api("GET", "/api/v1/episodes").json["items"]  # type: ignore[index]
        assert (episode["lines"], episode["closed"], episode["plant"]) == (waiting, False, "ALD")
    assert "Waiting for ALD" in logistics.page("/transfers/cases")
    group.cut.clear()
    group.sync()
    (episode,) = logistics.api("GET", "/api/v1/episodes").json["items"]  # type: ignore[index]
    assert (episode["lines"], episode["closed"]) == (2, True)
    (load,) = logistics.api("GET", "/api/v1/shipments").json["items"]  # type: ignore[index]
    assert {line["number"] for line in load["lines"]} == {"4H1-1", "4H1-2"}
    assert "Waiting for ALD" not in logistics.page("/transfers/cases")
