"""Shipping and receiving through the console and the API of a plant: real app, real database."""

from __future__ import annotations

import pytest
from browse import Person, sign_in
from steel_group import SteelGroup

from local_mes.app import create_console


@pytest.fixture
def yard(group: SteelGroup) -> Person:
    return sign_in(create_console(group.plants["BRK"]), group.plants["BRK"].node, "yard.brk", "yard")


@pytest.fixture
def sender(group: SteelGroup) -> Person:
    return sign_in(create_console(group.plants["ALD"]), group.plants["ALD"].node, "yard.ald", "yard")


def announce(group: SteelGroup, *numbers: str) -> None:
    for number in numbers:
        group.stock("ALD", number, 20_558)
    group.ship("ALD", "BRK", "RT-1", list(numbers), vehicle="train 4711")
    group.sync()


def test_empty_pages_teach(yard: Person, sender: Person) -> None:
    assert "Nothing is announced" in yard.page("/transfers/expected")
    assert "Nothing was taken in yet" in yard.page("/transfers/receipts")
    assert "No load left yet" in sender.page("/transfers/loads")
    assert "Nothing here may leave now" in sender.page("/transfers/loads/new")


def test_a_load_leaves_by_the_form(group: SteelGroup, sender: Person) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    assert "161738-1-1" in sender.page("/transfers/loads/new")
    refused = sender.post("/transfers/loads/new", "/transfers/loads/new", lane="ALD-BRK", pieces="161738-9-9 W1")
    assert refused.status_code == 404
    assert "161738-9-9 W1" in refused.text  # what was typed is kept
    done = sender.post(
        "/transfers/loads/new", "/transfers/loads/new", lane="ALD-BRK", pieces="161738-1-1 W1", vehicle="train 4711"
    )
    assert done.status_code == 302
    page = sender.page(done.headers["Location"])
    assert "RT-000001" in page
    assert "W1" in page
    assert "train 4711" in sender.page("/transfers/loads")


def test_a_piece_is_taken_in_with_three_taps(group: SteelGroup, yard: Person) -> None:
    announce(group, "161738-1-1", "161738-1-2")
    assert "/transfers/receive/RT-1" in yard.page("/transfers/receive")
    assert "piece=161738-1-1" in yard.page("/transfers/receive/RT-1")
    form = "/transfers/receive/piece?shipment=RT-1&piece=161738-1-1"
    assert 'value="20558"' in yard.page(form)
    done = yard.post(form, form, piece="161738-1-1", mass_kg="20670", basis="weighed", place="YB", shipment="RT-1")
    assert (done.status_code, done.headers["Location"]) == (302, "/transfers/receive/RT-1")
    page = yard.page("/transfers/receive/RT-1")
    assert "piece=161738-1-1" not in page
    assert "1 of 2 are here" in page
    receipts = yard.page("/transfers/receipts")
    assert "161738-1-1" in receipts
    (opened,) = yard.api("GET", "/api/v1/receipts").json["items"]  # type: ignore[index]
    assert "BS6-" in yard.page(f"/transfers/receipts/{opened['receipt_id']}")
    refused = yard.post(form, form, piece="161738-1-1", mass_kg="20670", basis="weighed", place="YB", shipment="RT-1")
    assert refused.status_code == 409
    assert "was taken in already" in refused.text


def test_what_came_before_its_papers_is_shown_as_waiting(group: SteelGroup, yard: Person) -> None:
    form = "/transfers/receive/piece"
    done = yard.post(form, form, piece="161739-1-3", mass_kg="20600", basis="weighed", place="YB")
    assert "may be moved, not charged" in yard.page(done.headers["Location"])
    assert "161739-1-3" in yard.page("/transfers/expected")
    wrong = yard.post(form, form, piece="161739-1-4", mass_kg="-5", basis="weighed", place="YB")
    assert wrong.status_code == 422


def test_closing_and_correcting_on_the_loads_page(group: SteelGroup, yard: Person, sender: Person) -> None:
    announce(group, "161738-1-1", "161738-1-2")
    load = "/transfers/loads/RT-1"
    assert "161738-1-1, 161738-1-2" in yard.page(load)
    assert yard.post(f"{load}/close", load).status_code == 302
    assert "Short" in yard.page(load)
    done = sender.post(f"{load}/correct", load, piece="161738-1-2", kind="did_not_occur", note="still in row 2")
    assert done.status_code == 302
    assert "Never left" in sender.page(load)
    assert sender.client.get("/transfers/loads/RT-9").status_code == 404


def test_a_piece_that_went_another_way_is_said_on_the_loads_page(
    group: SteelGroup, yard: Person, sender: Person
) -> None:
    announce(group, "161738-1-1", "161738-1-2", "161738-1-3")
    load = "/transfers/loads/RT-1"
    refused = yard.post(f"{load}/say", load, piece="161738-1-1", kind="refused", note="wet")
    assert refused.status_code == 302
    assert "Refused, on its way back" in yard.page(load)
    assert "161738-1-2, 161738-1-3" in yard.page(load), "what was refused is not called short"
    assert yard.post(f"{load}/say", load, piece="161738-1-1", kind="refused", note="wet").status_code == 409
    group.sync()
    back = sender.post(f"{load}/say", load, piece="161738-1-1", kind="returned", note="dry", place="YA7")
    assert back.status_code == 302
    assert "Back at the sender" in sender.page(load)
    for person in (yard, sender):
        done = person.post(f"{load}/say", load, piece="161738-1-2", kind="lost", note="fell off")
        assert done.status_code == 302
    group.sync()
    assert "Written off" in sender.page(load)
    assert yard.post(f"{load}/close", load).status_code == 302
    lines = yard.api("GET", "/api/v1/shipments/RT-1").json["lines"]  # type: ignore[index]
    assert {one["number"]: one["state"] for one in lines} == {
        "161738-1-1": "returned",
        "161738-1-2": "written_off",
        "161738-1-3": "short",
    }


def test_the_words_of_a_line_over_the_api(group: SteelGroup, yard: Person, sender: Person) -> None:
    announce(group, "161738-1-1", "161738-1-2", "161738-1-3")
    told = {"shipment": "RT-1", "piece": "161738-1-1", "note": "wet"}
    assert yard.api("POST", "/api/v1/receipts/refuse", json=told | {"command_id": "r"}).status_code == 201
    group.sync()
    back = told | {"command_id": "b", "place": "YA7"}
    assert sender.api("POST", "/api/v1/shipments/return", json=back).status_code == 201
    lost = told | {"command_id": "l", "piece": "161738-1-2"}
    assert sender.api("POST", "/api/v1/shipments/lost", json=lost).json["by_both"] is False  # type: ignore[index]
    parts = {"command_id": "p", "shipment": "RT-1", "piece": "161738-1-3", "parts": [{"mass_g": 12_000_000}] * 2}
    took = yard.api("POST", "/api/v1/receipts/parts", json=parts)
    assert (took.status_code, len(took.json["parts"])) == (201, 2)  # type: ignore[index]
    amended = {"command_id": "a", "shipment": "RT-1", "piece": "161738-1-2", "reason": "copper"}
    assert sender.api("POST", "/api/v1/shipments/amend", json=amended).status_code == 403, "quality says that"
    unknown = {"command_id": "m", "receipt": "x", "shipment": "RT-1", "piece": "161738-1-2", "note": "n"}
    assert yard.api("POST", "/api/v1/receipts/match", json=unknown).status_code == 409
    assert yard.api("GET", "/api/v1/bundles/B-77").json["items"] == []  # type: ignore[index]


def test_the_whole_way_over_the_api(group: SteelGroup, yard: Person, sender: Person) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    body = {
        "command_id": "a",
        "number": "RT-1",
        "to": "BRK",
        "lines": [{"piece": "161738-1-1", "position": "W1"}],
        "depart": True,
    }
    left = sender.api("POST", "/api/v1/shipments", json=body)
    assert left.status_code == 201
    assert sender.api("POST", "/api/v1/shipments", json=body).json == left.json
    group.sync()
    receipt = {
        "command_id": "b",
        "shipment": "RT-1",
        "piece": "161738-1-1",
        "own_number": None,
        "mass_g": 20_670_000,
        "mass_basis": "weighed",
        "scale": "WS1",
        "place": "YB",
        "position": "W1",
        "damage": None,
    }
    assert yard.api("POST", "/api/v1/arrivals", json={"command_id": "g", "shipment": "RT-1"}).status_code == 201
    took = yard.api("POST", "/api/v1/receipts", json=receipt)
    assert (took.status_code, took.json["provisional"]) == (201, False)  # type: ignore[index]
    closed = yard.api("POST", "/api/v1/receipts/close", json={"command_id": "c", "shipment": "RT-1"})
    assert closed.json["short"] == []  # type: ignore[index]
    (line,) = yard.api("GET", "/api/v1/transfers").json["items"]  # type: ignore[index]
    assert (line["state"], line["difference_g"], line["within_tolerance"]) == ("received", 112_000, True)
    load = yard.api("GET", "/api/v1/shipments/RT-1").json
    assert [one["number"] for one in load["lines"]] == ["161738-1-1"]  # type: ignore[index]
    assert yard.api("GET", "/api/v1/shipments").json["items"][0]["pieces"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("address", "body", "status", "code"),
    [
        ("/api/v1/receipts", {"command_id": "x", "piece": "1", "mass_g": -5}, 422, "input.invalid"),
        (
            "/api/v1/shipments",
            {"command_id": "x", "to": "BRK", "number": "R", "lines": []},
            422,
            "transfers.empty_load",
        ),
        ("/api/v1/receipts/close", {"command_id": "x", "shipment": "R"}, 404, "transfers.unknown_load"),
        (
            "/api/v1/corrections/departure",
            {"command_id": "x", "shipment": "R", "piece": "1", "kind": "late"},
            404,
            "transfers.unknown_departure",
        ),
    ],
)
def test_wrong_commands_are_answered_with_problem_documents(
    sender: Person, address: str, body: dict[str, object], status: int, code: str
) -> None:
    answer = sender.api("POST", address, json=body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    if not code.startswith("input"):
        assert answer.json["code"] == code  # type: ignore[index]


def test_only_the_yard_ships_and_receives(group: SteelGroup) -> None:
    reader = sign_in(create_console(group.plants["CLD"]), group.plants["CLD"].node, "quality.cld", "quality")
    body = {"command_id": "x", "piece": "1", "mass_g": 5}
    assert reader.api("POST", "/api/v1/receipts", json=body).status_code == 403
    assert reader.client.get("/transfers/receive").status_code == 403
    assert reader.client.get("/transfers/expected").status_code == 200
